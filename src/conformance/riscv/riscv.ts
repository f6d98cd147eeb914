/** Replays recordings of RISC-V processors: `pagewalk conform riscv`. */

import { sameWord, sameWords } from '../recording/hex.js';
import type { RecordedLine } from '../recording/json-lines.js';
import { readJsonLines } from '../recording/json-lines.js';
import { checkAll } from '../recording/result.js';
import type { ConformanceResult } from '../recording/result.js';
import { riscvCase } from './riscv-case.js';
import type { RiscvCase, RiscvOutcome } from './riscv-case.js';
import { RiscvMachine } from './riscv-machine.js';
import type { RiscvReplayed } from './riscv-machine.js';
import { riscvMismatchText } from './riscv-words.js';

/**
 * Replays every case of the files, with TLBs and the checking mode on. Each access is made twice: the second time
 * TLBs may answer.
 * @throws RecordingError for a line at odds with the schema, before any case of its file is replayed
 */
export function conformRiscv(files: readonly string[]): ConformanceResult {
  const machine = new RiscvMachine();
  return checkAll(linesOf(files), (line) => {
    const got = machine.replay(line.value);
    return passes(line.value, got) ? undefined : () => riscvMismatchText(line, got);
  });
}

function* linesOf(files: readonly string[]): Generator<RecordedLine<RiscvCase>> {
  for (const file of files) yield* readJsonLines(file, riscvCase);
}

/** Whether the machine did as recorded, both times, and no stale entry was used. */
export function passes({ out, after, amask }: RiscvCase, got: RiscvReplayed): boolean {
  const outcomes = sameOutcome(out, got.out) && sameOutcome(out, got.again);
  return outcomes && got.stale === 0 && sameWords(after, got.after, amask);
}

function sameOutcome(expected: RiscvOutcome, got: RiscvOutcome): boolean {
  if (expected.k === 'ok') return got.k === 'ok' && sameWords(expected.pa, got.pa, { hi: 0, lo: 0 });
  return (
    got.k === 'fault' &&
    expected.cause === got.cause &&
    sameWord(expected.tval, got.tval) &&
    sameWord(expected.tval2, got.tval2) &&
    sameWord(expected.tinst, got.tinst)
  );
}
