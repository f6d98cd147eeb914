/**
 * The entries of RISC-V page tables, as data and as hot constants.
 *
 * Source: RISC-V privileged specification, "Sv32: Page-Based 32-bit Virtual-Memory Systems" and the sections of Sv39,
 * Sv48 and Sv57 ("Addressing and Memory Protection" in each), chapters "Svnapot" and "Svpbmt". The bits named N and
 * PBMT are reserved or not by the processor and by menvcfg, so this is in rules.ts.
 */

import type { EntryField, EntryFormat, PagingLevel, PagingMode } from '../base/format.js';

/** Bits of the low word, the same in every entry of every mode. Valid. */
export const RISCV_PTE_V = 1 << 0;
/** Loads are allowed. */
export const RISCV_PTE_R = 1 << 1;
/** Stores are allowed. */
export const RISCV_PTE_W = 1 << 2;
/** Fetches are allowed. */
export const RISCV_PTE_X = 1 << 3;
/** The page is user mode's. */
export const RISCV_PTE_U = 1 << 4;
/** Global: the mapping is in every address space. */
export const RISCV_PTE_G = 1 << 5;
/** Accessed. */
export const RISCV_PTE_A = 1 << 6;
/** Dirty. */
export const RISCV_PTE_D = 1 << 7;
/** The frame number stands from this bit on. */
export const RISCV_PTE_PPN_SHIFT = 10;
/** Bit 63, in the high word: the page is part of a naturally aligned range of 64 KiB. */
export const RISCV_PTE_N = 1 << 31;
/** Bits 62:61, in the high word: the memory type. */
export const RISCV_PTE_PBMT = 3 << 29;
/** Bits 60:54, in the high word: reserved. */
export const RISCV_PTE_RESERVED = 0x7f << 22;

const field = (name: string, low: number, high: number, meaning: string): EntryField => ({ name, low, high, meaning });

const VALID = field('V', 0, 0, 'valid; with 0 every other bit is free for software and an access faults');
const READABLE = field('R', 1, 1, 'loads are allowed');
const WRITABLE = field('W', 2, 2, 'stores are allowed; reserved without R');
const EXECUTABLE = field('X', 3, 3, 'fetches are allowed');
const POINTER = field('RWX', 1, 3, '0: the entry points to a table');
const USER = field('U', 4, 4, 'user mode may use the page; supervisor mode only under SUM, and never to fetch');
const GLOBAL = field('G', 5, 5, 'global: the translation is in every address space');
const GLOBAL_BELOW = field('G', 5, 5, 'global: all translations below are in every address space');
const ACCESSED = field('A', 6, 6, 'accessed: the page has been used');
const DIRTY = field('D', 7, 7, 'dirty: the page has been written to');
const SOFTWARE = field('ignored', 8, 9, 'RSW: free for software');
const MEMORY_TYPE = field('PBMT', 61, 62, 'memory type 0 to 2, when menvcfg.PBMTE is 1; otherwise reserved');
const CONTIGUOUS = field('N', 63, 63, 'part of 64 KiB of adjacent pages: frame bits 3:0 are 1000; needs Svnapot');
const reserved = (low: number, high: number): EntryField => field('reserved', low, high, 'must be 0');
const frame = (low: number, high: number): EntryField =>
  field(
    'frame',
    low,
    high,
    `frame number of the page, bits ${high - RISCV_PTE_PPN_SHIFT}:${low - RISCV_PTE_PPN_SHIFT}`,
  );

const TABLE_FLAGS = [VALID, POINTER, reserved(4, 4), GLOBAL_BELOW, reserved(6, 7), SOFTWARE];
const PAGE_FLAGS = [VALID, READABLE, WRITABLE, EXECUTABLE, USER, GLOBAL, ACCESSED, DIRTY, SOFTWARE];
const tableFrame = (high: number): EntryField =>
  field('frame', RISCV_PTE_PPN_SHIFT, high, 'frame number of the next table');

function section(title: string): string {
  return `RISC-V privileged specification, "${title}"`;
}

/** A level of entries of 8 bytes, `indexBits` of the address choosing one. */
function wideLevel(level: number, title: string, indexBits = 9): PagingLevel {
  const shift = 12 + 9 * level;
  const first = RISCV_PTE_PPN_SHIFT + 9 * level;
  const aligned = level === 0 ? [] : [reserved(RISCV_PTE_PPN_SHIFT, first - 1)];
  const top = [reserved(54, 60), MEMORY_TYPE, level === 0 ? CONTIGUOUS : reserved(63, 63)];
  const pageEntry: EntryFormat = {
    name: level === 0 ? 'PTE' : `leaf PTE, level ${level}`,
    bytes: 8,
    section: section(title),
    fields: [...PAGE_FLAGS, ...aligned, frame(first, 53), ...top],
  };
  if (level === 0) return { table: 'level 0', level, shift, indexBits, pageEntry };
  const tableEntry: EntryFormat = {
    name: `PTE, level ${level}`,
    bytes: 8,
    section: section(title),
    fields: [...TABLE_FLAGS, tableFrame(53), reserved(54, 63)],
  };
  return { table: `level ${level}`, level, shift, indexBits, tableEntry, pageEntry };
}

/** The levels of a mode, root first; the root's index is `rootBits` longer. */
function wideLevels(count: number, title: string, rootBits = 0): readonly PagingLevel[] {
  return Array.from({ length: count }, (_, n) => wideLevel(count - 1 - n, title, n === 0 ? 9 + rootBits : 9));
}

function narrowLevels(title: string, rootBits = 0): readonly PagingLevel[] {
  const entry = (name: string, fields: readonly EntryField[]): EntryFormat => ({
    name,
    bytes: 4,
    section: section(title),
    fields,
  });
  return [
    {
      table: 'level 1',
      level: 1,
      shift: 22,
      indexBits: 10 + rootBits,
      tableEntry: entry('PTE, level 1', [...TABLE_FLAGS, tableFrame(31)]),
      pageEntry: entry('leaf PTE, level 1', [...PAGE_FLAGS, reserved(10, 19), frame(20, 31)]),
    },
    { table: 'level 0', level: 0, shift: 12, indexBits: 10, pageEntry: entry('PTE', [...PAGE_FLAGS, frame(10, 31)]) },
  ];
}

const SV32 = 'Sv32: Page-Based 32-bit Virtual-Memory Systems';
const SV39 = 'Sv39: Page-Based 39-bit Virtual-Memory System';
const SV48 = 'Sv48: Page-Based 48-bit Virtual-Memory System';
const SV57 = 'Sv57: Page-Based 57-bit Virtual-Memory System';
const GUEST = 'Guest Physical Address Translation';

function mode<Name extends string>(
  name: Name,
  title: string,
  linearBits: number,
  levels: readonly PagingLevel[],
): PagingMode & { readonly name: Name } {
  return { name, title, section: section(title), linearBits, entryBytes: levels.length === 2 ? 4 : 8, levels };
}

/** Every paging mode of satp and vsatp. Source: "Supervisor Address Translation and Protection (satp) Register". */
export const RISCV_MODES = {
  bare: mode('bare', 'Supervisor Address Translation and Protection (satp) Register', 64, []),
  sv32: mode('sv32', SV32, 32, narrowLevels(SV32)),
  sv39: mode('sv39', SV39, 39, wideLevels(3, SV39)),
  sv48: mode('sv48', SV48, 48, wideLevels(4, SV48)),
  sv57: mode('sv57', SV57, 57, wideLevels(5, SV57)),
} as const;

/**
 * Every mode of hgatp: addresses are two bits longer, and the root is four tables in a row.
 * Source: "Hypervisor Guest Address Translation and Protection (hgatp) Register".
 */
export const RISCV_GUEST_MODES = {
  bare: mode('bare', 'Hypervisor Guest Address Translation and Protection (hgatp) Register', 64, []),
  sv32x4: mode('sv32x4', GUEST, 34, narrowLevels(GUEST, 2)),
  sv39x4: mode('sv39x4', GUEST, 41, wideLevels(3, GUEST, 2)),
  sv48x4: mode('sv48x4', GUEST, 50, wideLevels(4, GUEST, 2)),
  sv57x4: mode('sv57x4', GUEST, 59, wideLevels(5, GUEST, 2)),
} as const;

/** A paging mode of satp: `bare`, `sv32`, `sv39`, `sv48`, `sv57`. */
export type RiscvModeName = keyof typeof RISCV_MODES;
/** A paging mode of hgatp: `bare`, `sv32x4`, `sv39x4`, `sv48x4`, `sv57x4`. */
export type RiscvGuestModeName = keyof typeof RISCV_GUEST_MODES;
