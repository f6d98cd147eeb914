/** Compares off the page's own thread, to keep the page alive; ended from outside when nobody waits any more. */

import '../no-eval.js';
import { OutOfModelMemory } from '../../src/compare/machine/machine.js';
import type { CompareTask, WorkerMessage } from './messages.js';
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
  import('virtual:finished-comparison')
    .then(({ default: known }) => runComparison(data, openRecording, tell, known))
    .then(
      (comparison) => {
        tell({ kind: 'done', comparison });
      },
      (error: unknown) => {
        tell({ kind: 'failed', sentence: explain(error) });
      },
    );
});
