/** Replays recordings of x86 processors: `pagewalk conform x86`. */

import type { RecordedLine } from '../recording/json-lines.js';
import { readJsonLines } from '../recording/json-lines.js';
import { checkAll } from '../recording/result.js';
import type { ConformanceResult } from '../recording/result.js';
import type { X86Case } from './x86-case.js';
import { x86Case } from './x86-case.js';
import { checkCase } from './x86-compare.js';
import { X86Replayer } from './x86-replay.js';
import { mismatchText } from './x86-words.js';

/**
 * Replays every case of the files, with TLBs on.
 * @throws RecordingError for a line at odds with the schema, before any case of its file is replayed
 */
export function conformX86(files: readonly string[]): ConformanceResult {
  const replayer = new X86Replayer();
  return checkAll(linesOf(files), (line) => {
    const mismatch = checkCase(replayer, line.value);
    return mismatch && (() => mismatchText(line, mismatch));
  });
}

function* linesOf(files: readonly string[]): Generator<RecordedLine<X86Case>> {
  for (const file of files) yield* readJsonLines(file, x86Case);
}
