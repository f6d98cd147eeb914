/** A thread of a comparison: replays what it is told, one task after the other. */

import { parentPort } from 'node:worker_threads';
import { openNamed } from '../../trace/node/named.js';
import { openRelayed } from '../../trace/node/relay/relay.js';
import { packError } from '../../trace/node/relay/thread-error.js';
import { replaySource, type Compared, type ReplayedPages } from '../compare.js';
import { spreadTrace } from './spread.js';
import type { Task, TaskNote } from './task-thread.js';

async function done(task: Task): Promise<ReplayedPages | Compared> {
  const { source, options } = task;
  if ('end' in task) {
    const opened = { ...source, open: () => openRelayed(task.end) };
    return (await replaySource(opened, { ...options, sources: [] })).replayed;
  }
  const { named } = source;
  if (named === undefined) throw new Error(`'${source.name}' cannot be opened by another thread`);
  const onProgress = (some: number, total: number | undefined): Promise<void> => {
    tell({ progress: [some, total] });
    return Promise.resolve();
  };
  return spreadTrace(
    { ...source, open: () => openNamed(named) },
    { ...options, sources: [], onProgress },
    task.threads,
  );
}

function tell(note: TaskNote<ReplayedPages | Compared>): void {
  parentPort?.postMessage(note);
}

parentPort?.on('message', (task: Task) => {
  done(task).then(
    (result) => {
      tell({ result });
    },
    (error: unknown) => {
      tell({ failure: packError(error) });
    },
  );
});
