/**
 * Descriptors: segment descriptors, system descriptors and call gates, as data and as hot constants.
 *
 * A descriptor is 8 bytes, two words `(hi, lo)`; in IA-32e mode LDT and TSS descriptors and call gates are 16.
 * Source: Intel SDM vol. 3A, "Segment Descriptors", "System Descriptor Types" and "Call Gates".
 */

import { checkObject, checkWhole } from '../../base/arguments.js';
import type { Word64 } from '../../base/address.js';
import type { EntryField, EntryFormat } from '../../base/format.js';

type Row = readonly [low: number, high: number, name: string, meaning: string];

function fieldsOf(rows: readonly Row[]): readonly EntryField[] {
  return rows.map(([low, high, name, meaning]) => ({ name, low, high, meaning }));
}

function formatOf(name: string, title: string, rows: readonly Row[]): EntryFormat {
  return { name, bytes: 8, section: `Intel SDM vol. 3A, "${title}"`, fields: fieldsOf(rows) };
}

/** A selector, 16 bits. Source: Intel SDM vol. 3A, "Segment Selectors". */
export const SELECTOR_FIELDS = fieldsOf([
  [
    0,
    1,
    'RPL',
    'Requested privilege level: a load is checked as if it were made at this level where it is the weaker.',
  ],
  [2, 2, 'TI', 'Table indicator: 0 names the GDT, 1 the LDT.'],
  [3, 15, 'index', 'Number of the descriptor in its table; index 0 with TI = 0 is the null selector.'],
]);

export const SEGMENT_FORMAT = formatOf('segment descriptor', 'Segment Descriptors', [
  [0, 15, 'limit 15:0', 'Low part of the limit: the last valid offset, counted in bytes or in units of 4 KiB.'],
  [16, 31, 'base 15:0', 'Low part of the linear address of byte 0 of the segment.'],
  [32, 39, 'base 23:16', 'Middle part of the base.'],
  [40, 40, 'A', 'Accessed: the processor sets it when a selector of this descriptor is loaded.'],
  [41, 41, 'W/R', 'Data: writes are allowed. Code: reads are allowed.'],
  [
    42,
    42,
    'E/C',
    'Data: expand-down, valid offsets lie above the limit. Code: conforming, runs at the level of its caller.',
  ],
  [43, 43, 'code', '1 for a code segment, 0 for a data segment.'],
  [44, 44, 'S', '1 for code and data, 0 for system descriptors and gates.'],
  [45, 46, 'DPL', 'Descriptor privilege level: who may load the segment.'],
  [47, 47, 'P', 'Present: loading a segment that is not present raises #NP, or #SS for SS.'],
  [48, 51, 'limit 19:16', 'High part of the limit.'],
  [52, 52, 'AVL', 'For software; the processor ignores it.'],
  [53, 53, 'L', '64-bit code segment, when IA-32e mode is active; D must then be 0.'],
  [54, 54, 'D/B', 'Code: 32-bit by default. Stack: ESP, not SP. Expand-down: offsets reach 4 GiB, not 64 KiB.'],
  [55, 55, 'G', 'Granularity: the limit counts bytes (0) or units of 4 KiB (1).'],
  [56, 63, 'base 31:24', 'High part of the base.'],
]);

export const CALL_GATE_FORMAT = formatOf('call gate', 'Call Gates', [
  [0, 15, 'offset 15:0', 'Low part of the entry point.'],
  [16, 31, 'selector', 'Code segment of the entry point.'],
  [32, 36, 'parameters', 'Words or doublewords copied to the inner stack; none through a 64-bit gate.'],
  [40, 43, 'type', '4: 16-bit call gate; 12: 32-bit call gate, or 64-bit in IA-32e mode.'],
  [44, 44, 'S', '0, as in every system descriptor.'],
  [45, 46, 'DPL', 'The least privileged level that may call through the gate.'],
  [47, 47, 'P', 'Present: calling through a gate that is not present raises #NP.'],
  [48, 63, 'offset 31:16', 'Middle part of the entry point.'],
]);

/** Words 2 and 3 of the 16-byte forms of IA-32e mode: call gate (offset) and LDT or TSS (base). */
export const LONG_UPPER_FORMAT = formatOf(
  'upper half of a 16-byte descriptor',
  'Segment Descriptor Tables in IA-32e Mode',
  [
    [0, 31, 'address 63:32', 'High part of the base, or of the entry point of a call gate.'],
    [
      40,
      44,
      'zero',
      'Must be 0: as the type of an 8-byte descriptor it would be invalid, so nobody loads the upper half.',
    ],
  ],
);

/** Hot constants of the high word of an 8-byte descriptor; a test holds them to the tables above. */
export const ACCESSED = 1 << 8;
export const WRITABLE = 1 << 9;
export const READABLE = 1 << 9;
export const EXPAND_DOWN = 1 << 10;
export const CONFORMING = 1 << 10;
export const CODE = 1 << 11;
export const CODE_OR_DATA = 1 << 12;
export const PRESENT = 1 << 15;
export const LONG = 1 << 21;
export const BIG = 1 << 22;
export const GRANULARITY = 1 << 23;
/** In the type of a TSS: this task runs, or its TSS is linked to a running one. */
export const BUSY = 1 << 9;
/** Bits of the fourth word of a 16-byte descriptor, to be 0. */
export const LONG_UPPER_ZERO = 0x1f00;

/** System types. Source: table "System-Segment and Gate-Descriptor Types". */
export const TSS_16 = 1;
export const LDT = 2;
export const TSS_16_BUSY = 3;
export const CALL_GATE_16 = 4;
export const TASK_GATE = 5;
export const TSS_32 = 9;
export const TSS_32_BUSY = 11;
export const CALL_GATE_32 = 12;

/** Names of the 16 system types; in IA-32e mode the 32-bit forms are the 64-bit ones. */
export const SYSTEM_TYPE_NAMES: readonly string[] = [
  'reserved type 0',
  '16-bit TSS (available)',
  'LDT',
  '16-bit TSS (busy)',
  '16-bit call gate',
  'task gate',
  '16-bit interrupt gate',
  '16-bit trap gate',
  'reserved type 8',
  '32-bit TSS (available)',
  'reserved type 10',
  '32-bit TSS (busy)',
  '32-bit call gate',
  'reserved type 13',
  '32-bit interrupt gate',
  '32-bit trap gate',
];

/** The RPL of a selector, 0 to 3. */
export function requestedLevel(selector: number): number {
  return selector & 3;
}

/** Whether a selector names the LDT. */
export function namesLdt(selector: number): boolean {
  return (selector & 4) !== 0;
}

/** Selectors 0 to 3: GDT entry 0, closed to segments. */
export function isNull(selector: number): boolean {
  return (selector & 0xfffc) === 0;
}

/** The DPL, 0 to 3, from the high word. */
export function privilegeOf(high: number): number {
  return (high >>> 13) & 3;
}

/** The 4-bit type field from the high word. */
export function typeOf(high: number): number {
  return (high >>> 8) & 15;
}

export function isCode(high: number): boolean {
  return (high & (CODE_OR_DATA | CODE)) === (CODE_OR_DATA | CODE);
}

export function isConformingCode(high: number): boolean {
  const bits = CODE_OR_DATA | CODE | CONFORMING;
  return (high & bits) === bits;
}

export function isWritableData(high: number): boolean {
  return (high & (CODE_OR_DATA | CODE | WRITABLE)) === (CODE_OR_DATA | WRITABLE);
}

/** Data of any kind, or readable code. */
export function isReadable(high: number): boolean {
  return (high & CODE_OR_DATA) !== 0 && ((high & CODE) === 0 || (high & READABLE) !== 0);
}

/** Bits 31:0 of the base of a descriptor, as int32. */
export function baseOf(high: number, low: number): number {
  return (high & 0xff00_0000) | ((high & 0xff) << 16) | (low >>> 16);
}

/** The limit in bytes, as int32 to be read unsigned: with G = 1 it covers whole pages. */
export function limitOf(high: number, low: number): number {
  const field = (high & 0xf_0000) | (low & 0xffff);
  return (high & GRANULARITY) !== 0 ? (field << 12) | 0xfff : field;
}

/** The fields of a segment, LDT or TSS descriptor. */
export interface SegmentFields {
  /** Bits 31:0 of the base, unsigned. */
  readonly base: number;
  /** The 20-bit limit field, in bytes or in units of 4 KiB. */
  readonly limit: number;
  /** The 4-bit type field. */
  readonly type: number;
  /** S: code or data. */
  readonly codeOrData: boolean;
  /** DPL, 0 to 3. */
  readonly privilege: number;
  readonly present: boolean;
  readonly available: boolean;
  readonly long: boolean;
  readonly big: boolean;
  readonly granular: boolean;
}

/** Builds a descriptor. @throws RangeError for a value too large for its field, TypeError for no fields */
export function packSegment(fields: SegmentFields): Word64 {
  checkObject('packSegment: fields', fields, 'base, limit, type, privilege');
  const { base, limit } = fields;
  checkWhole('base', base, 0, 2 ** 32 - 1);
  checkWhole('limit', limit, 0, 2 ** 20 - 1);
  checkWhole('type', fields.type, 0, 15);
  checkWhole('privilege', fields.privilege, 0, 3);
  const flags =
    (fields.type << 8) |
    (fields.codeOrData ? CODE_OR_DATA : 0) |
    (fields.privilege << 13) |
    (fields.present ? PRESENT : 0) |
    (fields.available ? 1 << 20 : 0) |
    (fields.long ? LONG : 0) |
    (fields.big ? BIG : 0) |
    (fields.granular ? GRANULARITY : 0);
  return {
    hi: (base & 0xff00_0000) | ((base >>> 16) & 0xff) | (limit & 0xf_0000) | flags,
    lo: (base << 16) | (limit & 0xffff),
  };
}

/** Takes a descriptor apart: the inverse of {@link packSegment}. */
export function unpackSegment(high: number, low: number): SegmentFields {
  return {
    base: baseOf(high, low) >>> 0,
    limit: (high & 0xf_0000) | (low & 0xffff),
    type: typeOf(high),
    codeOrData: (high & CODE_OR_DATA) !== 0,
    privilege: privilegeOf(high),
    present: (high & PRESENT) !== 0,
    available: (high & (1 << 20)) !== 0,
    long: (high & LONG) !== 0,
    big: (high & BIG) !== 0,
    granular: (high & GRANULARITY) !== 0,
  };
}

/** The fields of a call gate in its 8-byte form; the 64-bit form adds a word with bits 63:32 of the offset. */
export interface CallGateFields {
  /** Bits 31:0 of the entry point, unsigned. */
  readonly offset: number;
  readonly selector: number;
  /** Words or doublewords to copy, 0 to 31. */
  readonly parameters: number;
  /** 4 for a 16-bit gate, 12 for a 32-bit or 64-bit one. */
  readonly type: number;
  readonly privilege: number;
  readonly present: boolean;
}

/** Builds the 8-byte form of a call gate. @throws as {@link packSegment} */
export function packCallGate(fields: CallGateFields): Word64 {
  checkObject('packCallGate: fields', fields, 'offset, selector, parameters, type, privilege');
  checkWhole('offset', fields.offset, 0, 2 ** 32 - 1);
  checkWhole('selector', fields.selector, 0, 0xffff);
  checkWhole('parameters', fields.parameters, 0, 31);
  checkWhole('type', fields.type, 0, 15);
  checkWhole('privilege', fields.privilege, 0, 3);
  const flags = fields.parameters | (fields.type << 8) | (fields.privilege << 13) | (fields.present ? PRESENT : 0);
  return {
    hi: (fields.offset & 0xffff_0000) | flags,
    lo: (fields.selector << 16) | (fields.offset & 0xffff),
  };
}

/** Takes the 8-byte form of a call gate apart. */
export function unpackCallGate(high: number, low: number): CallGateFields {
  return {
    offset: ((high & 0xffff_0000) | (low & 0xffff)) >>> 0,
    selector: low >>> 16,
    parameters: high & 31,
    type: typeOf(high),
    privilege: privilegeOf(high),
    present: (high & PRESENT) !== 0,
  };
}
