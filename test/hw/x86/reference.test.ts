import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBigInt, toBigInt } from '../../../hw/base/address.js';
import { BUS_ERROR, PAGE_FAULT } from '../../../hw/base/fault.js';
import { GENERAL_PROTECTION } from '../../../hw/x86/exception.js';
import type { Mmu } from '../../../hw/x86/mmu.js';
import { Ram } from '../../../hw/memory/ram.js';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { MODEL_DEFAULT } from '../../../hw/tlb/presets.js';
import { ACCESSES, agreesWithReference, compareAccesses, expectSame, translated } from '../against-reference.js';
import type { Trial, TrialOptions } from '../against-reference.js';
import { MODES, RandomMachine, TABLE_FRAMES } from './random-tables.js';
import type { Mode } from './random-tables.js';
import { referenceWalk } from './reference-walker.js';
import type { Reference, ReferenceAccess, ReferenceState } from './reference-walker.js';
import { runs } from '../../runs.js';

const ram = new Ram({ bytes: 1 << 26 });
const TINY_TLB = parseTlb('4x2+8x2');
const seeds = fc.integer();
const TABLE_WORDS = TABLE_FRAMES * 1024;

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

type MmuAccess = ReturnType<RandomMachine['access']>;

/** A random MMU, and the reference under the same registers. */
function trialOf(random: RandomMachine, mmu: Mmu, state: ReferenceState): Trial<MmuAccess> {
  const { mode } = random;
  return {
    machine: mmu,
    random,
    width: mode === '4l' || mode === '5l' ? 64 : 32,
    ask: (linear, { reference }) => {
      const expected = ask(state, linear, reference);
      return {
        text: expectedText(expected, linear),
        store: (tables) => {
          if (expected?.result.kind === 'ok') applyPath(tables, expected, mode !== '32');
        },
      };
    },
    faultText: (status) => faultText(mmu, status),
    first: 'gp',
  };
}

function trial(mode: Mode, seed: number, { tlb, path = 'modelled', chaos = false }: TrialOptions): Trial<MmuAccess> {
  const random = new RandomMachine(ram, mode, seed, chaos);
  const { mmu, state } = random.boot(path === 'modelled' ? { tlb } : { path });
  return trialOf(random, mmu, state);
}

describe.each(MODES)('translation in mode %s', (mode) => {
  agreesWithReference(ram, TABLE_WORDS, (seed, options) => trial(mode, seed, options), {
    sample: 50,
    tinyTlb: TINY_TLB,
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
          expectSame(translated(trialOf(machine, mmu, state), linear, bits), expected, `seed ${seed} access ${i}`);
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
          compareAccesses(trialOf(machine, mmu, { ...state, pdptes: machine.pdptes() }), ram, TABLE_WORDS, seed);
          const frame = 1 + machine.random.below(TABLE_FRAMES - 1);
          for (const index of machine.indices()) machine.fill(frame, index);
          flush(mmu);
        }
      }),
      { numRuns: runs(8) },
    );
  });
});
