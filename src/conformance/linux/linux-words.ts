/** The recorder's letters and numbers for flags, advice, signals and addresses. */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import { errnoName } from '../../kernel/abi/errno.js';
import * as f from '../../kernel/abi/flags.js';
import { BUS_ADRERR, SEGV_ACCERR, SEGV_MAPERR } from '../../kernel/abi/signal.js';
import type { PagemapEntry } from '../../kernel/proc/pagemap.js';

/** The address of page 0 of a program; far below the kernel's own choices. */
export const ARENA = 2 ** 40;

/** Signals of an access that failed. */
export const SIGNAL_LETTERS = new Map([
  [SEGV_MAPERR, 'SM'],
  [SEGV_ACCERR, 'SA'],
  [BUS_ADRERR, 'BA'],
]);

const PROTECTIONS: Record<string, number> = { r: f.PROT_READ, w: f.PROT_WRITE, x: f.PROT_EXEC };
export const MAP_FLAGS: Record<string, number> = {
  s: f.MAP_SHARED,
  p: f.MAP_PRIVATE,
  a: f.MAP_ANONYMOUS,
  F: f.MAP_FIXED,
  N: f.MAP_FIXED_NOREPLACE,
  P: f.MAP_POPULATE,
  G: f.MAP_GROWSDOWN,
  R: f.MAP_NORESERVE,
  H: f.MAP_HUGETLB,
  L: f.MAP_LOCKED,
};
export const MREMAP_FLAGS: Record<string, number> = {
  M: f.MREMAP_MAYMOVE,
  F: f.MREMAP_FIXED,
  D: f.MREMAP_DONTUNMAP,
};
/** The recorder locks future mappings: never its own memory. */
export const MLOCKALL_FLAGS: Record<string, number> = { f: f.MCL_FUTURE, o: f.MCL_ONFAULT };
export const MSYNC_FLAGS: Record<string, number> = { S: f.MS_SYNC, A: f.MS_ASYNC, I: f.MS_INVALIDATE };
export const FALLOC_MODES: Record<string, number> = {
  punch: f.FALLOC_PUNCH_HOLE | f.FALLOC_KEEP_SIZE,
  keep: f.FALLOC_KEEP_SIZE,
  grow: 0,
};
export const ADVICE: Record<string, number> = {
  NORMAL: f.MADV_NORMAL,
  RANDOM: f.MADV_RANDOM,
  SEQUENTIAL: f.MADV_SEQUENTIAL,
  WILLNEED: f.MADV_WILLNEED,
  DONTNEED: f.MADV_DONTNEED,
  FREE: f.MADV_FREE,
  REMOVE: f.MADV_REMOVE,
  DONTFORK: f.MADV_DONTFORK,
  DOFORK: f.MADV_DOFORK,
  HUGEPAGE: f.MADV_HUGEPAGE,
  NOHUGEPAGE: f.MADV_NOHUGEPAGE,
  DONTDUMP: f.MADV_DONTDUMP,
  DODUMP: f.MADV_DODUMP,
  WIPEONFORK: f.MADV_WIPEONFORK,
  KEEPONFORK: f.MADV_KEEPONFORK,
  COLD: f.MADV_COLD,
  POPULATE_READ: f.MADV_POPULATE_READ,
  POPULATE_WRITE: f.MADV_POPULATE_WRITE,
  DONTNEED_LOCKED: f.MADV_DONTNEED_LOCKED,
  COLLAPSE: f.MADV_COLLAPSE,
  GUARD_INSTALL: f.MADV_GUARD_INSTALL,
  GUARD_REMOVE: f.MADV_GUARD_REMOVE,
};

/** The flags of some letters, by a table of them. */
export function bits(letters: string, table: Record<string, number>): number {
  return Object.entries(table).reduce((sum, [letter, bit]) => (letters.includes(letter) ? sum | bit : sum), 0);
}

/** PROT_ bits of `rwx`, or `none`. */
export function protection(text: string): number {
  return text === 'none' ? f.PROT_NONE : bits(text, PROTECTIONS);
}

/** The page-table entry before and after an access, as one letter. */
export function howItChanged(before: PagemapEntry, after: PagemapEntry): string {
  if (!before.present) return after.zero ? 'z' : 'n';
  if (before.zero && !after.zero) return 'u';
  return before.frame === after.frame ? '.' : 'c';
}

/** The linear address of a page number of the program. */
export function address(page: number): number {
  return ARENA + page * PAGE_BYTES;
}

/** A result, or the name of its errno. */
export function answer(result: number): number | string {
  return result < 0 ? errnoName(result) : result;
}
