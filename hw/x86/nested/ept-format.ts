/**
 * The entries of extended page tables (EPT), as data and as hot constants.
 *
 * Source: Intel SDM vol. 3C, chapter "VMX Support for Address Translation", "EPT Translation Mechanism", and the tables
 * of the formats there. Bits 51:M are reserved, M being MAXPHYADDR: they depend on the processor.
 */

import type { EntryField, EntryFormat, PagingLevel, PagingMode } from '../../base/format.js';

/** Reads are allowed. */
export const EPT_READ = 1 << 0;
/** Writes are allowed. */
export const EPT_WRITE = 1 << 1;
/** Fetches are allowed; with mode-based execute control, those from supervisor-mode linear addresses. */
export const EPT_EXECUTE = 1 << 2;
/** The entry maps a page of 2 MiB or 1 GiB. */
export const EPT_PAGE = 1 << 7;
/** Accessed, and dirty, if EPTP turns them on. */
export const EPT_A = 1 << 8;
export const EPT_D = 1 << 9;
/** With mode-based execute control, fetches from user-mode linear addresses are allowed. */
export const EPT_USER_EXECUTE = 1 << 10;

/** EPTP: bits 2:0 are the memory type of the tables, write-back or uncacheable. */
export const EPTP_WRITE_BACK = 6;
/** EPTP: bits 5:3 are one less than the number of levels. */
export const EPTP_LEVELS_SHIFT = 3;
/** EPTP: accessed and dirty flags are set. */
export const EPTP_AD = 1 << 6;

const field = (name: string, low: number, high: number, meaning: string): EntryField => ({ name, low, high, meaning });

const PERMISSIONS = [
  field('R', 0, 0, 'reads are allowed below this entry; with R, W and X 0 it is not present'),
  field('W', 1, 1, 'writes are allowed below this entry'),
  field('X', 2, 2, 'fetches are allowed below this entry; by mode, those from supervisor-mode addresses'),
];
const ACCESSED = field('A', 8, 8, 'accessed, with bit 6 of EPTP; otherwise ignored');
const DIRTY = field('D', 9, 9, 'dirty, with bit 6 of EPTP; otherwise ignored');
const USER_EXECUTE = field('XU', 10, 10, 'fetches from user-mode addresses, by mode; otherwise ignored');
const IGNORED_11 = field('ignored', 11, 11, 'free for software');
const TOP = [
  field('ignored', 52, 62, 'free for software'),
  field('SVE', 63, 63, 'suppress #VE; ignored, since #VE is not modelled'),
];
const SECTION = 'Intel SDM vol. 3C, "EPT Translation Mechanism"';

/** An entry for a table; `reserved` is the highest of the bits from 3 on that must be 0. */
function tableEntry(name: string, reserved: 6 | 7): EntryFormat {
  const page = reserved === 6 ? [field('PS', 7, 7, 'page size: 0, the entry points to a table')] : [];
  const middle = [ACCESSED, field('ignored', 9, 9, 'free for software'), USER_EXECUTE, IGNORED_11];
  const frame = field('frame', 12, 51, 'physical address of the next table, bits 51:12');
  const fields = [...PERMISSIONS, field('reserved', 3, reserved, 'must be 0'), ...page, ...middle, frame, ...TOP];
  return { name, bytes: 8, section: SECTION, fields };
}

/** An entry for a page of `2^shift` bytes. */
function pageEntry(name: string, shift: number): EntryFormat {
  const type = [
    field('MT', 3, 5, 'memory type: 0, 1, 4, 5 or 6'),
    field('IPAT', 6, 6, "ignore the guest's memory type"),
    shift === 12 ? field('ignored', 7, 7, 'free for software') : field('PS', 7, 7, 'page size: 1, a page'),
  ];
  const low = shift === 12 ? [] : [field('reserved', 12, shift - 1, 'must be 0')];
  const frame = field('frame', shift, 51, `physical address of the page, bits 51:${shift}`);
  const fields = [...PERMISSIONS, ...type, ACCESSED, DIRTY, USER_EXECUTE, IGNORED_11, ...low, frame, ...TOP];
  return { name, bytes: 8, section: SECTION, fields };
}

const LEVELS: readonly PagingLevel[] = [
  { table: 'EPT PML5', level: 4, shift: 48, indexBits: 9, tableEntry: tableEntry('EPT PML5E', 7) },
  { table: 'EPT PML4', level: 3, shift: 39, indexBits: 9, tableEntry: tableEntry('EPT PML4E', 7) },
  {
    table: 'EPT PDPT',
    level: 2,
    shift: 30,
    indexBits: 9,
    tableEntry: tableEntry('EPT PDPTE', 6),
    pageEntry: pageEntry('EPT PDPTE 1G', 30),
  },
  {
    table: 'EPT PD',
    level: 1,
    shift: 21,
    indexBits: 9,
    tableEntry: tableEntry('EPT PDE', 6),
    pageEntry: pageEntry('EPT PDE 2M', 21),
  },
  { table: 'EPT PT', level: 0, shift: 12, indexBits: 9, pageEntry: pageEntry('EPT PTE', 12) },
];

/** EPT with 4 and with 5 levels; the addresses are guest-physical. */
export const EPT_MODES = {
  ept4: {
    name: 'ept4',
    title: '4-level EPT',
    section: SECTION,
    linearBits: 48,
    entryBytes: 8,
    levels: LEVELS.slice(1),
  },
  ept5: { name: 'ept5', title: '5-level EPT', section: SECTION, linearBits: 57, entryBytes: 8, levels: LEVELS },
} as const satisfies Record<string, PagingMode>;
