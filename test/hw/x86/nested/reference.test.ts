import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBigInt, toBigInt } from '../../../../hw/base/address.js';
import { BUS_ERROR, PAGE_FAULT } from '../../../../hw/base/fault.js';
import { Ram } from '../../../../hw/memory/ram.js';
import { parseTlb } from '../../../../hw/tlb/parse.js';
import { MODEL_DEFAULT, NO_TLB } from '../../../../hw/tlb/presets.js';
import { GENERAL_PROTECTION } from '../../../../hw/x86/exception.js';
import type { Mmu } from '../../../../hw/x86/mmu.js';
import { vmExitOf } from '../../../../hw/x86/nested/exits.js';
import { INVEPT_GLOBAL } from '../../../../hw/x86/nested/virtual-machines.js';
import { runs } from '../../../runs.js';
import { MODES, RandomMachine } from '../random-tables.js';
import type { ReferenceAccess, ReferenceState } from '../reference-walker.js';
import { ALL_TABLES, RandomHost } from './random-host.js';
import { nestedWalk } from './reference-walker.js';

const ram = new Ram({ bytes: 1 << 26 });
const TINY_TLB = parseTlb('4x2+8x2');
const ACCESSES = 30;
const HOSTS = [
  ['ept', '4l'],
  ['ept', '5l'],
  ['npt', '4l'],
  ['npt', '5l'],
  ['npt', 'pae'],
  ['npt', '32'],
] as const;

class BeyondRam extends Error {}

function memory(address: bigint, bytes: number): bigint {
  const { hi, lo } = fromBigInt(address);
  if (!ram.has(hi, lo, bytes)) throw new BeyondRam();
  return bytes === 8 ? ram.read64(Number(address)) : toBigInt(0, ram.load32(hi, lo));
}

/** The machine's answer in the words of the reference. */
function gotText(mmu: Mmu, linear: bigint, access: number): string {
  const { hi, lo } = fromBigInt(linear);
  const status = mmu.translate(hi, lo, access);
  if (status >= 0) return `frame ${status}`;
  if (status === BUS_ERROR) return 'bus error';
  if (status === GENERAL_PROTECTION) return 'gp';
  expect(status).toBe(PAGE_FAULT);
  expect(toBigInt(mmu.fault.hi, mmu.fault.lo)).toBe(linear);
  const exit = vmExitOf(mmu.fault);
  if (exit === undefined) return `page fault ${mmu.fault.errorCode.toString(16)}`;
  if (exit.reason === '#VMEXIT(NPF)') return `npf ${exit.info1.toString(16)} ${exit.info2.toString(16)}`;
  if (exit.reason === 'EPT misconfiguration') return `misconfiguration ${exit.guestPhysical.toString(16)}`;
  expect(exit.guestLinear).toBe(linear);
  return `violation ${exit.qualification.toString(16)} ${exit.guestPhysical.toString(16)}`;
}

/** Makes random accesses; each answer, each bit set and each count of entries read is the reference's. */
function compare(
  seed: number,
  mmu: Mmu,
  state: ReferenceState,
  machine: RandomMachine,
  random: RandomHost,
  counts: boolean,
): void {
  const top = { none: 64, '32': 64, pae: 64, '4l': 48, '5l': 57 }[state.mode];
  const tables = ram.words.slice(0, ALL_TABLES * 1024);
  for (let i = 0; i < ACCESSES; i++) {
    const linear = machine.linear();
    const { bits, reference } = machine.access();
    const label = `seed ${seed} access ${i} (${bits}) to ${linear.toString(16)}`;
    const expected = ask(state, random, linear, reference, top);
    const got = gotText(mmu, linear, bits);
    if (got !== expected.text) expect(`${label}: ${got}`).toBe(`${label}: ${expected.text}`);
    if (got === 'bus error') return;
    for (const [address, set] of expected.sets) tables[Number(address / 4n)] |= Number(set);
    if (counts && got.startsWith('frame')) expect(mmu.walkRecord.count, label).toBe(expected.reads);
  }
  const differs = tables.findIndex((word, index) => word !== ram.words[index]);
  expect(differs, `seed ${seed}: word of the tables that differs`).toBe(-1);
}

function ask(
  state: ReferenceState,
  { host }: RandomHost,
  linear: bigint,
  access: ReferenceAccess,
  top: number,
): { text: string; sets: readonly (readonly [bigint, bigint])[]; reads: number } {
  if (BigInt.asUintN(64, BigInt.asIntN(top, linear)) !== linear && top < 64) return { text: 'gp', sets: [], reads: 0 };
  try {
    const { result, sets, reads } = nestedWalk(state, host, memory, linear, access);
    const beyond = typeof result === 'bigint' && result >= BigInt(ram.bytes);
    return { text: beyond ? 'bus error' : typeof result === 'bigint' ? `frame ${result >> 12n}` : result, sets, reads };
  } catch (error) {
    if (!(error instanceof BeyondRam)) throw error;
    return { text: 'bus error', sets: [], reads: 0 };
  }
}

describe.each(MODES)('a guest in mode %s', (mode) => {
  describe.each(HOSTS)('over %s, host in mode %s', (kind, hostMode) => {
    it.each([
      ['without a TLB', NO_TLB],
      ['with a tiny TLB', TINY_TLB],
      ['with the default TLBs', MODEL_DEFAULT],
    ])('agrees with the reference walker %s', (_, tlb) => {
      fc.assert(
        fc.property(fc.integer(), (seed) => {
          const machine = new RandomMachine(ram, mode, seed);
          const { mmu, state } = machine.boot({ tlb });
          const host = new RandomHost(ram, machine.random, kind, hostMode);
          const { cr3 } = host.enter(mmu, state.flags.ac, state.pdptes);
          compare(seed, mmu, { ...state, cr3: BigInt(cr3) }, machine, host, tlb === NO_TLB);
          expect(mmu.counters.check()).toEqual([]);
        }),
        { numRuns: runs(10) },
      );
    });
  });
});

describe.each(['ept', 'npt'] as const)('over %s', (kind) => {
  it('after a change of the tables of the host and its invalidation, TLBs give the answers of now', () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(...MODES), (seed, mode) => {
        const machine = new RandomMachine(ram, mode, seed);
        const { mmu, state } = machine.boot({ tlb: MODEL_DEFAULT });
        const host = new RandomHost(ram, machine.random, kind, '4l');
        const { cr3 } = host.enter(mmu, state.flags.ac, state.pdptes);
        for (let i = 0; i < 5; i++) {
          compare(seed, mmu, { ...state, cr3: BigInt(cr3) }, machine, host, false);
          const { current } = mmu.vm;
          if (current === null) throw new Error('no guest runs');
          mmu.vm.vmexit();
          host.fill();
          if ('eptp' in current) expect([mmu.vm.invept(INVEPT_GLOBAL), mmu.vm.vmlaunch(current)]).toEqual([0, 0]);
          else expect(mmu.vm.vmrun({ ...current, tlbControl: 3 })).toBe(0);
        }
      }),
      { numRuns: runs(10) },
    );
  });
});
