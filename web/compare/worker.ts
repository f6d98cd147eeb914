/** Compares off the page's own thread, to keep the page alive; ended from outside when nobody waits any more. */

import '../no-eval.js';
import { parsePageSize, SHIFT_1G } from '../../hw/base/address.js';
import { parseTlb } from '../../hw/tlb/parse.js';
import { compare, type TraceSource } from '../../src/compare/compare.js';
import type { Lookups } from '../../src/compare/lookups/lookups.js';
import { OutOfModelMemory, type ReplayMachine } from '../../src/compare/machine/machine.js';
import { entriesFor } from '../../hw/tlb/words.js';
import type { CompareResult } from '../../src/report/results/compare-result.js';
import { openWorkload } from '../../src/trace/workload.js';
import { forkPoints } from './fork-points.js';
import type { Comparison, CompareTask, ForkPoint, MissPoint, Reach, WorkerMessage } from './messages.js';
import { runComparison } from './comparison.js';
import { openRecording } from './recordings.js';

function tell(message: WorkerMessage): void {
  postMessage(message);
}

function explain(error: unknown): string {
  if (error instanceof OutOfModelMemory) return 'The program needs more memory than this browser grants to the model.';
  return error instanceof Error ? error.message : String(error);
}

addEventListener('message', ({ data }: MessageEvent<CompareTask>) => {
  runComparison(data, openRecording, tell).then(
    (comparison) => {
      tell({ kind: 'done', comparison });
    },
    (error: unknown) => {
      tell({ kind: 'failed', sentence: explain(error) });
    },
  );
});
