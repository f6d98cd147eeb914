/**
 * Rebuilds a live process's address space in the model: the same mappings at the same addresses, made by the kernel's
 * mmap, the same pages resident, and the same protections in the end.
 */

import { SHIFT_1G, SHIFT_2M } from '../../hw/base/address.js';
import { alignDown, alignUp, USER_END } from '../kernel/abi/layout.js';
import type { OpenFile } from '../kernel/space/model.js';
import * as f from '../kernel/abi/flags.js';
import { errnoName } from '../kernel/abi/errno.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Process } from '../kernel/space/process.js';
import { HUGE_BYTES } from '../kernel/space/memory.js';
import { MOST_VMAS } from '../kernel/vmas/vma-merge.js';
import { MMAP_MIN_ADDRESS } from '../kernel/vmas/stack.js';
import { isMemoryFile, regionName } from '../regions/region.js';
import type { LiveRegion } from '../regions/smaps.js';
import { residentRuns, runBytes } from './process-image.js';
import type { ProcessImage, ResidentRun } from './process-image.js';

/** A part of the process, missing in the model. */
export interface LeftOut {
  readonly what: string;
  /** Mapped bytes of it, or resident ones if the mapping itself is there. */
  readonly bytes: number;
  readonly why: string;
}

/** A region and its pages to be resident. */
export interface PlannedRegion {
  readonly region: LiveRegion;
  readonly runs: readonly ResidentRun[];
}

export interface Plan {
  readonly regions: readonly PlannedRegion[];
  readonly leftOut: readonly LeftOut[];
}

function isAnonymous({ name, inode }: LiveRegion): boolean {
  return inode === 0 && !/^\[(vdso|vvar|vvar_vclock|vsyscall|uprobes)\]$/.test(name);
}

function isHugetlb({ kind }: LiveRegion): boolean {
  return kind === 'hugetlb';
}

function isShared({ permissions }: LiveRegion): boolean {
  return permissions.endsWith('s');
}

const TOO_MANY = `the model's kernel keeps ${MOST_VMAS} mappings of a process at most`;

/** Why the model cannot have a region; undefined when it can. */
function refusal(region: LiveRegion): string | undefined {
  if (region.end > USER_END) return 'it lies outside of the addresses of user mode';
  if (region.start < MMAP_MIN_ADDRESS) return 'it lies below the lowest address that mmap gives';
  if (!isHugetlb(region)) return undefined;
  const known = region.pageBytes === HUGE_BYTES || region.pageBytes === 2 ** SHIFT_1G;
  return known ? undefined : 'the model has huge pages (MAP_HUGETLB) of 2 MiB and 1 GiB only';
}

/**
 * The most memory of the runs of a region, be it in small pages or in huge ones.
 * @param counted end of the last 2 MiB counted for anonymous runs below; regions side by side share them
 * @returns bytes, and their end
 */
function mostBytes(runs: readonly ResidentRun[], counted: number): { bytes: number; counted: number } {
  let bytes = 0;
  for (const run of runs) {
    if (run.kind === 'zero') continue;
    if (run.kind === 'file') {
      bytes += run.bytes;
      continue;
    }
    const end = alignUp(run.start + run.bytes, SHIFT_2M);
    bytes += Math.max(0, end - Math.max(counted, alignDown(run.start, SHIFT_2M)));
    counted = end;
  }
  return { bytes, counted };
}

/**
 * The part of the process to go into a model with room for `budget` bytes of resident pages: all mappings, and resident
 * pages region by region for as long as they fit in any page size.
 */
export function planRebuild(image: ProcessImage, budget: number): Plan {
  const regions: PlannedRegion[] = [];
  const leftOut: LeftOut[] = [];
  let room = budget;
  let counted = 0;
  for (const region of image.regions) {
    const refused = refusal(region) ?? (regions.length < MOST_VMAS ? undefined : TOO_MANY);
    if (refused !== undefined) {
      leftOut.push({ what: regionName(region), bytes: region.end - region.start, why: refused });
      continue;
    }
    const runs = residentRuns(image, region);
    const most = mostBytes(runs, counted);
    if (most.bytes > room) {
      regions.push({ region, runs: [] });
      leftOut.push({
        what: `resident pages of ${regionName(region)}`,
        bytes: runBytes(runs, false),
        why: "the model's RAM ends at 16 GiB",
      });
      continue;
    }
    room -= most.bytes;
    counted = most.counted;
    regions.push({ region, runs });
  }
  return { regions, leftOut };
}

/** Does it live in memory, and not on a disk? */
function isInMemory({ name, kind }: LiveRegion): boolean {
  return kind === 'special' || isMemoryFile(name);
}

/** Carries out a plan, as a process of `kernel`. */
export class Rebuilder {
  readonly process: Process;
  readonly #kernel: Kernel;
  readonly #files = new Map<string, OpenFile>();

  /** @param pages `2M`: anonymous memory gets huge pages for each mapped 2 MiB of it */
  constructor(kernel: Kernel, pages: '4K' | '2M') {
    this.#kernel = kernel;
    this.process = kernel.spawn({ pages });
  }

  #must<T>(result: T | number, what: string): T {
    if (typeof result === 'number' && result < 0) throw new Error(`the model refuses ${what}: ${errnoName(result)}`);
    return result as T;
  }

  /** Maps one region, makes its pages resident and gives it its protection. */
  add({ region, runs }: PlannedRegion): void {
    const { start, end } = region;
    const what = regionName(region);
    const prot = f.protOf(region.permissions);
    // The loader, too, writes to pages and protects them afterwards.
    const open = prot | f.PROT_READ | f.PROT_WRITE;
    const file = isAnonymous(region) || isHugetlb(region) ? null : this.#file(region);
    const offset = file === null ? 0 : region.offset;
    const request = { address: start, length: end - start, prot: open, flags: flagsOf(region), file, offset };
    this.#must(this.#kernel.mmap(this.process, request), what);
    // Fork leaves the entries of shared huge pages out; the model has no shared ones, but it can leave entries out, too.
    if (isHugetlb(region) && isShared(region)) this.#advise(start, end - start, f.MADV_DONTFORK, what);
    if (region.flags.includes('nh')) this.#advise(start, end - start, f.MADV_NOHUGEPAGE, what);
    for (const run of runs) this.#populate(region, run, what);
    if (file !== null && runs.length > 0) this.#dropAbsent(region, runs, what);
    if (open !== prot) this.#must(this.#kernel.mprotect(this.process, start, end - start, prot), what);
  }

  #populate(region: LiveRegion, run: ResidentRun, what: string): void {
    const from = Math.max(region.start, alignDown(run.start));
    const to = Math.min(region.end, alignUp(run.start + run.bytes));
    const written = run.kind === 'anonymous' || (run.kind === 'file' && isAnonymous(region));
    this.#advise(from, to - from, written ? f.MADV_POPULATE_WRITE : f.MADV_POPULATE_READ, what);
  }

  /** Reading a page of a file maps its neighbours too (fault-around): those absent from the process go out again. */
  #dropAbsent({ start, end }: LiveRegion, runs: readonly ResidentRun[], what: string): void {
    let from = start;
    for (const run of [...runs, { start: end, bytes: 0 }]) {
      const to = Math.min(end, alignDown(run.start));
      if (to > from) this.#advise(from, to - from, f.MADV_DONTNEED, what);
      from = Math.max(from, alignUp(run.start + run.bytes));
    }
  }

  #advise(start: number, bytes: number, advice: number, what: string): void {
    this.#must(this.#kernel.madvise(this.process, start, bytes, advice), what);
  }

  /** The file behind a region, the same for all regions of the same file, and large enough for them. */
  #file(region: LiveRegion): OpenFile {
    const { files } = this.#kernel;
    const key = `${region.device} ${region.inode} ${region.name}`;
    const known = this.#files.get(key);
    const file = known ?? files.open(key, isInMemory(region) ? 'shmem' : 'disk');
    this.#files.set(key, file);
    const size = Math.max(file.object.size, region.offset + region.end - region.start);
    this.#must(files.truncate(file, size), regionName(region));
    return file;
  }
}

function flagsOf(region: LiveRegion): number {
  const shared = isShared(region) && !isHugetlb(region) ? f.MAP_SHARED : f.MAP_PRIVATE;
  const anonymous = isAnonymous(region) || isHugetlb(region) ? f.MAP_ANONYMOUS : 0;
  const stack = region.flags.includes('gd') ? f.MAP_GROWSDOWN : 0;
  const huge = isHugetlb(region) ? f.MAP_HUGETLB | (Math.log2(region.pageBytes) << f.MAP_HUGE_SHIFT) : 0;
  return shared | anonymous | stack | huge | f.MAP_FIXED;
}
