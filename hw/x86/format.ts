/**
 * The entries of x86 page tables, as data and as hot constants.
 *
 * Source: Intel SDM vol. 3A, chapter "Paging": "32-Bit Paging", "PAE Paging", "4-Level Paging and 5-Level Paging",
 * and the tables named beside each format. Bits from MAXPHYADDR to 51 are reserved; since that depends on the processor,
 * they are not in these tables but in rules.ts.
 */

import type { EntryField, EntryFormat, PagingLevel, PagingMode } from '../base/format.js';

/** Bits of the low word, the same in every entry of every mode. */
export const PTE_P = 1 << 0;
/** R/W: writes are allowed. */
export const PTE_RW = 1 << 1;
/** U/S: user mode is allowed. */
export const PTE_US = 1 << 2;
/** Page-level write-through. */
export const PTE_PWT = 1 << 3;
/** Page-level cache disable. */
export const PTE_PCD = 1 << 4;
/** Accessed: the processor sets it. */
export const PTE_A = 1 << 5;
/** Dirty: the processor sets it at a write. */
export const PTE_D = 1 << 6;
/** Page size: the entry maps a large page. */
export const PTE_PS = 1 << 7;
/** Global: kept when CR3 is written. */
export const PTE_G = 1 << 8;
/** The frame's bits in the low word of a 4 KiB page's entry or a table's. */
export const PTE_FRAME_LOW = 0xffff_f000 | 0;
/** Bit 63, in the high word. */
export const PTE_XD = 1 << 31;
/** Bits 62:59, in the high word: the protection key. */
export const PTE_KEY_SHIFT = 27;

const field = (name: string, low: number, high: number, meaning: string): EntryField => ({ name, low, high, meaning });

const PRESENT = field('P', 0, 0, 'present; with 0 every other bit is free for software and an access faults');
const WRITABLE = field('R/W', 1, 1, 'writes are allowed below this entry');
const USER = field('U/S', 2, 2, 'user-mode accesses are allowed below this entry');
const PWT = field('PWT', 3, 3, 'write-through: memory type, with PCD and PAT');
const PCD = field('PCD', 4, 4, 'cache disable: memory type, with PWT and PAT');
const ACCESSED = field('A', 5, 5, 'accessed: the processor has used this entry for a translation');
const DIRTY = field('D', 6, 6, 'dirty: the processor has written to the page');
const NOT_PAGE = field('PS', 7, 7, 'page size: 0, the entry points to a table');
const PAGE = field('PS', 7, 7, 'page size: 1, the entry maps a page');
const PAT_4K = field('PAT', 7, 7, 'memory type, with PCD and PWT');
const PAT_LARGE = field('PAT', 12, 12, 'memory type, with PCD and PWT');
const GLOBAL = field('G', 8, 8, 'global: with CR4.PGE = 1 the translation survives a change of CR3');
const IGNORED_6 = field('ignored', 6, 6, 'free for software');
const SOFTWARE_LOW = field('ignored', 9, 11, 'free for software');
const SOFTWARE_TABLE = field('ignored', 8, 11, 'free for software');
const SOFTWARE_HIGH = field('ignored', 52, 62, 'free for software');
const SOFTWARE_PAGE = field('ignored', 52, 58, 'free for software');
const RESERVED_PAE = field('reserved', 52, 62, 'must be 0');
const KEY = field('PK', 59, 62, 'protection key, when CR4.PKE or CR4.PKS is 1; otherwise free for software');
const EXECUTE_DISABLE = field('XD', 63, 63, 'no instruction fetches, when EFER.NXE = 1; otherwise reserved');
const TABLE_FLAGS = [PRESENT, WRITABLE, USER, PWT, PCD, ACCESSED];
const PAGE_FLAGS = [...TABLE_FLAGS, DIRTY];

const tableFrame = field('frame', 12, 51, 'physical address of the next table, bits 51:12');
const frameFrom = (low: number): EntryField => field('frame', low, 51, `physical address of the page, bits 51:${low}`);

function section(title: string): string {
  return `Intel SDM vol. 3A, "${title}"`;
}

const LONG_TABLES = '4-Level Paging and 5-Level Paging';

/** An 8-byte entry for a table, in 4-level and 5-level paging. */
function longTable(name: string, psMeaning: string): EntryFormat {
  const ps = field('PS', 7, 7, psMeaning);
  const fields = [...TABLE_FLAGS, IGNORED_6, ps, SOFTWARE_TABLE, tableFrame, SOFTWARE_HIGH, EXECUTE_DISABLE];
  return { name, bytes: 8, section: section(LONG_TABLES), fields };
}

/** An 8-byte entry for a page of `2^shift` bytes. */
function widePage(name: string, shift: number, title: string, top: readonly EntryField[]): EntryFormat {
  const reserved = field('reserved', 13, shift - 1, 'must be 0');
  const middle = shift === 12 ? [PAT_4K, GLOBAL, SOFTWARE_LOW] : [PAGE, GLOBAL, SOFTWARE_LOW, PAT_LARGE, reserved];
  const fields = [...PAGE_FLAGS, ...middle, frameFrom(shift), ...top, EXECUTE_DISABLE];
  return { name, bytes: 8, section: section(title), fields };
}

const LONG_TOP = [SOFTWARE_PAGE, KEY];

const LONG_LEVELS: readonly PagingLevel[] = [
  { table: 'PML5', level: 4, shift: 48, indexBits: 9, tableEntry: longTable('PML5E', 'reserved, must be 0') },
  { table: 'PML4', level: 3, shift: 39, indexBits: 9, tableEntry: longTable('PML4E', 'reserved, must be 0') },
  {
    table: 'PDPT',
    level: 2,
    shift: 30,
    indexBits: 9,
    tableEntry: longTable('PDPTE', NOT_PAGE.meaning),
    pageEntry: widePage('PDPTE 1G', 30, LONG_TABLES, LONG_TOP),
  },
  {
    table: 'PD',
    level: 1,
    shift: 21,
    indexBits: 9,
    tableEntry: longTable('PDE', NOT_PAGE.meaning),
    pageEntry: widePage('PDE 2M', 21, LONG_TABLES, LONG_TOP),
  },
  { table: 'PT', level: 0, shift: 12, indexBits: 9, pageEntry: widePage('PTE', 12, LONG_TABLES, LONG_TOP) },
];

const PAE_PDPTE: EntryFormat = {
  name: 'PDPTE',
  bytes: 8,
  section: section('PAE Paging'),
  fields: [
    PRESENT,
    field('reserved', 1, 2, 'must be 0'),
    PWT,
    PCD,
    field('reserved', 5, 8, 'must be 0; there is no accessed bit'),
    SOFTWARE_LOW,
    tableFrame,
    field('reserved', 52, 63, 'must be 0'),
  ],
};

const PAE_LEVELS: readonly PagingLevel[] = [
  { table: 'PDPT', level: 2, shift: 30, indexBits: 2, tableEntry: PAE_PDPTE },
  {
    table: 'PD',
    level: 1,
    shift: 21,
    indexBits: 9,
    tableEntry: {
      name: 'PDE',
      bytes: 8,
      section: section('PAE Paging'),
      fields: [...TABLE_FLAGS, IGNORED_6, NOT_PAGE, SOFTWARE_TABLE, tableFrame, RESERVED_PAE, EXECUTE_DISABLE],
    },
    pageEntry: widePage('PDE 2M', 21, 'PAE Paging', [RESERVED_PAE]),
  },
  { table: 'PT', level: 0, shift: 12, indexBits: 9, pageEntry: widePage('PTE', 12, 'PAE Paging', [RESERVED_PAE]) },
];

const NARROW_FRAME = field('frame', 12, 31, 'physical address, bits 31:12');

const NARROW_LEVELS: readonly PagingLevel[] = [
  {
    table: 'PD',
    level: 1,
    shift: 22,
    indexBits: 10,
    tableEntry: {
      name: 'PDE',
      bytes: 4,
      section: section('32-Bit Paging'),
      fields: [...TABLE_FLAGS, IGNORED_6, NOT_PAGE, SOFTWARE_TABLE, NARROW_FRAME],
    },
    pageEntry: {
      name: 'PDE 4M',
      bytes: 4,
      section: section('32-Bit Paging'),
      fields: [
        ...PAGE_FLAGS,
        PAGE,
        GLOBAL,
        SOFTWARE_LOW,
        PAT_LARGE,
        field('frame high', 13, 20, 'physical address of the page, bits 39:32 (PSE-36)'),
        field('reserved', 21, 21, 'must be 0'),
        field('frame', 22, 31, 'physical address of the page, bits 31:22'),
      ],
    },
  },
  {
    table: 'PT',
    level: 0,
    shift: 12,
    indexBits: 10,
    pageEntry: {
      name: 'PTE',
      bytes: 4,
      section: section('32-Bit Paging'),
      fields: [...PAGE_FLAGS, PAT_4K, GLOBAL, SOFTWARE_LOW, NARROW_FRAME],
    },
  },
];

/** Every paging mode of x86. Source: Intel SDM vol. 3A, "Paging Modes and Control Bits". */
export const X86_MODES = {
  none: {
    name: 'none',
    title: 'no paging',
    section: section('Paging Modes and Control Bits'),
    linearBits: 32,
    entryBytes: 4,
    levels: [],
  },
  '32': {
    name: '32',
    title: '32-bit paging',
    section: section('32-Bit Paging'),
    linearBits: 32,
    entryBytes: 4,
    levels: NARROW_LEVELS,
  },
  pae: {
    name: 'pae',
    title: 'PAE paging',
    section: section('PAE Paging'),
    linearBits: 32,
    entryBytes: 8,
    levels: PAE_LEVELS,
  },
  '4l': {
    name: '4l',
    title: '4-level paging',
    section: section(LONG_TABLES),
    linearBits: 48,
    entryBytes: 8,
    levels: LONG_LEVELS.slice(1),
  },
  '5l': {
    name: '5l',
    title: '5-level paging',
    section: section(LONG_TABLES),
    linearBits: 57,
    entryBytes: 8,
    levels: LONG_LEVELS,
  },
} as const satisfies Record<string, PagingMode>;

/** A paging mode: `none`, `32`, `pae`, `4l`, `5l`. */
export type X86ModeName = keyof typeof X86_MODES;

/** By mode, log2 of the bytes covered by one entry of each level, the last level first. */
export const X86_LEVEL_SHIFTS: Readonly<Record<X86ModeName, readonly number[]>> = {
  none: [],
  '32': shiftsOf(NARROW_LEVELS),
  pae: shiftsOf(PAE_LEVELS),
  '4l': shiftsOf(X86_MODES['4l'].levels),
  '5l': shiftsOf(LONG_LEVELS),
};

function shiftsOf(levels: readonly PagingLevel[]): readonly number[] {
  return levels.map(({ shift }) => shift).reverse();
}
