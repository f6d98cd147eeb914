import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../folder.js';
import { readJsonLines } from '../../../../src/conformance/recording/json-lines.js';
import { x86Case } from '../../../../src/conformance/x86/x86-case.js';
import { CASE } from '../case.js';

let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
});

function fileOf(text: string | Uint8Array): string {
  const file = join(folder, 'recording');
  writeFileSync(file, text);
  return file;
}

function lines(...values: object[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}

describe('readJsonLines', () => {
  it('reads plain and compressed text alike, whatever the name', () => {
    const text = lines(CASE, { ...CASE, id: 2 });
    const plain = readJsonLines(fileOf(text), x86Case);
    expect(plain.map(({ line, value }) => [line, value.id])).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(readJsonLines(fileOf(gzipSync(text)), x86Case)).toEqual(plain);
  });

  it.each<[string, object, RegExp]>([
    ['a missing field', { ...CASE, la: undefined }, /line 2: field la: expected text, found nothing$/],
    ['a value that is no number', { ...CASE, cr0: '31' }, /line 2: field cr0: expected a hexadecimal number.*'31'/],
    ['65 bits', { ...CASE, la: '0x10000000000000000' }, /line 2: field la: expected a hexadecimal number/],
    [
      'a family nobody knows',
      { ...CASE, fam: 'cache' },
      /line 2: field fam: expected 'paging', 'segdata', 'segload', 'segjmp' or 'tlb', found 'cache'$/,
    ],
    [
      'a mode nobody knows',
      { ...CASE, mode: '6l' },
      /line 2: field mode: expected 'none', '32', 'pae', '4l' or '5l', found '6l'$/,
    ],
    ['a level that is none', { ...CASE, cpl: 4 }, /line 2: field cpl: expected a number of at most 3, found 4$/],
    [
      'entries without their values afterwards',
      { ...CASE, mem: [['0x1', '0x2']] },
      /line 2: field after: expected 1 values/,
    ],
  ])('names line and field of %s', (_, broken, message) => {
    expect(() => readJsonLines(fileOf(lines(CASE, broken)), x86Case)).toThrow(message);
  });

  it('names the line that is not JSON', () => {
    expect(() => readJsonLines(fileOf(`${lines(CASE)}\n{"id":`), x86Case)).toThrow(/line 3: not JSON/);
  });

  it('says when a compressed file is cut off, and when a file is empty', () => {
    const whole = gzipSync(lines(CASE));
    expect(() => readJsonLines(fileOf(whole.subarray(0, 40)), x86Case)).toThrow(/cannot be decompressed/);
    expect(() => readJsonLines(fileOf(''), x86Case)).toThrow(/holds no cases/);
  });
});
