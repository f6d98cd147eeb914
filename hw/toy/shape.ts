/**
 * The shape of a toy machine: few bits, small pages, entries as the reader likes them. Textbooks translate on such
 * machines by hand.
 *
 * Sources: Arpaci-Dusseau, Operating Systems: Three Easy Pieces, chapters 15 to 20; Bryant and O'Hallaron, Computer
 * Systems: A Programmer's Perspective, "Putting It Together: End-to-End Address Translation".
 */

import {
  checkChoice,
  checkKind,
  checkObject,
  checkOptions,
  checkWhole,
  LIST,
  arrayOf,
  objectWith,
} from '../base/arguments.js';
import type { EntryField, EntryFormat } from '../base/format.js';

/** Where an entry keeps what. Bits count from 0; a right without a bit is always given. */
export interface ToyEntry {
  readonly bytes: 1 | 2 | 4;
  /** The highest and the lowest bit of the frame's number. */
  readonly frame: readonly [high: number, low: number];
  readonly valid: number;
  readonly writable?: number;
  readonly executable?: number;
  readonly user?: number;
  /** Set by walks, as on real machines. */
  readonly accessed?: number;
  readonly dirty?: number;
}

/** Page tables of 1 to 4 levels. A table begins at the start of a frame; the root begins anywhere. */
export interface ToyPaging {
  /** Bytes of a page: a power of two from 16. */
  readonly pageBytes: number;
  /** Physical address of the root table. */
  readonly root: number;
  /** Bits of the index of each level, root first. With the bits of the offset they make up the virtual address. */
  readonly levels: readonly number[];
  /** Entries of the last level. */
  readonly entry: ToyEntry;
  /** Entries of the levels above; like those of the last one when absent. */
  readonly tableEntry?: ToyEntry;
}

/** A base and bounds register. */
export interface ToySegment {
  /** Physical address of the first byte; of the byte after the last one when it grows down. */
  readonly base: number;
  /** Bytes in use. */
  readonly limit: number;
  readonly grows: 'up' | 'down';
  readonly writable?: boolean;
  readonly executable?: boolean;
}

/** The top bits of an address choose a segment; without any there is one segment: base and bounds. */
export interface ToySegmentation {
  readonly bits: number;
  readonly registers: readonly ToySegment[];
}

/** A TLB of `sets` times `ways` entries. A page belongs to set page mod `sets`. */
export interface ToyTlbShape {
  /** A power of two. */
  readonly sets: number;
  readonly ways: number;
  /** The entry of a full set to give way: used longest ago, or put in first. */
  readonly replacement: 'lru' | 'fifo';
}

/** A toy machine: `paging` or `segmentation`, not both. */
export interface ToyShape {
  readonly virtualBits: number;
  readonly physicalBits: number;
  /** Bytes of RAM from physical address 0. */
  readonly memoryBytes: number;
  readonly paging?: ToyPaging;
  readonly segmentation?: ToySegmentation;
  readonly tlb?: ToyTlbShape;
}

/** Right of a translation, as a bit of its rights: it may be written. */
export const TOY_WRITABLE = 1;
/** It may be fetched from. */
export const TOY_EXECUTABLE = 2;
/** User mode may use it. */
export const TOY_USER = 4;
/** All of them. */
export const TOY_RIGHTS = TOY_WRITABLE | TOY_EXECUTABLE | TOY_USER;

/** A bit of an entry by name. */
export type ToyFlag = Exclude<keyof ToyEntry, 'bytes' | 'frame'>;

const MEANINGS: Readonly<Record<ToyFlag, readonly [string, string]>> = {
  valid: ['V', 'the entry is in use'],
  writable: ['W', 'may be written'],
  executable: ['X', 'may be fetched from'],
  user: ['U', 'user mode may use it'],
  accessed: ['A', 'was used'],
  dirty: ['D', 'was written'],
};

const FLAGS = Object.keys(MEANINGS) as readonly ToyFlag[];

const ENTRY = { frame: LIST };
const REGISTERS = arrayOf(objectWith('base', 'an object { base, limit, grows }'));

/** The layout as a table, bit 0 first: for dumps and decoders. @throws TypeError for no layout */
export function toyEntryFormat(entry: ToyEntry): EntryFormat {
  checkOptions('toyEntryFormat: entry', entry, ENTRY);
  const [high, low] = entry.frame;
  const fields: EntryField[] = [{ name: 'frame', low, high, meaning: 'number of the frame' }];
  for (const flag of FLAGS) {
    const bit = entry[flag];
    const [name, meaning] = MEANINGS[flag];
    if (bit !== undefined) fields.push({ name, low: bit, high: bit, meaning });
  }
  fields.sort((a, b) => a.low - b.low);
  return { name: 'toy entry', bytes: entry.bytes, section: 'the layout given with the machine', fields };
}

/** The number of the frame in an entry. */
export function toyFrame({ frame: [high, low] }: ToyEntry, value: number): number {
  return Math.floor(value / 2 ** low) % 2 ** (high - low + 1);
}

/** Whether the entry has its bit for `flag`, or needs none. */
export function toyFlag(entry: ToyEntry, value: number, flag: ToyFlag): boolean {
  const bit = entry[flag];
  return bit === undefined || ((value >>> bit) & 1) === 1;
}

/** An entry's value: a frame, and the flags to set; flags without a bit are left out. @throws TypeError for no layout */
export function packToyEntry(entry: ToyEntry, frame: number, flags: readonly ToyFlag[]): number {
  checkOptions('packToyEntry: entry', entry, ENTRY);
  checkKind('packToyEntry: flags', flags, LIST);
  const bits = flags.map((flag) => entry[flag]).filter((bit) => bit !== undefined);
  return frame * 2 ** entry.frame[1] + bits.reduce((sum, bit) => sum + 2 ** bit, 0);
}

/** log2 of a power of two; refused otherwise. */
function checkPower(name: string, value: number, least: number, most: number): number {
  checkWhole(name, value, least, most);
  const bits = Math.log2(value);
  if (!Number.isInteger(bits)) throw new RangeError(`${name} ${value}: must be a power of two`);
  return bits;
}

function checkEntry(name: string, entry: ToyEntry): void {
  checkOptions(name, entry, ENTRY);
  checkChoice(`${name}.bytes`, entry.bytes, [1, 2, 4]);
  const [high, low] = entry.frame;
  const top = entry.bytes * 8 - 1;
  checkWhole(`${name}.frame, highest bit`, high, 0, top);
  checkWhole(`${name}.frame, lowest bit`, low, 0, high);
  const taken = new Map<number, string>();
  for (let bit = low; bit <= high; bit++) taken.set(bit, 'frame');
  for (const flag of FLAGS) {
    const bit = entry[flag];
    if (bit === undefined) continue;
    checkWhole(`${name}.${flag}`, bit, 0, top);
    const other = taken.get(bit);
    if (other !== undefined) throw new RangeError(`${name}.${flag} ${bit}: that bit is ${other}'s; give a free one`);
    taken.set(bit, flag);
  }
}

function checkPaging(paging: ToyPaging, { virtualBits, memoryBytes }: ToyShape): void {
  checkOptions('pages', paging, { levels: LIST });
  const offsetBits = checkPower('pages.bytes', paging.pageBytes, 16, 2 ** 24);
  checkWhole('pages.levels, how many', paging.levels.length, 1, 4);
  for (const bits of paging.levels) checkWhole('pages.levels', bits, 1, 28);
  const sum = paging.levels.reduce((all, bits) => all + bits, offsetBits);
  if (sum !== virtualBits) {
    const parts = `${paging.levels.join(' + ')} bits of indices and ${offsetBits} of the offset make ${sum}`;
    throw new RangeError(`virtualBits ${virtualBits}: ${parts}; let both be the same`);
  }
  checkEntry('pages.entry', paging.entry);
  if (paging.tableEntry !== undefined) checkEntry('pages.tableEntry', paging.tableEntry);
  checkWhole('pages.root', paging.root, 0, memoryBytes - 1);
}

function checkSegmentation(segmentation: ToySegmentation, { virtualBits, physicalBits }: ToyShape): void {
  checkOptions('segments', segmentation, { registers: REGISTERS });
  const { bits, registers } = segmentation;
  checkWhole('segments.bits', bits, 0, Math.min(4, virtualBits - 1));
  checkWhole('segments.registers, how many', registers.length, 1, 2 ** bits);
  for (const [number, { base, limit, grows }] of registers.entries()) {
    const name = `segments.registers.${number}`;
    checkWhole(`${name}.base`, base, 0, 2 ** physicalBits);
    checkWhole(`${name}.limit`, limit, 0, 2 ** (virtualBits - bits));
    checkChoice(`${name}.grows`, grows, ['up', 'down']);
  }
}

/**
 * Checks a machine before it is built; names are those of a state file.
 * @throws RangeError with the field, its value and the fix; TypeError for no shape, or a list that is none
 */
export function checkToyShape(shape: ToyShape): void {
  checkObject('ToyMachine: shape', shape, 'virtualBits, physicalBits, memoryBytes');
  const { virtualBits, physicalBits, memoryBytes, paging, segmentation, tlb } = shape;
  checkWhole('virtualBits', virtualBits, 4, 32);
  checkWhole('physicalBits', physicalBits, 4, 32);
  checkWhole('memoryBytes', memoryBytes, 16, 2 ** physicalBits);
  if (paging !== undefined) checkPaging(paging, shape);
  if (segmentation !== undefined) checkSegmentation(segmentation, shape);
  if ((paging === undefined) === (segmentation === undefined)) {
    throw new RangeError(`pages, segments: ${paging ? 'both are given' : 'neither is given'}; give one of them`);
  }
  if (tlb === undefined) return;
  if (paging === undefined) throw new RangeError('tlb: a machine with segments has none; leave it out');
  checkPower('tlb.sets', tlb.sets, 1, 1024);
  checkWhole('tlb.ways', tlb.ways, 1, 64);
  checkChoice('tlb.replacement', tlb.replacement, ['lru', 'fifo']);
}
