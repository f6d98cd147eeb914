import { expect, test } from 'vitest';
import { toCsv } from '../../../src/report/csv.js';

test('the names of the fields are the header', () => {
  expect(
    toCsv([
      { pages: '4K', walks: 7 },
      { pages: '2M', walks: 0 },
    ]),
  ).toBe('pages,walks\n4K,7\n2M,0\n');
});

test.each(['=1+1', '+1', '-1', '@x', '\tx'])(
  'text that a spreadsheet would run, such as %j, gets an apostrophe',
  (trace) => {
    expect(toCsv([{ trace, walks: -1 }])).toBe(`trace,walks\n'${trace},-1\n`);
  },
);

test('commas, quotes and line ends are quoted', () => {
  expect(toCsv([{ trace: 'a,b "c"\nd' }])).toBe('trace\n"a,b ""c""\nd"\n');
});
