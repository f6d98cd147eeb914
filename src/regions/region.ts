/** A region of a process: one mapping, as Linux lists it in /proc/PID/maps. Live processes and recordings share it. */

import { PAGE_BYTES } from '../../hw/base/address.js';

/** What a region can be; `library` is the file of a program or a library, code and data. */
export const REGION_KINDS = [
  'heap',
  'anonymous',
  'stack',
  'shared memory',
  'hugetlb',
  'file',
  'library',
  'special',
] as const;

export type RegionKind = (typeof REGION_KINDS)[number];

/** A call of madvise: MADV_HUGEPAGE, MADV_NOHUGEPAGE, or neither. */
export type HugeAdvice = 'huge' | 'nohuge' | 'none';

export interface Region {
  /** First address. */
  readonly start: number;
  /** The address after the last one. */
  readonly end: number;
  /** `rwxp`: the last letter is s for shared mappings. */
  readonly permissions: string;
  readonly kind: RegionKind;
  /** Path, or `[heap]` and the like, or empty. */
  readonly name: string;
  /** Offset in the file, bytes; 0 without a file. */
  readonly offset: number;
  /** Bytes of a page of this region: more than 4096 for MAP_HUGETLB. */
  readonly pageBytes: number;
  readonly advice: HugeAdvice;
}

/** A region of a recording, and its time in the run, counted in accesses of its process. */
export interface RecordedRegion extends Region {
  /** Accesses made before it was mapped. */
  readonly cameAt: number;
  /** Accesses made before it was unmapped; null: it was there at the end. */
  readonly wentAt: number | null;
}

/** Enough to tell the kind of one region. Recorders know it from mmap's arguments, maps and smaps say it in text. */
export interface RegionTraits {
  readonly name: string;
  readonly permissions: string;
  readonly pageBytes?: number | undefined;
  /** VM_GROWSDOWN, or mmap's MAP_GROWSDOWN or MAP_STACK. */
  readonly stack?: boolean | undefined;
  /** Memory of a device: VM_IO, VM_PFNMAP or VM_MIXEDMAP. */
  readonly ofDevice?: boolean | undefined;
}

/** Files of the kernel's own tmpfs, and of the tmpfs for shm_open. Source: Linux manual pages, shm_overview(7). */
const MEMORY_FILE = /^(\/dev\/zero|\/dev\/shm\/|\/memfd:|\/SYSV|\/drm|\[anon_shmem:)/;

/** Is it a file in memory alone, such as /dev/shm/pool? */
export function isMemoryFile(name: string): boolean {
  return MEMORY_FILE.test(name);
}

function anonymousKind(name: string): RegionKind {
  if (/stack/i.test(name)) return 'stack';
  return /heap|malloc/i.test(name) ? 'heap' : 'anonymous';
}

/**
 * The kind of a region, from its own line alone. Data of a program without `.so` in its name looks like a file here:
 * see {@link withPrograms}.
 */
export function kindOf({ name, permissions, pageBytes, stack, ofDevice }: RegionTraits): RegionKind {
  if ((pageBytes ?? PAGE_BYTES) > PAGE_BYTES) return 'hugetlb';
  if (name === '[heap]') return 'heap';
  if (/^\[stack(:\d+)?\]$/.test(name)) return 'stack';
  if (ofDevice === true) return 'special';
  if (name === '' && stack === true) return 'stack';
  // PR_SET_VMA_ANON_NAME gives such names. Source: Linux manual pages, PR_SET_VMA(2const).
  if (name === '' || name.startsWith('[anon:')) return anonymousKind(name);
  // A private mapping of /dev/zero is the old way to get anonymous memory.
  if (name === '/dev/zero' && permissions.endsWith('p')) return 'anonymous';
  if (isMemoryFile(name)) return 'shared memory';
  if (name.startsWith('[') || /^(\/dev\/|anon_inode:)/.test(name)) return 'special';
  return permissions.includes('x') || /\.so(\.|$| \()/.test(name) ? 'library' : 'file';
}

/** Tells the data of programs from other files: a file with code in one region is a program in all of them. */
export function withPrograms<R extends Region>(regions: readonly R[]): R[] {
  const programs = new Set(regions.filter(({ kind }) => kind === 'library').map(({ name }) => name));
  return regions.map((region) =>
    region.kind === 'file' && programs.has(region.name) ? { ...region, kind: 'library' } : region,
  );
}

/** Regions without kinds, such as those of a recording, with their kinds. */
export function withKinds<R extends Omit<Region, 'kind'> & RegionTraits>(regions: readonly R[]): (R & Region)[] {
  return withPrograms(regions.map((region) => ({ ...region, kind: kindOf(region) })));
}

/** Name of a region for people; anonymous memory is named by its place. */
export function regionName({ name, start }: Pick<Region, 'name' | 'start'>): string {
  return name === '' ? `anonymous memory at 0x${start.toString(16)}` : name;
}
