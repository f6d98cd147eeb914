/**
 * The descriptors of VMSAv8-64 translation tables, as data and as hot constants.
 *
 * Levels count from 0, the last one, as everywhere in this project; the manual's level is 3 minus that.
 * Source: Arm ARM (DDI 0487), chapter D8, "Translation table descriptor formats"; "Memory access control".
 */

import type { EntryField, EntryFormat, PagingLevel, PagingMode } from '../base/format.js';

/** Bits of the low word. The descriptor is valid. */
export const DESC_VALID = 1 << 0;
/** With VALID: a table, or a page at the last level; without it a block. */
export const DESC_TABLE = 1 << 1;
/** AttrIndx, bits 4:2 of stage 1: which attribute of MAIR_EL1. */
export const DESC_ATTR_SHIFT = 2;
/** AP[1] of stage 1: EL0 has access. */
export const DESC_EL0 = 1 << 6;
/** AP[2] of stage 1: no writes. */
export const DESC_READ_ONLY = 1 << 7;
/** SH, bits 9:8: shareability. */
export const DESC_SH_SHIFT = 8;
/** Access flag. */
export const DESC_AF = 1 << 10;
/** nG of stage 1: the translation is of one address space. */
export const DESC_NG = 1 << 11;
/** S2AP[0] of stage 2: reads are allowed. */
export const DESC_S2_READ = 1 << 6;
/** S2AP[1] of stage 2: writes are allowed. */
export const DESC_S2_WRITE = 1 << 7;

/** Bits of the high word. Dirty bit modifier, bit 51: hardware may make the page writable. */
export const DESC_DBM = 1 << 19;
/** Contiguous, bit 52: one of a set of adjacent entries that a TLB may keep as one. */
export const DESC_CONTIGUOUS = 1 << 20;
/** PXN of stage 1, bit 53: no execution at EL1. */
export const DESC_PXN = 1 << 21;
/** UXN of stage 1, bit 54: no execution at EL0. */
export const DESC_UXN = 1 << 22;
/** XN[0] of stage 2, bit 53. */
export const DESC_S2_XN0 = 1 << 21;
/** XN[1] of stage 2, bit 54. */
export const DESC_S2_XN1 = 1 << 22;
/** In a descriptor for a table, for all below: PXNTable, bit 59. */
export const DESC_PXN_TABLE = 1 << 27;
/** UXNTable, bit 60. */
export const DESC_UXN_TABLE = 1 << 28;
/** APTable[0], bit 61: no access at EL0. */
export const DESC_NO_EL0_TABLE = 1 << 29;
/** APTable[1], bit 62: no writes. */
export const DESC_READ_ONLY_TABLE = 1 << 30;

const field = (name: string, low: number, high: number, meaning: string): EntryField => ({ name, low, high, meaning });

const VALID = field('V', 0, 0, 'valid; with 0 every other bit is free for software and an access faults');
const TYPE_TABLE = field('T', 1, 1, '1: table, or page at the last level');
const TYPE_BLOCK = field('T', 1, 1, '0: block');
const ACCESSED = field('AF', 10, 10, 'accessed; with 0 an access faults or hardware sets it (HA)');
const MODIFIER = field('DBM', 51, 51, 'hardware may make the page writable, and so dirty (HD)');
const CONTIGUOUS = field(
  'C',
  52,
  52,
  'one of a set of adjacent entries with adjacent pages: a TLB may keep them as one',
);
const SOFTWARE = field('ignored', 55, 58, 'free for software');
const IGNORED = field('ignored', 59, 63, 'ignored, but for PBHA');
const reserved = (low: number, high: number): EntryField => field('reserved', low, high, 'RES0: ignored');

const SHAREABILITY = field('SH', 8, 9, 'shareability: 0 none, 2 outer, 3 inner');
const STAGE1_LOW = [
  field('AttrIndx', 2, 4, 'memory attributes: a byte of MAIR_EL1'),
  field('NS', 5, 5, 'non-secure; ignored outside Secure state'),
  field('AP1', 6, 6, 'EL0 has access'),
  field('AP2', 7, 7, 'no writes; with DBM and HD: clean'),
  SHAREABILITY,
  ACCESSED,
  field('nG', 11, 11, 'not global: the translation is of one address space'),
];
const STAGE1_HIGH = [
  MODIFIER,
  CONTIGUOUS,
  field('PXN', 53, 53, 'no execution at EL1'),
  field('UXN', 54, 54, 'no execution at EL0'),
  SOFTWARE,
  IGNORED,
];
const STAGE2_LOW = [
  field('MemAttr', 2, 5, 'memory attributes'),
  field('S2AP0', 6, 6, 'reads are allowed'),
  field('S2AP1', 7, 7, 'writes are allowed; with DBM and HD: dirty'),
  SHAREABILITY,
  ACCESSED,
  reserved(11, 11),
];
const STAGE2_HIGH = [
  MODIFIER,
  CONTIGUOUS,
  field('XN', 53, 54, 'no execution: 0 allowed, 1 not at EL1, 2 nowhere, 3 not at EL0; without FEAT_XNX bit 54 alone'),
  SOFTWARE,
  IGNORED,
];
const STAGE1_TABLE = [
  field('ignored', 51, 58, 'ignored'),
  field('PXNTable', 59, 59, 'no execution at EL1 below'),
  field('UXNTable', 60, 60, 'no execution at EL0 below'),
  field('APTable0', 61, 61, 'no access at EL0 below'),
  field('APTable1', 62, 62, 'no writes below'),
  field('NSTable', 63, 63, 'ignored outside Secure state'),
];
const STAGE2_TABLE = [field('ignored', 51, 58, 'ignored'), reserved(59, 63)];

const STAGE1_SECTION = 'Arm ARM (DDI 0487), chapter D8, "VMSAv8-64 descriptor formats", stage 1';
const STAGE2_SECTION = 'Arm ARM (DDI 0487), chapter D8, "VMSAv8-64 descriptor formats", stage 2';

/** A granule: log2 of its bytes, and the manual's levels with blocks. */
interface Granule {
  readonly shift: number;
  readonly blockLevels: readonly number[];
  /** LPA: bits 15:12 of an entry are bits 51:48 of the address, if the processor has so many. LPA2: see below. */
  readonly wide?: 'LPA' | 'LPA2';
}

const GRANULES = {
  '4k': { shift: 12, blockLevels: [1, 2] },
  '16k': { shift: 14, blockLevels: [2] },
  '64k': { shift: 16, blockLevels: [1, 2], wide: 'LPA' },
  // DS = 1: bits 49:48 are the address's own, and bits 9:8 its bits 51:50 in place of SH, which is in TCR_EL1 or VTCR_EL2.
  '4k-lpa2': { shift: 12, blockLevels: [0, 1, 2], wide: 'LPA2' },
  '16k-lpa2': { shift: 14, blockLevels: [1, 2], wide: 'LPA2' },
} as const satisfies Record<string, Granule>;

/** The address field of an entry of `2^shift` bytes, the bits below it, and those above. */
function addressFields({ wide }: Granule, shift: number, name: string): readonly EntryField[] {
  const last = wide === 'LPA2' ? 49 : 47;
  const address = [field(name, shift, last, `address bits ${last}:${shift}`), reserved(last + 1, 50)];
  if (wide === 'LPA2') {
    const high = field(`${name}Hi`, 8, 9, 'address bits 51:50');
    return shift === 12 ? [high, ...address] : [high, reserved(12, shift - 1), ...address];
  }
  if (wide !== 'LPA') return shift === 12 ? address : [reserved(12, shift - 1), ...address];
  const high = field(`${name}Hi`, 12, 15, 'address bits 51:48 (FEAT_LPA), else RES0');
  return shift === 16 ? [high, ...address] : [high, reserved(16, shift - 1), ...address];
}

function level(granule: Granule, level: number, indexBits: number, stage: 1 | 2): PagingLevel {
  const { shift: base, blockLevels } = granule;
  const shift = base + level * (base - 3);
  const number = 3 - level;
  const section = stage === 1 ? STAGE1_SECTION : STAGE2_SECTION;
  const [low, high] = stage === 1 ? [STAGE1_LOW, STAGE1_HIGH] : [STAGE2_LOW, STAGE2_HIGH];
  const isDs = granule.wide === 'LPA2';
  const flags = isDs ? low.filter((each) => each !== SHAREABILITY) : low;
  const pageEntry: EntryFormat = {
    name: level === 0 ? 'page descriptor' : `block descriptor, level ${number}`,
    bytes: 8,
    section,
    fields: [VALID, level === 0 ? TYPE_TABLE : TYPE_BLOCK, ...flags, ...addressFields(granule, shift, 'OA'), ...high],
  };
  const shared = { table: `level ${number}`, level, shift, indexBits };
  if (level === 0) return { ...shared, pageEntry };
  const table = addressFields(granule, base, 'table');
  const tableEntry: EntryFormat = {
    name: `table descriptor, level ${number}`,
    bytes: 8,
    section,
    fields: [
      VALID,
      TYPE_TABLE,
      ...(isDs
        ? [field('ignored', 2, 7, 'ignored'), field('ignored', 10, 11, 'ignored')]
        : [field('ignored', 2, 11, 'ignored')]),
      ...table,
      ...(stage === 1 ? STAGE1_TABLE : STAGE2_TABLE),
    ],
  };
  return { ...shared, tableEntry, ...(blockLevels.includes(number) ? { pageEntry } : {}) };
}

/** The levels for `inputBits` bits of address, root first; stage 2 may have up to 16 tables in a row for a root. */
function levels(granule: Granule, inputBits: number, stage: 1 | 2): readonly PagingLevel[] {
  const stride = granule.shift - 3;
  const rootLevel = Math.floor((inputBits - 1 - granule.shift) / stride);
  return Array.from({ length: rootLevel + 1 }, (_, n) => {
    const rest = inputBits - granule.shift - stride * rootLevel;
    return level(granule, rootLevel - n, n === 0 ? rest : stride, stage);
  });
}

function mode<Name extends string>(
  name: Name,
  granule: Granule,
  inputBits: number,
  stage: 1 | 2,
): PagingMode & { readonly name: Name } {
  return {
    name,
    title: `VMSAv8-64 stage ${stage}, granule of ${2 ** (granule.shift - 10)} KiB, ${inputBits} bits`,
    section: 'Arm ARM (DDI 0487), chapter D8, "Translation process"',
    linearBits: inputBits,
    entryBytes: 8,
    levels: levels(granule, inputBits, stage),
  };
}

/** Tables of stage 1 by granule, each at its longest addresses; a larger TxSZ leaves levels at the root out. */
export const AARCH64_MODES = {
  '4k': mode('4k', GRANULES['4k'], 48, 1),
  '16k': mode('16k', GRANULES['16k'], 48, 1),
  '64k': mode('64k', GRANULES['64k'], 48, 1),
  '64k-lva': mode('64k-lva', GRANULES['64k'], 52, 1),
  '4k-lpa2': mode('4k-lpa2', GRANULES['4k-lpa2'], 52, 1),
  '16k-lpa2': mode('16k-lpa2', GRANULES['16k-lpa2'], 52, 1),
} as const;

/** Tables of stage 2 by granule. */
export const AARCH64_STAGE2_MODES = {
  '4k': mode('4k', GRANULES['4k'], 48, 2),
  '16k': mode('16k', GRANULES['16k'], 48, 2),
  '64k': mode('64k', GRANULES['64k'], 48, 2),
  '4k-lpa2': mode('4k-lpa2', GRANULES['4k-lpa2'], 52, 2),
  '16k-lpa2': mode('16k-lpa2', GRANULES['16k-lpa2'], 52, 2),
} as const;

/** A mode of stage 1: `4k`, `16k`, `64k`, and those with 52 bits, `64k-lva`, `4k-lpa2`, `16k-lpa2`. */
export type AArch64ModeName = keyof typeof AARCH64_MODES;
