/** Replays recordings of one access a case, of any architecture but x86: set up a state, access twice, look. */

import type { z } from 'zod';
import type { Word64 } from '../../../hw/base/address.js';
import { sameWords, wordText } from './words.js';
import type { RecordedLine } from './json-lines.js';
import { readJsonLines } from './json-lines.js';
import { checkAll } from './result.js';
import type { ConformanceResult } from './result.js';

const LABEL_WIDTH = 16;

/** The common part of a recorded case. */
export interface HardwareCase<Outcome> {
  readonly fam: string;
  readonly id: number | string;
  readonly out: Outcome;
  /** Descriptors or entries afterwards, and the bits of them not to compare. */
  readonly after: readonly Word64[];
  readonly amask: Word64;
}

/** The machine's result: the outcomes, and the entries in memory afterwards, in the order of the recording. */
export interface ReplayedAccess<Outcome> {
  readonly out: Outcome;
  /** Of the same access made again: TLBs may answer it. */
  readonly again: Outcome;
  /** Stale entries found by the checking mode. */
  readonly stale: number;
  readonly after: readonly Word64[];
}

/** What an architecture knows of its recordings. */
export interface HardwareRecordings<Case extends HardwareCase<Outcome>, Outcome> {
  readonly schema: z.ZodType<Case>;
  readonly sameOutcome: (expected: Outcome, got: Outcome) => boolean;
  /** The case decoded, and an outcome, in words. */
  readonly caseText: (recorded: Case) => string;
  readonly outcomeText: (outcome: Outcome) => string;
}

/**
 * Replays every case of the files, with TLBs and the checking mode on. Each access is made twice: the second time
 * TLBs may answer.
 * @throws RecordingError for a line at odds with the schema, before any case of its file is replayed
 */
export function conformHardware<Case extends HardwareCase<Outcome>, Outcome>(
  files: readonly string[],
  kind: HardwareRecordings<Case, Outcome>,
  replay: (recorded: Case) => ReplayedAccess<Outcome>,
): ConformanceResult {
  return checkAll(linesOf(files, kind.schema), (line) => {
    const got = replay(line.value);
    return passes(kind, line.value, got) ? undefined : () => mismatchText(kind, line, got);
  });
}

function* linesOf<Case>(files: readonly string[], schema: z.ZodType<Case>): Generator<RecordedLine<Case>> {
  for (const file of files) yield* readJsonLines(file, schema);
}

/** Whether the machine did as recorded, both times, and no stale entry was used. */
export function passes<Case extends HardwareCase<Outcome>, Outcome>(
  { sameOutcome }: HardwareRecordings<Case, Outcome>,
  { out, after, amask }: Case,
  got: ReplayedAccess<Outcome>,
): boolean {
  const outcomes = sameOutcome(out, got.out) && sameOutcome(out, got.again);
  return outcomes && got.stale === 0 && sameWords(after, got.after, amask);
}

/** A mismatch, both sides under each other, and the case decoded. */
function mismatchText<Case extends HardwareCase<Outcome>, Outcome>(
  { caseText, outcomeText }: HardwareRecordings<Case, Outcome>,
  { file, line, value }: RecordedLine<Case>,
  got: ReplayedAccess<Outcome>,
): string {
  const side = (label: string, outcome: Outcome, after: readonly Word64[]): readonly string[] => {
    const entries =
      after.length > 0 ? [`${' '.repeat(LABEL_WIDTH)}memory after: ${after.map(wordText).join(' ')}`] : [];
    return [`  ${label}`.padEnd(LABEL_WIDTH) + outcomeText(outcome), ...entries];
  };
  const stale = got.stale === 0 ? [] : [`  the checking mode found ${got.stale} stale entries`];
  return [
    `${value.fam} case ${value.id} (${file} line ${line})`,
    caseText(value),
    ...side('expected', value.out, value.after),
    ...side('got', got.out, got.after),
    ...side('got again', got.again, []),
    ...stale,
  ].join('\n');
}
