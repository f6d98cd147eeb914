import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBigInt, toBigInt } from '../../../hw/base/address.js';
import { BUS_ERROR, PAGE_FAULT } from '../../../hw/base/fault.js';
import { GENERAL_PROTECTION } from '../../../hw/x86/exception.js';
import type { Mmu } from '../../../hw/x86/mmu.js';
import { Ram } from '../../../hw/memory/ram.js';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { MODEL_DEFAULT, NO_TLB } from '../../../hw/tlb/presets.js';
import { MODES, RandomMachine, TABLE_FRAMES } from './random-tables.js';
import { referenceWalk } from './reference-walker.js';
import type { Reference, ReferenceAccess, ReferenceState } from './reference-walker.js';
import { runs } from '../../runs.js';

const ram = new Ram({ bytes: 1 << 26 });
const TINY_TLB = parseTlb('4x2+8x2');
const seeds = fc.integer();
const ACCESSES = 40;

/** The reference's answer; addresses past RAM give undefined, which stands for a bus error. */
function ask(state: ReferenceState, linear: bigint, access: ReferenceAccess): Reference | undefined {
  let missed = false;
  const read = (address: bigint, bytes: number): bigint => {
    const { hi, lo } = fromBigInt(address);
    if (!ram.has(hi, lo, bytes)) {
      missed = true;
      return 0n;
    }
    return bytes === 8 ? ram.read64(Number(address)) : toBigInt(0, ram.load32(hi, lo));
  };
  const reference = referenceWalk(state, read, linear, access);
  const { result } = reference;
  if (result.kind === 'ok' && result.physical >= BigInt(ram.bytes)) missed = true;
  return missed ? undefined : reference;
}

function tablesNow(): Int32Array {
  return ram.words.slice(0, TABLE_FRAMES * 1024);
}

/** What the machine did, in the form of {@link expectedText}. */
function gotText(mmu: Mmu, linear: bigint, bits: number): string {
  const { hi, lo } = fromBigInt(linear);
  const status = mmu.translate(hi, lo, bits);
  return status >= 0 ? `frame ${status}` : faultText(mmu, status);
}

function faultText(mmu: Mmu, status: number): string {
  if (status === PAGE_FAULT) {
    const { errorCode, hi: faultHi, lo: faultLo } = mmu.fault;
    return `page fault ${errorCode} at ${toBigInt(faultHi, faultLo)}`;
  }
  return status === GENERAL_PROTECTION ? 'gp' : status === BUS_ERROR ? 'bus error' : `status ${status}`;
}

function expectedText(reference: Reference | undefined, linear: bigint): string {
  if (!reference) return 'bus error';
  const { result } = reference;
  if (result.kind === 'gp') return 'gp';
  return result.kind === 'ok' ? `frame ${result.physical >> 12n}` : `page fault ${result.errorCode} at ${linear}`;
}

/** The tables after a successful access: accessed bits on the path, dirty on the page. */
function applyPath(tables: Int32Array, reference: Reference, wide: boolean): void {
  for (const { address, after } of reference.path) {
    const { hi, lo } = fromBigInt(after);
    const index = Number(address / 4n);
    tables[index] |= lo;
    if (wide) tables[index + 1] |= hi;
  }
}

/** Fails with the seed in the message, from which the case can be made again. */
function expectSame(got: string, expected: string, label: string): void {
  // Asking vitest only about differences: it costs more than the translation.
  if (got !== expected) expect(`${label}: ${got}`).toBe(`${label}: ${expected}`);
}

/** Makes random accesses and compares each answer, and the tables after all of them, with the reference. */
function compare(seed: number, mmu: Mmu, state: ReferenceState, machine: RandomMachine): void {
  const tables = tablesNow();
  for (let i = 0; i < ACCESSES; i++) {
    const linear = machine.linear();
    const { bits, reference } = machine.access();
    const expected = ask(state, linear, reference);
    const label = `seed ${seed} access ${i} (${bits}) to ${linear.toString(16)}`;
    expectSame(gotText(mmu, linear, bits), expectedText(expected, linear), label);
    if (expected?.result.kind === 'ok') applyPath(tables, expected, state.mode !== '32');
  }
  const differs = tables.findIndex((word, index) => word !== ram.words[index]);
  expect(differs, `seed ${seed}: word of the tables that differs`).toBe(-1);
}

describe.each(MODES)('translation in mode %s', (mode) => {
  it.each([
    ['without a TLB', NO_TLB],
    ['with a tiny TLB', TINY_TLB],
    ['with the default TLBs and walk caches', MODEL_DEFAULT],
  ])('agrees with the reference walker %s', (_, tlb) => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const machine = new RandomMachine(ram, mode, seed);
        const { mmu, state } = machine.boot({ tlb });
        compare(seed, mmu, state, machine);
        expect(mmu.counters.check()).toEqual([]);
      }),
      { numRuns: runs(60) },
    );
  });

  it('checks both pages of an access that crosses, the first one first', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const machine = new RandomMachine(ram, mode, seed);
        const { mmu, state } = machine.boot({ tlb: MODEL_DEFAULT });
        const width = mode === '4l' || mode === '5l' ? 64 : 32;
        for (let i = 0; i < ACCESSES; i++) {
          const linear = machine.linear() | 0xffdn;
          const next = BigInt.asUintN(width, (linear | 0xfffn) + 1n);
          const { bits, reference } = machine.access();
          const pages = [linear, next].map((address) => ({ address, answer: ask(state, address, reference) }));
          const texts = pages.map(({ address, answer }) => expectedText(answer, address));
          const failed = texts.includes('gp') ? 'gp' : texts.find((text) => !text.startsWith('frame'));
          const { hi, lo } = fromBigInt(linear);
          const status = mmu.locate(hi, lo, 8, bits);
          const got = status < 0 ? faultText(mmu, status) : `frame ${mmu.firstFrame},frame ${mmu.secondFrame}`;
          expectSame(got, failed ?? texts.join(), `seed ${seed} access ${i} (${bits}) to ${linear.toString(16)}`);
        }
      }),
      { numRuns: runs(40) },
    );
  });

  it('on tables of random bits faults or translates, and never hangs or throws', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const machine = new RandomMachine(ram, mode, seed, true);
        const { mmu, state } = machine.boot({ tlb: MODEL_DEFAULT });
        compare(seed, mmu, state, machine);
      }),
      { numRuns: runs(40) },
    );
  });

  it('reaches only frames that the entry at the end of the path names', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const machine = new RandomMachine(ram, mode, seed);
        const { mmu, state } = machine.boot({ tlb: MODEL_DEFAULT });
        for (let i = 0; i < ACCESSES; i++) {
          const linear = machine.linear();
          const { bits, reference } = machine.access();
          const { hi, lo } = fromBigInt(linear);
          const frame = mmu.translate(hi, lo, bits);
          const named = ask(state, linear, reference)?.result;
          if (frame < 0) continue;
          expect(named?.kind).toBe('ok');
          if (named?.kind !== 'ok') continue;
          const address = BigInt(frame) << 12n;
          expect(address >= named.page && address < named.page + named.pageBytes).toBe(true);
        }
      }),
      { numRuns: runs(30) },
    );
  });
});

describe.each(['32', 'pae', '4l', '5l'] as const)('invalidation in mode %s', (mode) => {
  /** Rewrites an entry on the path of `linear`, as an operating system would. */
  function change(machine: RandomMachine, path: Reference['path']): void {
    const step = path[machine.random.below(path.length)];
    if (step.address < BigInt(TABLE_FRAMES * 4096)) machine.storeEntry(Number(step.address), machine.entry());
  }

  /** Loads everything anew: PDPTEs with CR3, the rest by INVPCID type 2. */
  function flush(mmu: Mmu): void {
    mmu.writeCr3(0, 0);
    mmu.invpcid(2, 0, 0, 0);
  }

  it('INVLPG shows what changed on the path of its address', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const machine = new RandomMachine(ram, mode, seed);
        const { mmu, state } = machine.boot({ tlb: MODEL_DEFAULT });
        for (let i = 0; i < ACCESSES; i++) {
          const linear = machine.linear();
          const first = machine.access();
          const { hi, lo } = fromBigInt(linear);
          const path = ask(state, linear, first.reference)?.path ?? [];
          mmu.translate(hi, lo, first.bits);
          if (path.length > 0) change(machine, path);
          mmu.invlpg(hi, lo);
          const { bits, reference } = machine.access();
          const expected = expectedText(ask(state, linear, reference), linear);
          expectSame(gotText(mmu, linear, bits), expected, `seed ${seed} access ${i}`);
          mmu.invpcid(2, 0, 0, 0);
        }
      }),
      { numRuns: runs(40) },
    );
  });

  it('after any change and a full flush, TLBs on or off give the same answers', () => {
    fc.assert(
      fc.property(seeds, fc.constantFrom(TINY_TLB, MODEL_DEFAULT), (seed, tlb) => {
        const machine = new RandomMachine(ram, mode, seed);
        const { mmu, state } = machine.boot({ tlb });
        for (let i = 0; i < 10; i++) {
          compare(seed, mmu, { ...state, pdptes: machine.pdptes() }, machine);
          const frame = 1 + machine.random.below(TABLE_FRAMES - 1);
          for (const index of machine.indices()) machine.fill(frame, index);
          flush(mmu);
        }
      }),
      { numRuns: runs(8) },
    );
  });
});
