import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ConformanceResult } from '../../../../src/conformance/recording/result.js';
import { allPassed } from '../../../../src/conformance/recording/result.js';
import { conformX86 } from '../../../../src/conformance/x86/x86.js';
import { temporaryFolder } from '../../../folder.js';

const FOLDER = new URL('../../../data/nested/', import.meta.url).pathname;

/** Guest-physical pages are the physical ones, but for the page at 0x10000: it lies at 0x20000. */
function nested(table: number, leaf: number, page = 0x2_0000 + leaf): string[][] {
  const hex = (value: number): string => `0x${value.toString(16)}`;
  return [
    [0x1000, 0x2000 + table],
    [0x2000, 0x3000 + table],
    [0x3000, 0x4000 + table],
    ...[5, 6, 7, 8].map((frame): [number, number] => [0x4000 + 8 * frame, frame * 4096 + leaf]),
    [0x4080, page],
  ].map((pair) => pair.map(hex));
}

const GUEST = [
  ['0x5000', '0x6027'],
  ['0x6000', '0x7027'],
  ['0x7010', '0x8027'],
  ['0x8010', '0x10067'],
];

const common = {
  id: 1,
  mode: '4l',
  cpl: 3,
  op: 'r',
  size: 4,
  la: '0x402010',
  cr0: '0x80010001',
  cr3: '0x5000',
  cr4: '0x20',
  efer: '0x500',
  nroot: '0x1000',
  mem: GUEST,
  after: GUEST.map(([, value]) => value),
};

/** A line for EPT; nothing of the nested entries changes without A/D flags. */
function ept(out: object, page = 0x2_0037, more: object = {}): object {
  const nmem = nested(7, 0x37, page);
  return { ...common, fam: 'ept', ead: 0, mbe: 0, nmem, nafter: nmem.map(([, value]) => value), out, ...more };
}

/** A line for NPT: every bit to be set is set. */
function npt(out: object, page = 0x2_0067, more: object = {}): object {
  const nmem = nested(0x27, 0x67, page);
  return { ...common, fam: 'npt', hnxe: 1, nmem, nafter: nmem.map(([, value]) => value), out, ...more };
}

function conform(...lines: object[]): ConformanceResult {
  const file = join(temporaryFolder(), 'nested.jsonl');
  writeFileSync(file, lines.map((line) => JSON.stringify(line)).join('\n'));
  return conformX86([file]);
}

describe('recordings of nested paging', () => {
  const ok = { k: 'ok', pa: ['0x20010'] };

  it.each<[string, object]>([
    ['a page under EPT', ept(ok)],
    ['a page under NPT', npt(ok)],
    ['a page of which nothing is proved', ept({ k: 'ok', pa: [null] })],
    ['an EPT violation', ept({ k: 'ept', qual: '0x7aa', gpa: '0x10010', gla: '0x402010' }, 0x2_0035, { op: 'w' })],
    ['an EPT misconfiguration', ept({ k: 'misconf', gpa: '0x10010' }, 0x2_0032)],
    ['a nested page fault', npt({ k: 'npf', info1: '0x100000004', info2: '0x10010' }, 0)],
    ["the guest's page fault", ept({ k: 'fault', vec: 14, err: '0x4', cr2: '0x403000' }, 0x2_0037, { la: '0x403000' })],
    [
      'bits not to compare',
      ept({ k: 'ept', qual: '0x7ff', gpa: '0x10010', gla: '0x402010' }, 0x30, { qmask: '0xfff' }),
    ],
  ])('%s', (_, line) => {
    const result = conform(line);
    expect(result.mismatches).toEqual([]);
    expect(allPassed(result)).toBe(true);
  });

  it('a mismatch shows the case and both sides', () => {
    const { mismatches, families } = conform(ept({ k: 'ok', pa: ['0x21010'] }));
    expect(families).toEqual({ ept: { passed: 0, failed: 1 } });
    expect(mismatches[0]).toContain('4-level paging over EPT, CPL 3: read of 4 bytes at 0x402010');
    expect(mismatches[0]).toContain('expected      at physical 0x21010\n');
    expect(mismatches[0]).toContain('got           at physical 0x20010\n');
  });

  it.each([
    ['another entry afterwards', ept(ok, undefined, { after: [...common.after.slice(1), '0x0'] })],
    ['another nested entry afterwards', ept(ok, undefined, { nafter: nested(7, 0x37).map(() => '0x0') })],
    ['another guest-physical address', npt({ k: 'npf', info1: '0x100000004', info2: '0x10018' }, 0)],
    ['another qualification', ept({ k: 'ept', qual: '0x7a9', gpa: '0x10010', gla: '0x402010' }, 0x2_0035, { op: 'w' })],
    ['another kind of end', ept({ k: 'misconf', gpa: '0x10010' })],
  ])('notices %s', (_, line) => {
    expect(allPassed(conform(line))).toBe(false);
  });

  it('names the field of a line at odds with the schema', () => {
    expect(() => conform(ept(ok, undefined, { ead: 2 }))).toThrow('field ead');
    expect(() => conform(ept(ok, undefined, { after: [] }))).toThrow(
      'field after: expected 4 values, one for each of mem, got 0',
    );
  });
});

it.each(readdirSync(FOLDER))('%s: every recorded case passes', (file) => {
  expect(allPassed(conformX86([join(FOLDER, file)]))).toBe(true);
});
