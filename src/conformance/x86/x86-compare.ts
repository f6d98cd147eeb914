/** Compares the machine's result with the recorded one. */

import type { Word64 } from '../../../hw/base/address.js';
import { sameWord, sameWords } from '../recording/words.js';
import type { AccessOutcome, PagingCase, SegmentCase, TlbCase, TwoReadsOutcome, X86Case } from './x86-case.js';
import type { Replayed, X86Replayer } from './x86-replay.js';

/** The machine's result in its differences from the recording. */
export interface Mismatch {
  /** The recorded result; for a case with several right answers, all of them. */
  readonly expected: readonly Replayed<AccessOutcome | TwoReadsOutcome>[];
  readonly got: Replayed<AccessOutcome | TwoReadsOutcome>;
}

const NO_MASK: Word64 = { hi: 0, lo: 0 };

/** Replays a case. @returns undefined when the machine did as recorded. */
export function checkCase(replayer: X86Replayer, recorded: X86Case): Mismatch | undefined {
  if (recorded.fam === 'tlb') return checkTlb(replayer, recorded);
  const got = recorded.fam === 'paging' ? replayer.paging(recorded) : replayer.segment(recorded);
  return sameOutcome(recorded.out, got.out) && sameStructures(recorded, got.after)
    ? undefined
    : { expected: [recorded], got };
}

function checkTlb(replayer: X86Replayer, recorded: TlbCase): Mismatch | undefined {
  const got = replayer.tlb(recorded);
  const expected = recordedAnswers(recorded);
  if (fits(got, expected, recorded)) return undefined;
  if (!recorded.must) expected.push(...permittedAnswers(replayer, recorded, expected));
  return fits(got, expected, recorded) ? undefined : { expected, got };
}

function fits(
  got: Replayed<TwoReadsOutcome>,
  expected: readonly Replayed<TwoReadsOutcome>[],
  { amask }: TlbCase,
): boolean {
  return expected.some(({ out, after }) => sameOutcome(out, got.out) && sameWords(after, got.after, amask));
}

function changedEntries(recorded: TlbCase): readonly Word64[] {
  return recorded.mem.map(([, value], index) => (index === recorded.chg ? recorded.new : value));
}

function recordedAnswers(recorded: TlbCase): Replayed<TwoReadsOutcome>[] {
  const { out, after, seen } = recorded;
  const all = out ? [{ out, after }, ...Object.values(seen)] : Object.values(seen);
  return all.map((answer) => ({ out: answer.out, after: answer.after ?? changedEntries(recorded) }));
}

/**
 * If nothing had to be invalidated the second read may see the new mapping, as on a processor without caches, or the
 * old one: the address of the first read, absent from a recorded fault.
 */
function permittedAnswers(
  replayer: X86Replayer,
  recorded: TlbCase,
  answers: readonly Replayed<TwoReadsOutcome>[],
): Replayed<TwoReadsOutcome>[] {
  const renewed = replayer.tlb(recorded, true);
  const first = answers.map(({ out }) => out).find((out) => out.k === 'ok')?.pa1 ?? replayer.firstRead(recorded);
  if (!first) return [renewed];
  return [renewed, { out: { k: 'ok', pa1: first, pa2: first }, after: changedEntries(recorded) }];
}

function sameStructures(recorded: PagingCase | SegmentCase, got: readonly Word64[]): boolean {
  const { after, amask } = recorded;
  const descriptors = recorded.fam !== 'paging' && recorded.desc !== null ? 1 : 0;
  // The mask is for paging structures; a descriptor is compared whole.
  return (
    sameWords(after.slice(0, descriptors), got.slice(0, descriptors), NO_MASK) &&
    sameWords(after.slice(descriptors), got.slice(descriptors), amask)
  );
}

function sameOutcome(expected: AccessOutcome | TwoReadsOutcome, got: AccessOutcome | TwoReadsOutcome): boolean {
  if (expected.k === 'fault') {
    return (
      got.k === 'fault' &&
      expected.vec === got.vec &&
      expected.at === got.at &&
      sameWord(expected.err, got.err) &&
      sameWord(expected.cr2, got.cr2)
    );
  }
  if (got.k === 'fault') return false;
  if ('pa' in expected) return 'pa' in got && sameWords(expected.pa, got.pa, NO_MASK);
  return 'pa1' in got && sameWord(expected.pa1, got.pa1) && sameWord(expected.pa2, got.pa2);
}
