/** Looks at a live process through /proc: its regions, and their resident pages. */

import { closeSync, openSync, readSync } from 'node:fs';
import { RunBuilder } from './pagemap.js';
import { InspectError, readProc, requireMemory } from './proc-files.js';
import { runBytes } from './process-image.js';
import type { ProcessImage, ResidentRun } from './process-image.js';
import { parseSmaps } from '../regions/smaps.js';
import type { LiveRegion } from '../regions/smaps.js';

/** Bytes of pagemap read at once. */
const CHUNK = 2 ** 20;
/**
 * The most pages read from pagemap, of all regions together: 64 GiB of 4 KiB pages. Sparse regions may be far larger.
 */
const MOST_PAGES = 2 ** 24;

/**
 * A running process may change between the reading of smaps and of pagemap; so often they are read again. Not this very
 * process: its memory grows by being read.
 */
const MOST_READINGS = 3;

/** Does pagemap agree with the counts of smaps a moment before? Only regions with a readable pagemap count. */
function agrees({ regions, runs }: ProcessImage): boolean {
  return regions.every((region) => {
    const known = runs.get(region);
    return known === undefined || runBytes(known, false) === region.resident;
  });
}

/**
 * @param proc the folder of the files of processes
 * @throws InspectError elsewhere than on Linux, without permission, and for a process gone or without memory
 */
export function readProcess(pid: number, proc = '/proc'): ProcessImage {
  requireMemory(pid, proc);
  for (let reading = 1; ; reading++) {
    const image = readOnce(proc, pid);
    if (pid === process.pid || reading === MOST_READINGS || agrees(image)) return image;
  }
}

function readOnce(proc: string, pid: number): ProcessImage {
  const regions = parseSmaps(readProc(proc, pid, 'smaps'));
  const command = readProc(proc, pid, 'comm').trim();
  const runs = readPagemap(`${proc}/${pid}/pagemap`, regions);
  // Last: a process ended meanwhile has no sizes any more, and may have been read in part only.
  const status = readProc(proc, pid, 'status');
  if (!/^VmSize:/m.test(status)) throw new InspectError(`PID ${pid}: it ended while it was read`);
  return { pid, command, regions, runs, kernelTableBytes: tableBytesIn(status) };
}

function tableBytesIn(status: string): number | null {
  const match = /^VmPTE:\s+(\d+) kB$/m.exec(status);
  return match === null ? null : Number(match[1]) * 1024;
}

/**
 * The resident pages of regions with a readable pagemap. Those with nothing resident may have pages of zeros, not
 * counted by smaps; they are read last, as far as the most pages to be read suffice.
 */
function readPagemap(path: string, regions: readonly LiveRegion[]): Map<LiveRegion, readonly ResidentRun[]> {
  const runs = new Map<LiveRegion, readonly ResidentRun[]>();
  const pageBytes = Math.min(...regions.map((region) => region.pageBytes));
  const buffer = new Uint8Array(CHUNK);
  let pagesLeft = MOST_PAGES;
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return runs;
  }
  try {
    for (const region of [...regions].sort((a, b) => Number(b.resident > 0) - Number(a.resident > 0))) {
      const pages = (region.end - region.start) / pageBytes;
      if (pages > pagesLeft || region.start >= 2 ** 52) continue;
      pagesLeft -= pages;
      const read = readRegion(file, region, pageBytes, buffer);
      if (read !== null) runs.set(region, read);
    }
  } finally {
    closeSync(file);
  }
  return runs;
}

/** Null if the kernel refuses. */
function readRegion(
  file: number,
  region: LiveRegion,
  pageBytes: number,
  buffer: Uint8Array,
): readonly ResidentRun[] | null {
  const builder = new RunBuilder(pageBytes);
  let address = region.start;
  while (address < region.end) {
    const wanted = Math.min(CHUNK, ((region.end - address) / pageBytes) * 8);
    let got: number;
    try {
      got = readSync(file, buffer, 0, wanted, (address / pageBytes) * 8);
    } catch {
      return null;
    }
    if (got < 8) return null;
    builder.add(address, buffer.subarray(0, got));
    address += (got / 8) * pageBytes;
  }
  // Pages of MAP_HUGETLB are anonymous to pagemap, and smaps counts them apart; none of them is the page of zeros.
  return builder.finish(region.pageBytes > pageBytes ? region.resident : region.anonymous);
}
