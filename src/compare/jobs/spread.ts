/** One trace on several threads: one reads it, and the machines of its page sizes are shared out over the others. */

import { startRelay, openRelayed } from '../../trace/node/relay/relay.js';
import type { PageName } from '../../report/results/schema.js';
import { compareTrace, kindsOf, replaySource } from '../compare.js';
import type { Compared, CompareOptions, ReplayedPages, TraceSource } from '../compare.js';
import { plainOptions, plainSource, TaskThread } from './task-thread.js';

/** Page sizes for each of so many threads, in order. The smallest has most walks, so it gets a thread for itself. */
function sharedOut(pages: readonly PageName[], threads: number): PageName[][] {
  if (threads === 1 || pages.length === 1) return [[...pages]];
  const others = pages.slice(1);
  const groups = Math.min(threads - 1, others.length);
  const from = (group: number): number => Math.round((group * others.length) / groups);
  return [[pages[0]], ...Array.from({ length: groups }, (_, group) => others.slice(from(group), from(group + 1)))];
}

function together(parts: readonly ReplayedPages[]): ReplayedPages {
  return {
    runs: parts.flatMap(({ runs }) => runs),
    host: parts.flatMap(({ host }) => host),
    isPlain: parts.every(({ isPlain }) => isPlain),
  };
}

/**
 * Compares page sizes on one trace with `threads` threads, this one among them; on this one alone if no other can open the
 * trace.
 * @throws TraceError, OutOfModelMemory
 */
export async function spreadTrace(source: TraceSource, options: CompareOptions, threads: number): Promise<Compared> {
  const { named } = source;
  if (threads < 2 || named === undefined) return compareTrace(source, options);
  const [ownPages, ...otherPages] = sharedOut(
    kindsOf(options).map(({ name }) => name),
    threads - 1,
  );
  const relay = startRelay(named, 1 + otherPages.length);
  const [ownEnd, ...otherEnds] = relay.ends;
  const others = otherPages.map((pages, i) => ({ thread: new TaskThread(), pages, end: otherEnds[i] }));
  try {
    const plain = { source: plainSource(source), options: plainOptions(options) };
    const [own, ...rest] = await Promise.all([
      replaySource({ ...source, open: () => openRelayed(ownEnd) }, { ...options, pages: ownPages }),
      ...others.map(({ thread, pages, end }) =>
        thread.run<ReplayedPages>({ ...plain, options: { ...plain.options, pages }, end }, [end.port]),
      ),
    ]);
    return own.sumUp(together([own.replayed, ...rest]));
  } finally {
    await Promise.all([relay.close(), ...others.map(({ thread }) => thread.close())]);
  }
}
