import { expect, test } from 'vitest';
import { toCsv } from '../../../../src/report/output/csv.js';

test('the names of the fields are the header', () => {
  expect(
    toCsv([
      { pages: '4K', walks: 7 },
      { pages: '2M', walks: 0 },
    ]),
  ).toBe('pages,walks\n4K,7\n2M,0\n');
});

test('commas, quotes and line ends are quoted', () => {
  expect(toCsv([{ trace: 'a,b "c"\nd' }])).toBe('trace\n"a,b ""c""\nd"\n');
});

test.each(['=1+1', '+1', '-1', '@a', '\ta', '\ra'])(
  '%j is text, and no spreadsheet takes it for a formula',
  (trace) => {
    expect(toCsv([{ trace }]).replaceAll('"', '')).toBe(`trace\n'${trace}\n`);
  },
);

test('numbers have no apostrophe, signs within text neither', () => {
  expect(toCsv([{ saved: -1.5, trace: 'a=b' }])).toBe('saved,trace\n-1.5,a=b\n');
});
