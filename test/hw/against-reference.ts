/** Tests for every architecture: random machines answer as a reference walker does, and leave the same tables behind. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fromBigInt } from '../../hw/base/address.js';
import type { Ram } from '../../hw/memory/ram.js';
import type { TlbGeometry } from '../../hw/tlb/hierarchy.js';
import { MODEL_DEFAULT, NO_TLB } from '../../hw/tlb/presets.js';
import type { TranslatingMachine } from '../../hw/translate/machine.js';
import type { TranslationPath } from '../../hw/translate/path/caches.js';
import { runs } from '../runs.js';

export const ACCESSES = 40;

/** What the reference says of one access. */
interface Answer {
  /** `frame N`, or the fault with its details. */
  readonly text: string;
  /** Changes a copy of the tables as the access changes them. */
  readonly store: (tables: Int32Array) => void;
}

/** A machine with random registers over random tables, and its reference. */
export interface Trial<A extends { readonly bits: number }> {
  readonly machine: TranslatingMachine;
  readonly random: { linear(): bigint; access(): A };
  /** Bits of its addresses. */
  readonly width: number;
  readonly ask: (address: bigint, access: A) => Answer;
  /** The fault of an access with this status, as {@link Answer.text}. */
  readonly faultText: (status: number) => string;
  /** The text of a fault before all translation: on the second page it comes before any other on the first. */
  readonly first?: string;
}

/** The way to make trials of one kind. */
export interface TrialOptions {
  readonly tlb: TlbGeometry;
  readonly path?: TranslationPath;
  /** Entries of any bits at all, instead of mostly sound ones. */
  readonly chaos?: boolean;
}

/** Fails with the seed in the message, from which the case can be made again. */
export function expectSame(got: string, expected: string, label: string): void {
  // Asking vitest only about differences: it costs more than the translation.
  if (got !== expected) expect(`${label}: ${got}`).toBe(`${label}: ${expected}`);
}

/** What the machine did, in the form of {@link Answer.text}. */
export function translated<A extends { readonly bits: number }>(trial: Trial<A>, va: bigint, bits: number): string {
  const { hi, lo } = fromBigInt(va);
  const status = trial.machine.translate(hi, lo, bits);
  return status >= 0 ? `frame ${status}` : trial.faultText(status);
}

/** Makes random accesses and compares each answer, and the first `words` of RAM after all of them, with the reference. */
export function compareAccesses<A extends { readonly bits: number }>(
  trial: Trial<A>,
  ram: Ram,
  words: number,
  seed: number,
): void {
  const tables = ram.words.slice(0, words);
  for (let i = 0; i < ACCESSES; i++) {
    const va = trial.random.linear();
    const access = trial.random.access();
    const { text, store } = trial.ask(va, access);
    const label = `seed ${seed} access ${i} (${access.bits}) to ${va.toString(16)}`;
    expectSame(translated(trial, va, access.bits), text, label);
    store(tables);
  }
  const differs = tables.findIndex((word, index) => word !== ram.words[index]);
  expect(differs, `seed ${seed}: word of the tables that differs`).toBe(-1);
}

/** Translates accesses over the ends of pages. */
function compareCrossing<A extends { readonly bits: number }>(trial: Trial<A>, seed: number): void {
  const { machine, first: before } = trial;
  for (let i = 0; i < ACCESSES; i++) {
    const va = trial.random.linear() | 0xffdn;
    const next = BigInt.asUintN(trial.width, (va | 0xfffn) + 1n);
    const access = trial.random.access();
    const first = trial.ask(va, access).text;
    const { hi, lo } = fromBigInt(va);
    const status = machine.locate(hi, lo, 8, access.bits);
    const texts = [first, trial.ask(next, access).text];
    const failed = texts.find((text) => text === before) ?? texts.find((text) => !text.startsWith('frame'));
    const got = status < 0 ? trial.faultText(status) : `frame ${machine.firstFrame},frame ${machine.secondFrame}`;
    expectSame(got, failed ?? texts.join(), `seed ${seed} access ${i} (${access.bits}) to ${va.toString(16)}`);
  }
}

/**
 * The tests themselves.
 * @param words of RAM from address 0 on, with the tables in them
 * @param sample runs of the test with TLBs, against half as many of the others
 */
export function agreesWithReference<A extends { readonly bits: number }>(
  ram: Ram,
  words: number,
  make: (seed: number, options: TrialOptions) => Trial<A>,
  { sample, tinyTlb, chaosTlb = MODEL_DEFAULT }: { sample: number; tinyTlb: TlbGeometry; chaosTlb?: TlbGeometry },
): void {
  const often = (numRuns: number, test: (seed: number) => void): void => {
    fc.assert(fc.property(fc.integer(), test), { numRuns });
  };

  it.each([
    ['without a TLB', NO_TLB],
    ['with a tiny TLB', tinyTlb],
    ['with the default TLBs and walk caches', MODEL_DEFAULT],
  ])('agrees with the reference walker %s', (_, tlb) => {
    often(runs(sample), (seed) => {
      const trial = make(seed, { tlb });
      compareAccesses(trial, ram, words, seed);
      expect(trial.machine.counters.check()).toEqual([]);
    });
  });

  it.each<TranslationPath>(['soft', 'walk'])('agrees with it on path %s, too', (path) => {
    often(runs(Math.ceil(sample / 2)), (seed) => {
      compareAccesses(make(seed, { tlb: NO_TLB, path }), ram, words, seed);
    });
  });

  it('on tables of random bits faults or translates, and never hangs or throws', () => {
    often(runs(Math.ceil(sample / 2)), (seed) => {
      compareAccesses(make(seed, { tlb: chaosTlb, chaos: true }), ram, words, seed);
    });
  });

  it('translates both pages of an access that crosses, the first one first', () => {
    often(runs(Math.ceil(sample / 2)), (seed) => {
      compareCrossing(make(seed, { tlb: tinyTlb }), seed);
    });
  });
}
