/** The cost of a fork against the process's resident memory: entries and tables, and the host's time. */

import { PAGE_BYTES } from '../../hw/base/address.js';
import { Ram } from '../../hw/memory/ram.js';
import { cpuNow } from '../measure/ratio.js';
import { median } from '../../src/host/ratio.js';
import { ResidentProcess } from '../measure/resident.js';
import { sizesUpTo } from './sizes.js';

const MIB = 2 ** 20;
const PAGES = ['4K', '2M'] as const;
/** Bytes of the kernel's books for each frame, at most. */
const BOOKS_PER_FRAME = 32;

export interface ForkGrowth {
  readonly resident: number;
  readonly pages: string;
  /** Modelled counts of one fork. */
  readonly entriesCopied: number;
  readonly tableBytes: number;
  readonly spareTableBytes: number;
  /** Host time: CPU nanoseconds of one fork, the child's exit not counted; the median of the rounds. */
  readonly nanoseconds: number;
}

interface ForkKind {
  readonly resident: number;
  readonly pages: (typeof PAGES)[number];
}

interface Forker extends ForkKind {
  readonly parent: ResidentProcess;
  readonly times: number[];
}

/** Room for the memory, the tables of parent and child, those set aside, and the first GiB's odds and ends. */
function ramBytes(resident: number): number {
  return resident + Math.ceil(resident / 64 / MIB) * MIB + 64 * MIB;
}

/** Of the host: the tables and the books; untouched frames take nothing. */
function hostBytes(resident: number): number {
  return resident / 64 + (ramBytes(resident) / PAGE_BYTES) * BOOKS_PER_FRAME;
}

/** Undefined when the host has not enough memory, or refuses it. */
function makeForker({ resident, pages }: ForkKind): Forker | undefined {
  if (hostBytes(resident) > process.availableMemory() / 2) return undefined;
  try {
    const ram = new Ram({ bytes: ramBytes(resident) });
    return { resident, pages, parent: new ResidentProcess({ ram, pages, bytes: resident }), times: [] };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function forkOnce({ parent, times }: Forker, counts: boolean): void {
  const began = cpuNow();
  const child = parent.fork();
  const spent = cpuNow() - began;
  parent.undo(child);
  if (counts) times.push(spent);
}

function countsOf({ parent }: Forker): Pick<ForkGrowth, 'entriesCopied' | 'tableBytes' | 'spareTableBytes'> {
  const { counters } = parent.kernel;
  const before = counters.forkEntriesCopied;
  const child = parent.fork();
  const counts = {
    entriesCopied: counters.forkEntriesCopied - before,
    tableBytes: child.space?.tableBytes ?? 0,
    spareTableBytes: (child.space?.deposit.length ?? 0) * PAGE_BYTES,
  };
  parent.undo(child);
  return counts;
}

/**
 * Measures processes with up to `most` bytes, all alive at once, in turns.
 * @returns the points, and the sizes beyond the host's memory
 */
export function measureForks(
  rounds: number,
  most: number,
): { readonly points: ForkGrowth[]; readonly leftOut: readonly ForkKind[] } {
  const wanted = sizesUpTo(16 * MIB, most).flatMap((resident) => PAGES.map((pages) => ({ resident, pages })));
  const forkers: Forker[] = [];
  const leftOut: ForkKind[] = [];
  for (const kind of wanted) {
    const forker = makeForker(kind);
    if (forker === undefined) leftOut.push(kind);
    else forkers.push(forker);
  }
  const counts = forkers.map(countsOf);
  for (let round = -1; round < rounds; round++) for (const forker of forkers) forkOnce(forker, round >= 0);
  return {
    leftOut,
    points: forkers.map(({ resident, pages, times }, i) => ({
      resident,
      pages,
      ...counts[i],
      nanoseconds: median(times),
    })),
  };
}
