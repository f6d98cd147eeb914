import { describe, expect, it, test } from 'vitest';
import { READ, USER, WRITE } from '../../../../../hw/base/access.js';
import { highWord, lowWord, SHIFT_2M, SHIFT_4K } from '../../../../../hw/base/address.js';
import type { TlbGeometry } from '../../../../../hw/tlb/hierarchy.js';
import { NO_TLB } from '../../../../../hw/tlb/presets.js';
import type { ReplayMachine } from '../../../../../src/compare/machine/machine.js';
import { makeMachine } from '../../../../../src/compare/machine/make-machine.js';
import { pageKinds } from '../../../../../src/compare/machine/pages/page-kinds.js';
import type { MachineName } from '../../../../../src/compare/machine/pages/page-kinds.js';

const GIB = 2 ** 30;
const BASE = 5 * GIB;

function machineOf(machine: MachineName, pages: string, host: number | null, tlb: TlbGeometry = NO_TLB): ReplayMachine {
  const [kind] = pageKinds(machine, [pages]);
  const made = makeMachine(kind, tlb, 4 * GIB, machine, host);
  made.makeResident(highWord(BASE), lowWord(BASE));
  return made;
}

/** Reads of the guest's entries and of the host's, and log2 of the bytes that a TLB may keep. */
function walkIn({ mmu }: ReplayMachine, address = BASE, access = READ | USER): number[] {
  expect(mmu.translate(highWord(address), lowWord(address), access)).toBeGreaterThanOrEqual(0);
  const stages = mmu.walkRecord.reads().map(({ stage }) => stage);
  const count = (wanted: number): number => stages.filter((stage) => stage === wanted).length;
  return [count(1), count(2), mmu.dataPath.regime.pageShifts[mmu.walkRecord.size]];
}

describe('a walk with nothing cached', () => {
  // Of g levels of the guest, h of the host: g and (g + 1) h.
  it.each<[MachineName, string, number | null, number[]]>([
    ['x86', '4K', null, [4, 0, 12]],
    ['x86', '4K', 12, [4, 20, 12]],
    ['x86', '4K', 21, [4, 15, 12]],
    ['x86', '4K', 30, [4, 10, 12]],
    ['x86', '2M', 12, [3, 16, 12]],
    ['x86', '2M', 21, [3, 12, 21]],
    ['x86', '1G', 21, [2, 9, 21]],
    ['x86', '1G', 30, [2, 6, 30]],
    ['x86', '4K+contig', 21, [4, 15, 12]],
    ['riscv', '4K', 12, [4, 20, 12]],
    ['riscv', '64K', 21, [4, 15, 16]],
    ['riscv', '2M', 12, [3, 16, 12]],
    ['aarch64', '4K', 12, [4, 15, 12]],
    ['aarch64', '16K', 21, [3, 8, 14]],
    ['aarch64', '64K', 12, [3, 12, 12]],
    ['aarch64', '2M+contig', 30, [3, 4, 25]],
  ])('%s, pages of %s over 2^%s', (machine, pages, host, reads) => {
    expect(walkIn(machineOf(machine, pages, host))).toEqual(reads);
  });
});

test('neither stage has a bit left to set: a store reads as much, and changes no table', () => {
  for (const machine of ['x86', 'riscv', 'aarch64'] as const) {
    const one = machineOf(machine, '4K', SHIFT_4K);
    const reads = walkIn(one);
    const before = one.mmu.walkRecord.reads();
    expect(walkIn(one, BASE, WRITE | USER)).toEqual(reads);
    expect(one.mmu.walkRecord.reads()).toEqual(before);
  }
});

test('pages of a guest lie anywhere, two side by side; a large page lies as a whole', () => {
  const small = machineOf('x86', '4K', SHIFT_4K);
  const frames = Array.from({ length: 64 }, (_, n) => {
    const address = BASE + n * 4096;
    if (n > 0) small.makeResident(highWord(address), lowWord(address));
    return small.mmu.translate(highWord(address), lowWord(address), READ | USER);
  });
  const blocks = new Set(frames.map((frame) => frame >>> 9));
  expect(blocks.size).toBeGreaterThan(24);
  expect(frames.every((frame, n) => n % 2 === 0 || frame === frames[n - 1] + 1)).toBe(true);
  const { mmu } = machineOf('x86', '2M', SHIFT_4K);
  const first = mmu.translate(highWord(BASE), lowWord(BASE), READ | USER);
  expect(mmu.translate(highWord(BASE + 4096), lowWord(BASE + 4096), READ | USER)).toBe(first + 1);
});

test('another processor is in the same guest', () => {
  for (const machine of ['x86', 'riscv', 'aarch64'] as const) {
    const one = machineOf(machine, '2M', SHIFT_2M);
    const reads = walkIn(one);
    one.enter(0, 1);
    expect(walkIn(one)).toEqual(reads);
  }
});
