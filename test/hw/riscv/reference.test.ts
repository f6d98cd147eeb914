import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBigInt, toBigInt } from '../../../hw/base/address.js';
import { Ram } from '../../../hw/memory/ram.js';
import type { Hart } from '../../../hw/riscv/hart.js';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { MODEL_DEFAULT, NO_TLB } from '../../../hw/tlb/presets.js';
import type { TranslationPath } from '../../../hw/translate/path/caches.js';
import { runs } from '../../runs.js';
import { RandomHart, TABLE_FRAMES } from './random-tables.js';
import type { Mode } from './random-tables.js';
import { referenceTranslate } from './reference-walker.js';
import type { Kind, Reference, ReferenceState } from './reference-walker.js';

const ram = new Ram({ bytes: 1 << 26 });
/** Entries of random ranges of 64 KiB differ, and one TLB entry for all of them may be any of these: so it has none. */
const TINY_TLB = parseTlb('4x2@4K2M4M1G+8x2@4K2M4M1G');
const seeds = fc.integer();
const ACCESSES = 40;
const MODES: readonly Mode[] = ['bare', 'sv32', 'sv39', 'sv48', 'sv57'];
const GUESTS: readonly (readonly [Mode, Mode])[] = [
  ['sv32', 'sv32'],
  ['bare', 'sv32'],
  ['sv32', 'bare'],
  ...(['bare', 'sv39', 'sv48', 'sv57'] as const).flatMap((mode) =>
    (['bare', 'sv39', 'sv48', 'sv57'] as const).map((guest) => [mode, guest] as const),
  ),
];

function read(address: bigint, bytes: number): bigint | undefined {
  const { hi, lo } = fromBigInt(address);
  if (!ram.has(hi, lo, bytes)) return undefined;
  return bytes === 8 ? ram.read64(address) : toBigInt(0, ram.load32(hi, lo));
}

function ask(state: Omit<ReferenceState, 'user'>, va: bigint, kind: Kind, user: boolean): Reference {
  return referenceTranslate({ ...state, user }, read, va, kind);
}

function trapText(hart: Hart): string {
  const { cause, tval, tval2, tinst } = hart.trap();
  return `fault ${cause} at ${tval.toString(16)}, ${tval2.toString(16)}, ${tinst.toString(16)}`;
}

/** What the hart did, in the form of {@link expectedText}. */
function gotText(hart: Hart, va: bigint, bits: number): string {
  const { hi, lo } = fromBigInt(va);
  const frame = hart.translate(hi, lo, bits);
  return frame >= 0 ? `frame ${frame}` : trapText(hart);
}

function expectedText({ result }: Reference, va: bigint): string {
  if (result.kind === 'ok') return `frame ${result.physical >> 12n}`;
  const { cause, tval2, tinst } = result;
  return `fault ${cause} at ${va.toString(16)}, ${tval2.toString(16)}, ${tinst.toString(16)}`;
}

/** Fails with the seed in the message, from which the case can be made again. */
function expectSame(got: string, expected: string, label: string): void {
  // Asking vitest only about differences: it costs more than the translation.
  if (got !== expected) expect(`${label}: ${got}`).toBe(`${label}: ${expected}`);
}

/** Makes random accesses and compares each answer, and the tables after all of them, with the reference. */
function compare(seed: number, hart: Hart, state: Omit<ReferenceState, 'user'>, machine: RandomHart): void {
  const tables = ram.words.slice(0, TABLE_FRAMES * 1024);
  for (let i = 0; i < ACCESSES; i++) {
    const va = machine.linear();
    const { bits, kind, user } = machine.access();
    const expected = ask(state, va, kind, user);
    expectSame(
      gotText(hart, va, bits),
      expectedText(expected, va),
      `seed ${seed} access ${i} (${bits}) to ${va.toString(16)}`,
    );
    for (const { address, value } of expected.stores) {
      const { hi, lo } = fromBigInt(value);
      const index = Number(address / 4n);
      if (index >= tables.length) continue;
      tables[index] = lo;
      if (machine.entryBytes === 8) tables[index + 1] = hi;
    }
  }
  const differs = tables.findIndex((word, index) => word !== ram.words[index]);
  expect(differs, `seed ${seed}: word of the tables that differs`).toBe(-1);
}

describe.each([
  ...MODES.map((mode) => ({ mode, guest: undefined, name: mode })),
  ...GUESTS.map(([mode, guest]) => ({ mode, guest, name: `${mode} over ${guest}${guest === 'bare' ? '' : 'x4'}` })),
])('translation in mode $name', ({ mode, guest }) => {
  const options = { mode, ...(guest === undefined ? {} : { guest }) };
  it.each([
    ['without a TLB', NO_TLB],
    ['with a tiny TLB', TINY_TLB],
    ['with the default TLBs and walk caches', MODEL_DEFAULT],
  ])('agrees with the reference walker %s', (_, tlb) => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const machine = new RandomHart(ram, options, seed);
        const { hart, state } = machine.boot(tlb);
        compare(seed, hart, state, machine);
        expect(hart.counters.check()).toEqual([]);
      }),
      { numRuns: runs(20) },
    );
  });

  it.each<TranslationPath>(['soft', 'walk'])('agrees with it on path %s, too', (path) => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const machine = new RandomHart(ram, options, seed);
        const { hart, state } = machine.boot(NO_TLB, path);
        compare(seed, hart, state, machine);
      }),
      { numRuns: runs(10) },
    );
  });

  it('on tables of random bits faults or translates, and never hangs or throws', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const machine = new RandomHart(ram, { ...options, chaos: true }, seed);
        const { hart, state } = machine.boot(MODEL_DEFAULT);
        compare(seed, hart, state, machine);
      }),
      { numRuns: runs(10) },
    );
  });

  it('translates both pages of an access that crosses, the first one first', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const machine = new RandomHart(ram, options, seed);
        const { hart, state } = machine.boot(TINY_TLB);
        for (let i = 0; i < ACCESSES; i++) {
          const va = machine.linear() | 0xffdn;
          const next = BigInt.asUintN(machine.xlen, (va | 0xfffn) + 1n);
          const { bits, kind, user } = machine.access();
          const first = ask(state, va, kind, user);
          const label = `seed ${seed} access ${i} (${bits}) to ${va.toString(16)}`;
          const { hi, lo } = fromBigInt(va);
          const status = hart.locate(hi, lo, 8, bits);
          const second = ask(state, next, kind, user);
          const got = status < 0 ? trapText(hart) : `frame ${hart.firstFrame},frame ${hart.secondFrame}`;
          const texts = [expectedText(first, va), expectedText(second, next)];
          expectSame(got, texts.find((text) => !text.startsWith('frame')) ?? texts.join(), label);
        }
      }),
      { numRuns: runs(10) },
    );
  });
});
