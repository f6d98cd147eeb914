/** Replays recordings of x86 processors: `pagewalk conform x86`. */

import { z } from 'zod';
import type { RecordedLine } from '../recording/json-lines.js';
import { readJsonLines } from '../recording/json-lines.js';
import { checkAll } from '../recording/result.js';
import type { ConformanceResult } from '../recording/result.js';
import { NestedMachine } from './nested-machine.js';
import { nestedCase } from './nested-case.js';
import { checkNested } from './nested.js';
import { x86Case } from './x86-case.js';
import { checkCase } from './x86-compare.js';
import { X86Replayer } from './x86-replay.js';
import { mismatchText } from './x86-words.js';

/** Any line of a recording: one processor, or a guest under nested paging. */
const x86Line = z.discriminatedUnion('fam', [x86Case, nestedCase]);
type X86Line = z.infer<typeof x86Line>;

/**
 * Replays every case of the files, with TLBs on.
 * @throws RecordingError for a line at odds with the schema, before any case of its file is replayed
 */
export function conformX86(files: readonly string[]): ConformanceResult {
  const replayer = new X86Replayer();
  const nested = new NestedMachine();
  return checkAll(linesOf(files), ({ value, ...where }) => {
    if (value.fam === 'npt' || value.fam === 'ept') return checkNested(nested, { value, ...where });
    const mismatch = checkCase(replayer, value);
    return mismatch && (() => mismatchText({ value, ...where }, mismatch));
  });
}

function* linesOf(files: readonly string[]): Generator<RecordedLine<X86Line>> {
  for (const file of files) yield* readJsonLines(file, x86Line);
}
