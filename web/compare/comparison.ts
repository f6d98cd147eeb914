/** A whole comparison for the view: each TLB over the recording and over footprints, and what forks cost. */

import { parsePageSize, SHIFT_1G } from '../../hw/base/address.js';
import { parseTlb } from '../../hw/tlb/parse.js';
import { entriesFor } from '../../hw/tlb/words.js';
import { compare, type TraceSource } from '../../src/compare/compare.js';
import type { Lookups } from '../../src/compare/lookups/lookups.js';
import { OutOfModelMemory, type ReplayMachine } from '../../src/compare/machine/machine.js';
import type { CompareResult } from '../../src/report/results/compare-result.js';
import { openWorkload } from '../../src/trace/workload.js';
import { forkPoints } from './fork-points.js';
import type { Comparison, CompareTask, ForkPoint, MissPoint, Reach, WorkerMessage } from './messages.js';
import { Windows } from './windows.js';

/** The generated workload: words anywhere, each as likely, over footprints from 256 KiB to 1 GiB. */
const WORKLOAD = 'uniform';
const ACCESSES = 60_000;
const FOOTPRINTS = Array.from({ length: 7 }, (_, i) => 2 ** (18 + 2 * i));
const SHARES = [0, 0.01, 0.1, 0.25, 0.5, 0.75, 1];

function shiftsOf(names: readonly string[]): number[] {
  return names.flatMap((name) => parsePageSize(name) ?? []);
}

/** A browser gives a page about 16 GiB of address space in all; pages of 1 GiB need most of it. */
function ramBytes(shift: number): number {
  return (shift === SHIFT_1G ? 8 : 2) * 2 ** 30;
}

/** Progress is told at most so often, in milliseconds: the page has to draw it. */
const EVERY = 100;

/** One after the other, each with its share of the whole. */
class Progress {
  #done = 0;
  #told = 0;

  constructor(
    readonly parts: number,
    readonly report: (message: WorkerMessage) => void,
  ) {}

  /** A part is under way: `share` of it is done. */
  tell(what: string, share: number): Promise<void> {
    const now = performance.now();
    if (now - this.#told >= EVERY) {
      this.#told = now;
      this.report({ kind: 'progress', what, share: (this.#done + share) / this.parts });
    }
    return Promise.resolve();
  }

  next(): void {
    this.#done++;
  }
}

/** Opens a recording by its name and its data: an address, a path, or a file. */
export type OpenRecording = (name: string, data: string | File) => ReturnType<TraceSource['open']>;

function sourceOf({ recording }: CompareTask, openRecording: OpenRecording): TraceSource {
  if (recording === null) {
    const options = { footprint: 2 ** 30, accesses: 1_000_000 };
    const about = 'generated: words of 1 GiB, each as likely; an access is a load-modify-store, which counts as two';
    return { name: WORKLOAD, about, accesses: options.accesses, open: () => openWorkload(WORKLOAD, options) };
  }
  const { name, about, data } = recording;
  return { name, ...(about === undefined ? {} : { about }), open: () => openRecording(name, data) };
}

interface Compared {
  readonly result: CompareResult;
  readonly windows: Comparison['windows'];
}

async function compareAt(
  task: CompareTask,
  source: TraceSource,
  pages: readonly string[],
  tlb: string,
  progress: Progress,
): Promise<Compared> {
  const windows = new Windows();
  const shown = shiftsOf(plotted(task));
  const result = await compare({
    sources: [source],
    shifts: shiftsOf(pages),
    tlb: parseTlb(tlb),
    ramBytes,
    ...(task.recording !== null && {
      onBlock: (machines: readonly ReplayMachine[], lookups: Lookups) => {
        windows.add(
          machines.filter(({ shift }) => shown.includes(shift)),
          lookups,
        );
      },
    }),
    onProgress: (done, total) =>
      progress.tell(`${tlb}: ${done.toLocaleString('en-US')} accesses`, total === undefined ? 0.5 : done / total),
  });
  return { result, windows: windows.finish().map((point) => ({ ...point, tlb })) };
}

/** The chosen page sizes; without 1 GiB if this machine's browser grants too little memory for such pages. */
async function compareOne(task: CompareTask, source: TraceSource, tlb: string, progress: Progress): Promise<Compared> {
  try {
    return await compareAt(task, source, task.pages, tlb, progress);
  } catch (error) {
    const smaller = plotted(task);
    if (!(error instanceof OutOfModelMemory) || error.shift !== SHIFT_1G || smaller.length === 0) throw error;
    return compareAt(task, source, smaller, tlb, progress);
  }
}

/** The points of the plots of miss rates: pages of 1 GiB would take most of a browser's memory. */
function plotted({ pages }: CompareTask): string[] {
  return pages.filter((name) => name !== '1G');
}

/** Points that are the same for every recording, from a comparison made before. */
type Known = Pick<Comparison, 'misses' | 'forks'>;
const NOTHING_KNOWN: Known = { misses: [], forks: [] };

async function missPoints(task: CompareTask, tlb: string, progress: Progress, known: Known): Promise<MissPoint[]> {
  if (plotted(task).length === 0) return [];
  const before = known.misses.filter((point) => point.tlb === tlb && plotted(task).includes(point.pages));
  if (before.length === plotted(task).length * FOOTPRINTS.length) return before;
  const sources = FOOTPRINTS.map((footprint) => ({
    name: String(footprint),
    accesses: ACCESSES,
    open: () => openWorkload(WORKLOAD, { footprint, accesses: ACCESSES }),
  }));
  await progress.tell(`${tlb}: footprints`, 0);
  const { runs } = await compare({
    sources,
    shifts: shiftsOf(plotted(task)),
    tlb: parseTlb(tlb),
    ramBytes,
  });
  return runs.map(({ trace, pages, counts }) => ({
    tlb,
    pages,
    footprint: Number(trace),
    missRate: counts.walks / counts.lookups,
  }));
}

function reachesOf(task: CompareTask, tlb: string): Reach[] {
  return plotted(task).map((pages) => {
    const [shift] = shiftsOf([pages]);
    return { tlb, pages, bytes: entriesFor(parseTlb(tlb), shift) * 2 ** shift };
  });
}

async function forkCosts(progress: Progress, known: Known): Promise<readonly ForkPoint[]> {
  if (known.forks.length > 0) return known.forks;
  const points: ForkPoint[] = [];
  for (const [i, share] of SHARES.entries()) {
    await progress.tell('forks', i / SHARES.length);
    points.push(...(await forkPoints(share)));
  }
  return points;
}

/**
 * @param report hears of the progress now and then
 * @param known what need not be counted again
 */
export async function runComparison(
  task: CompareTask,
  openRecording: OpenRecording,
  report: (message: WorkerMessage) => void,
  known = NOTHING_KNOWN,
): Promise<Comparison> {
  const progress = new Progress(2 * task.tlbs.length + 1, report);
  const source = sourceOf(task, openRecording);
  const results: CompareResult[] = [];
  const misses: MissPoint[] = [];
  const windows: Comparison['windows'][number][] = [];
  for (const tlb of task.tlbs) {
    const compared = await compareOne(task, source, tlb, progress);
    results.push(compared.result);
    windows.push(...compared.windows);
    progress.next();
    misses.push(...(await missPoints(task, tlb, progress, known)));
    progress.next();
  }
  const shares = results.flatMap(({ runs }, i) =>
    runs.map(({ pages, time }) => ({ tlb: task.tlbs[i], pages, ...time.translationShare })),
  );
  const reaches = task.tlbs.flatMap((tlb) => reachesOf(task, tlb));
  return { results, shares, misses, windows, reaches, forks: await forkCosts(progress, known) };
}
