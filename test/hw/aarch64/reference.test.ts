import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AArch64CpuName } from '../../../hw/aarch64/features.js';
import type { Pe } from '../../../hw/aarch64/pe.js';
import { fromBigInt } from '../../../hw/base/address.js';
import { Ram } from '../../../hw/memory/ram.js';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { MODEL_DEFAULT, NO_TLB } from '../../../hw/tlb/presets.js';
import type { TranslationPath } from '../../../hw/translate/path/caches.js';
import { runs } from '../../runs.js';
import { RandomPe, TABLE_BYTES } from './random-tables.js';
import type { GranuleBits } from './random-tables.js';
import { referenceTranslate } from './reference-walker.js';
import type { Kind, Reference, ReferenceState } from './reference-walker.js';

const ram = new Ram({ bytes: 1 << 26 });
const TINY_TLB = parseTlb('4x2+8x2');
const seeds = fc.integer();
const ACCESSES = 40;
const GRANULES: readonly GranuleBits[] = [12, 14, 16];
const KIB = { 12: '4 KiB', 14: '16 KiB', 16: '64 KiB' };

interface Case {
  readonly name: string;
  readonly cpu: AArch64CpuName;
  readonly granule: GranuleBits | undefined;
  readonly second?: GranuleBits;
}

const CASES: readonly Case[] = [
  { name: 'max, stage 1 off', cpu: 'max', granule: undefined },
  ...(['max', 'neoverse-n1', 'cortex-a72'] as const).flatMap((cpu) =>
    GRANULES.map((granule) => ({ name: `${cpu}, ${KIB[granule]}`, cpu, granule })),
  ),
  ...GRANULES.flatMap((second) =>
    [undefined, ...GRANULES].map((granule) => ({
      name: `max, ${granule === undefined ? 'stage 1 off' : KIB[granule]} over ${KIB[second]}`,
      cpu: 'max' as const,
      granule,
      second,
    })),
  ),
  { name: 'cortex-a72, 4 KiB over 4 KiB', cpu: 'cortex-a72', granule: 12, second: 12 },
  { name: 'neoverse-n1, 16 KiB over 4 KiB', cpu: 'neoverse-n1', granule: 14, second: 12 },
];

function read(address: bigint): bigint | undefined {
  const { hi, lo } = fromBigInt(address);
  return ram.has(hi, lo, 8) ? ram.read64(address) : undefined;
}

function ask(state: ReferenceState, va: bigint, kind: Kind, user: boolean): Reference {
  return referenceTranslate(state, read, va, kind, user);
}

function abortText(pe: Pe): string {
  const { el, esr, far, hpfar } = pe.abort();
  const onWalk = (esr & 0x80) !== 0 ? ' on a walk' : '';
  return `stage ${el} fault ${esr & 0x3f}${onWalk} at ${far.toString(16)}, ipa ${(hpfar << 8n).toString(16)}`;
}

/** What the PE did, in the form of {@link expectedText}. */
function gotText(pe: Pe, va: bigint, bits: number): string {
  const { hi, lo } = fromBigInt(va);
  const frame = pe.translate(hi, lo, bits);
  return frame >= 0 ? `frame ${frame}` : abortText(pe);
}

/** FAR of a fetch has no tag: the branch to it takes that off. */
function farOf({ tcr, features }: ReferenceState, va: bigint, kind: Kind): bigint {
  const upper = (va >> 55n) & 1n;
  const has = (n: bigint): boolean => ((tcr >> (n + upper)) & 1n) === 1n;
  return kind === 'fetch' && has(37n) && !(features.PAuth && has(51n)) ? BigInt.asUintN(64, BigInt.asIntN(56, va)) : va;
}

function expectedText({ result }: Reference, far: bigint): string {
  if (result.kind === 'ok') return `frame ${result.physical >> 12n}`;
  const { stage, fsc, onWalk, ipa } = result;
  const at = stage === 2 ? (ipa >> 12n) << 12n : 0n;
  return `stage ${stage} fault ${fsc}${onWalk ? ' on a walk' : ''} at ${far.toString(16)}, ipa ${at.toString(16)}`;
}

/** Fails with the seed in the message, from which the case can be made again. */
function expectSame(got: string, expected: string, label: string): void {
  // Asking vitest only about differences: it costs more than the translation.
  if (got !== expected) expect(`${label}: ${got}`).toBe(`${label}: ${expected}`);
}

/** Makes random accesses and compares each answer, and the tables after all of them, with the reference. */
function compare(seed: number, pe: Pe, state: ReferenceState, machine: RandomPe): void {
  const tables = ram.words.slice(0, TABLE_BYTES / 4);
  for (let i = 0; i < ACCESSES; i++) {
    const va = machine.linear();
    const { bits, kind, user } = machine.access();
    const expected = ask(state, va, kind, user);
    const label = `seed ${seed} access ${i} (${bits}) to ${va.toString(16)}`;
    expectSame(gotText(pe, va, bits), expectedText(expected, farOf(state, va, kind)), label);
    for (const { address, value } of expected.stores) {
      const { hi, lo } = fromBigInt(value);
      const index = Number(address / 4n);
      if (index < tables.length) [tables[index], tables[index + 1]] = [lo, hi];
    }
  }
  const differs = tables.findIndex((word, index) => word !== ram.words[index]);
  expect(differs, `seed ${seed}: word of the tables that differs`).toBe(-1);
}

describe.each(CASES)('translation on $name', ({ cpu, granule, second }) => {
  const options = { cpu, granule, ...(second === undefined ? {} : { second }) };
  it.each([
    ['without a TLB', NO_TLB],
    ['with a tiny TLB', TINY_TLB],
    ['with the default TLBs and walk caches', MODEL_DEFAULT],
  ])('agrees with the reference walker %s', (_, tlb) => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const machine = new RandomPe(ram, options, seed);
        const { pe, state } = machine.boot(tlb);
        compare(seed, pe, state, machine);
        expect(pe.counters.check()).toEqual([]);
      }),
      { numRuns: runs(5) },
    );
  });

  it.each<TranslationPath>(['soft', 'walk'])('agrees with it on path %s, too', (path) => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const machine = new RandomPe(ram, options, seed);
        const { pe, state } = machine.boot(NO_TLB, path);
        compare(seed, pe, state, machine);
      }),
      { numRuns: runs(3) },
    );
  });

  it('on tables of random bits faults or translates, and never hangs or throws', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const machine = new RandomPe(ram, { ...options, chaos: true }, seed);
        const { pe, state } = machine.boot(NO_TLB);
        compare(seed, pe, state, machine);
      }),
      { numRuns: runs(3) },
    );
  });

  it('translates both pages of an access that crosses, the first one first', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const machine = new RandomPe(ram, options, seed);
        const { pe, state } = machine.boot(TINY_TLB);
        for (let i = 0; i < ACCESSES; i++) {
          const va = machine.linear() | 0xffdn;
          const next = BigInt.asUintN(64, (va | 0xfffn) + 1n);
          const { bits, kind, user } = machine.access();
          const first = ask(state, va, kind, user);
          const { hi, lo } = fromBigInt(va);
          const status = pe.locate(hi, lo, 8, bits);
          const second = ask(state, next, kind, user);
          const got = status < 0 ? abortText(pe) : `frame ${pe.firstFrame},frame ${pe.secondFrame}`;
          const texts = [expectedText(first, farOf(state, va, kind)), expectedText(second, farOf(state, next, kind))];
          const expected = texts.find((text) => !text.startsWith('frame')) ?? texts.join();
          expectSame(got, expected, `seed ${seed} access ${i} (${bits}) to ${va.toString(16)}`);
        }
      }),
      { numRuns: runs(3) },
    );
  });
});
