import fc from 'fast-check';
import { expect, test } from 'vitest';
import { errorText, printable, printableJson, printableText } from '../../../../src/report/output/printable.js';

const HIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

test('control characters and turns of the direction of writing are spelled out', () => {
  expect(printableText('a\u001b[31m\n\u009b\u202eb é')).toBe('a\\x1b[31m\\x0a\\x9b\\u202eb é');
});

test('nothing hidden is left in any text of a result; numbers and names of fields stay', () => {
  expect(printable({ runs: [{ trace: 'a\tb', walks: 7, about: undefined }], fetches: true, limit: null })).toEqual({
    runs: [{ trace: 'a\\x09b', walks: 7, about: undefined }],
    fetches: true,
    limit: null,
  });
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !HIDDEN.test(printable([{ text }])[0].text)));
});

test('JSON means the same with hidden characters escaped', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const json = printableJson(JSON.stringify({ text }));
      expect(HIDDEN.test(json)).toBe(false);
      expect(JSON.parse(json)).toEqual({ text });
    }),
  );
});

test('an error quotes at most 80 characters of a value, its beginning and its end', () => {
  const long = `${'a'.repeat(200)}z`;
  expect(errorText(`'${long}' is no size; 'b' is`)).toBe(`'${'a'.repeat(40)}…${'a'.repeat(38)}z' is no size; 'b' is`);
  expect(errorText(`option '${'c'.repeat(80)}'`)).toBe(`option '${'c'.repeat(80)}'`);
});

test('an apostrophe within a value does not end the quotation', () => {
  expect(errorText(`cannot read 'it's${'a'.repeat(200)}' (--csv)`)).toBe(
    `cannot read 'it's${'a'.repeat(36)}…${'a'.repeat(39)}' (--csv)`,
  );
});

test('apostrophes are no quotation marks', () => {
  const message = `the model's memory ${'is far too small for it '.repeat(5)}and the machine's as well`;
  expect(errorText(message)).toBe(message);
});
