import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { readJsonLines } from '../../../src/conformance/json-lines.js';
import { x86Case } from '../../../src/conformance/x86-case.js';

const folder = mkdtempSync(join(tmpdir(), 'pagewalk-conform-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const GOOD = {
  id: 1,
  fam: 'paging',
  mode: 'none',
  cpl: 0,
  op: 'r',
  size: 1,
  la: '0x10',
  cr0: '0x31',
  out: { k: 'ok', pa: ['0x10'] },
};

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
    const text = lines(GOOD, { ...GOOD, id: 2 });
    const plain = readJsonLines(fileOf(text), x86Case);
    expect(plain.map(({ line, value }) => [line, value.id])).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(readJsonLines(fileOf(gzipSync(text)), x86Case)).toEqual(plain);
  });

  it.each<[string, object, RegExp]>([
    ['a missing field', { ...GOOD, la: undefined }, /line 2: field la: .*expected string, received undefined/],
    ['a value that is no number', { ...GOOD, cr0: '31' }, /line 2: field cr0: expected a hexadecimal number.*'31'/],
    ['65 bits', { ...GOOD, la: '0x10000000000000000' }, /line 2: field la: expected a hexadecimal number/],
    ['a family nobody knows', { ...GOOD, fam: 'cache' }, /line 2: field fam: /],
    ['a mode nobody knows', { ...GOOD, mode: '6l' }, /line 2: field mode: /],
    ['a level that is none', { ...GOOD, cpl: 4 }, /line 2: field cpl: /],
    [
      'entries without their values afterwards',
      { ...GOOD, mem: [['0x1', '0x2']] },
      /line 2: field after: expected 1 values/,
    ],
  ])('names line and field of %s', (_, broken, message) => {
    expect(() => readJsonLines(fileOf(lines(GOOD, broken)), x86Case)).toThrow(message);
  });

  it('names the line that is not JSON', () => {
    expect(() => readJsonLines(fileOf(`${lines(GOOD)}\n{"id":`), x86Case)).toThrow(/line 3: not JSON/);
  });

  it('says when a compressed file is cut off, and when a file is empty', () => {
    const whole = gzipSync(lines(GOOD));
    expect(() => readJsonLines(fileOf(whole.subarray(0, 40)), x86Case)).toThrow(/cannot be decompressed/);
    expect(() => readJsonLines(fileOf(''), x86Case)).toThrow(/holds no cases/);
  });
});
