import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromBigInt } from '../../../../hw/base/address.js';
import type { Mmu } from '../../../../hw/x86/mmu.js';
import { Ram } from '../../../../hw/memory/ram.js';
import { NO_TLB } from '../../../../hw/tlb/presets.js';
import { DEMO_MODES, demoState } from '../../../../src/explain/demo-states.js';
import type { DemoMode } from '../../../../src/explain/demo-states.js';
import { buildMachine } from '../../../../src/explain/machine.js';
import type { AccessKind } from '../../../../src/explain/machine-state.js';
import type { WalkResult } from '../../../../src/explain/walk/walk-result.js';
import { explainWalk } from '../../../../src/explain/walk/walk.js';
import { MODES, RandomMachine } from '../../../hw/x86/random-tables.js';
import { referenceWalk } from '../../../hw/x86/reference-walker.js';
import { runs } from '../../../runs.js';

function walk(mmu: Mmu, address: bigint, access: AccessKind = 'read', user = false): WalkResult {
  return explainWalk(mmu, { ...fromBigInt(address), access, user });
}

function demo(mode: DemoMode): Mmu {
  return buildMachine(demoState(mode)).mmu;
}

/** `physical 0x…` or the fault's name and error code. */
function ending({ outcome }: WalkResult): string {
  return outcome.kind === 'mapped' ? outcome.physical : `${outcome.name.split(' ')[0]} ${outcome.errorCode ?? '-'}`;
}

const ANY_DEMO: [bigint, AccessKind, boolean, string][] = [
  [0x401abcn, 'fetch', true, '0x100abc'],
  [0x601008n, 'write', true, '0x101008'],
  [0x602000n, 'read', true, '0x102000'],
  [0x602000n, 'write', true, '#PF 7'],
  [0x602000n, 'write', false, '#PF 3'],
  [0x604000n, 'read', true, 'bus -'],
  [0x700000n, 'read', true, '#PF 4'],
  [0x812345n, 'write', true, '0x412345'],
  [0xc00000n, 'read', false, '#PF 9'],
  [0x40000000n, 'write', false, '#PF 2'],
  [0xc0100004n, 'read', false, '0x200004'],
  [0xc0100004n, 'read', true, '#PF 5'],
  [0x401000n, 'fetch', false, '#PF 17'],
];

test.each(DEMO_MODES)('every address of the %s demonstration ends as it should', (mode) => {
  const endings = ANY_DEMO.map(([address, access, user]) => ending(walk(demo(mode), address, access, user)));
  expect(endings).toEqual(ANY_DEMO.map(([, , , expected]) => expected));
});

test('no-execute and protection keys refuse where the mode has them', () => {
  expect(ending(walk(demo('pae'), 0x603000n, 'fetch', true))).toBe('#PF 21');
  expect(ending(walk(demo('32'), 0x603000n, 'fetch', true))).toBe('0x103000');
  expect(ending(walk(demo('4l'), 0x605000n, 'write', true))).toBe('#PF 39');
  expect(ending(walk(demo('4l'), 0x605000n, 'read', true))).toBe('0x105000');
});

test('an address is canonical or not by the bits of the mode', () => {
  const address = 0x8000_0000_0000n;
  expect(ending(walk(demo('4l'), address))).toBe('#GP 0');
  expect(ending(walk(demo('5l'), address))).toBe('#PF 0');
});

test('a walk agrees with the reference on every entry read and on how it ends', () => {
  const ram = new Ram({ bytes: 2 ** 24 });
  const property = fc.property(fc.constantFrom(...MODES), fc.nat(), (mode, seed) => {
    const machine = new RandomMachine(ram, mode, seed);
    const { mmu, state } = machine.boot({ tlb: NO_TLB });
    for (let i = 0; i < 20; i++) {
      const linear = machine.linear();
      const access = machine.random.below(3);
      const user = machine.chance(0.5);
      const kind = (['read', 'write', 'fetch'] as const)[access];
      const reference = { write: access === 1, fetch: access === 2, user, implicit: false };
      const read = (at: bigint, bytes: number): bigint => readEntry(ram, at, bytes);
      const expected = inRam(() => referenceWalk(state, read, linear, reference));
      const got = walk(mmu, linear, kind, user);
      if (expected === undefined) return got.outcome.kind === 'fault';
      const { result, path } = expected;
      const own = got.levels.filter(({ entryAddress }) => entryAddress !== null);
      expect(own.map(({ entryAddress }) => BigInt(entryAddress ?? 0))).toEqual(path.map(({ address }) => address));
      expect(ending(got)).toBe(endingOf(result, ram));
      if (got.outcome.kind === 'fault') expect(got.outcome.reasons.length).toBeGreaterThan(0);
    }
    return true;
  });
  fc.assert(property, { numRuns: runs(150) });
});

/** Thrown by reads where there is no RAM, about which the reference knows nothing. */
class NoRam extends Error {}

function readEntry(ram: Ram, address: bigint, bytes: number): bigint {
  if (address + 8n > BigInt(ram.bytes)) throw new NoRam();
  return BigInt.asUintN(bytes * 8, ram.read64(Number(address)));
}

function inRam<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof NoRam) return undefined;
    throw error;
  }
}

function endingOf(result: ReturnType<typeof referenceWalk>['result'], ram: Ram): string {
  if (result.kind === 'gp') return '#GP 0';
  if (result.kind === 'fault') return `#PF ${result.errorCode}`;
  return result.physical < BigInt(ram.bytes) ? `0x${result.physical.toString(16)}` : 'bus -';
}

test('a second access hits the TLB, and no entry is read for it', () => {
  const mmu = demo('4l');
  expect(walk(mmu, 0x601000n).tlb.answer).toBe('miss');
  const again = walk(mmu, 0x601008n);
  expect(again.tlb).toMatchObject({ answer: 'L1 hit', physical: '0x101008', page: '4K' });
  expect(again.walkCache.answer).toBe('not asked');
  expect(again.levels.map(({ skipped }) => skipped)).toEqual([true, true, true, true]);
});

test('a neighbour in the same 2 MiB starts its walk at the page table', () => {
  const mmu = demo('4l');
  walk(mmu, 0x601000n);
  const { walkCache, levels } = walk(mmu, 0x602000n);
  expect(walkCache).toMatchObject({ answer: 'hit', startsAt: 'PT' });
  expect(levels.map(({ skipped }) => skipped)).toEqual([true, true, true, false]);
  expect(levels[3].entryAddress?.startsWith(walkCache.table?.slice(0, 3) ?? '-')).toBe(true);
});

test('looking at the TLB changes nothing that later accesses could notice', () => {
  const [looked, plain] = [demo('4l'), demo('4l')];
  const pages = [0x601000n, 0x602000n, 0x800000n, 0x601000n, 0x603000n, 0xc0100000n, 0x602000n];
  for (const page of pages) {
    walk(looked, page);
    const { hi, lo } = fromBigInt(page);
    plain.translate(hi, lo, 0);
  }
  expect(looked.counters.snapshot()).toEqual(plain.counters.snapshot());
});

test('an entry that was changed without an invalidation shows as stale', () => {
  const mmu = demo('32');
  const first = walk(mmu, 0x601000n);
  const entry = Number(first.levels[1].entryAddress);
  mmu.ram.store32(0, entry, 0x107027);
  const { tlb, outcome } = walk(mmu, 0x601000n);
  expect(tlb.stale).toBe('a walk finds frame 0x107 now');
  expect(outcome).toMatchObject({ physical: '0x101000' });
});

test('accessed and dirty bits that the access sets are told', () => {
  const { changes } = walk(demo('pae'), 0x800000n, 'write');
  expect(changes).toEqual([{ table: 'PD', entryAddress: '0x2020', bits: 'A D' }]);
});

test('PAE shows its page-directory-pointer register, which later stores do not change', () => {
  const mmu = demo('pae');
  mmu.ram.store64(0, 0x1000, 0, 0);
  const { levels } = walk(mmu, 0x602000n);
  expect(levels[0]).toMatchObject({ table: 'PDPT', index: 0, entryAddress: null, flags: 'P' });
});

test('the rights that levels allow shrink on the way down', () => {
  const { levels } = walk(demo('4l'), 0xc0100000n);
  expect(levels.map(({ allows }) => allows?.user)).toEqual([true, true, true, false]);
});
