/** A trace shows a part of its run: the ground of an answer. */

import type { Range, TraceSummary } from '../../report/results/compare-result.js';
import type { Trace } from '../../trace/block.js';
import { sharesOf, type Coverage, type ProcessShare } from '../../trace/coverage.js';
import { Recorded } from '../../trace/recorded.js';
import type { Made } from '../lookups/lookup-finder.js';

/**
 * Instructions for each data access where nobody counted them: an assumption, wide enough for the programs of
 * docs/time-model.md.
 */
const INSTRUCTIONS_PER_ACCESS: Range = { low: 2.1, high: 5 };

function coverageOf(trace: Trace): Coverage | undefined {
  return trace instanceof Recorded ? trace.coverage : undefined;
}

/** The processes of a trace with the numbers of its blocks; empty when nothing tells them apart. */
export function processesOf(trace: Trace): readonly ProcessShare[] {
  return coverageOf(trace)?.processes ?? [];
}

/** The counted accesses of a trace as a share of its run, warm-ups left out; null when nothing tells. */
function shareOf(coverage: Coverage | undefined, window: TraceSummary['window']): number | null {
  if (coverage?.runAccesses === undefined || coverage.runAccesses === 0) return window === undefined ? 1 : null;
  const { windows, accesses, warmUp, runAccesses } = coverage;
  const span = windows.reduce((sum, window) => sum + window.span, 0);
  // Spans count as the run does: QEMU counts some accesses in two parts.
  return (Math.min(span, runAccesses) * (accesses - warmUp)) / (runAccesses * Math.max(1, accesses));
}

/** The largest process: nothing says which of several were there at the same time. */
function residentBytes(coverage: Coverage | undefined): number | null {
  const known = (coverage?.processes ?? []).flatMap((process) => process.residentBytes ?? []);
  return known.length === 0 ? null : Math.max(...known);
}

/** What a trace shows of its run; nobody knows the length of a run that was cut. */
export function coverage(
  trace: Trace,
  made: Made,
  touchedBytes: number,
  window: TraceSummary['window'],
): TraceSummary['coverage'] {
  const recorded = coverageOf(trace);
  return {
    accesses: made.data,
    windows: recorded?.windows.length ?? 1,
    ofRun: window?.cut === true ? null : shareOf(recorded, window),
    touchedBytes,
    residentBytes: residentBytes(recorded),
    processes: trace instanceof Recorded ? trace.processes : 1,
    programs: sharesOf(recorded?.processes ?? []),
    countedAsOne: trace instanceof Recorded ? trace.countedAsOne : 1,
  };
}

/** The part of its program in a packed trace; undefined for the whole, and if nothing tells. */
export function recordedPart(trace: Trace): TraceSummary['window'] {
  if (!(trace instanceof Recorded) || trace.metadata === undefined) return undefined;
  const { skip, limit, fetches, windowChosen } = trace.metadata;
  const accesses = trace.counts.accesses + (fetches ? trace.counts.droppedFetches : 0);
  const ending = trace.coverage?.ending;
  const interrupted = ending === 'interrupted';
  const cut = accesses === limit || ending === 'stopped' || interrupted;
  if (skip === 0 && !cut) return undefined;
  return { skip, accesses, cut, chosen: windowChosen === true, ...(interrupted && { interrupted }) };
}

/** Instructions of the accesses made: their part of those of the run, if counted. */
export function instructionsOf(trace: Trace, { data }: Made, window: TraceSummary['window']): Range {
  const recorded = coverageOf(trace);
  const share = shareOf(recorded, window);
  if (recorded?.instructions === undefined || share === null) {
    return { low: data * INSTRUCTIONS_PER_ACCESS.low, high: data * INSTRUCTIONS_PER_ACCESS.high };
  }
  const counted = recorded.instructions * share;
  return { low: counted, high: counted };
}
