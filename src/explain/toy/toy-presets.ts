/** Machines of textbooks, ready to walk. Addresses and their answers are the books' own where a source is named. */

import { packToyEntry } from '../../../hw/toy/shape.js';
import type { ToyEntry, ToyFlag } from '../../../hw/toy/shape.js';
import { STATE_VERSION } from '../state-form.js';
import type { ToyStateInput } from './toy-state.js';

const schemaVersion = STATE_VERSION;
const machine = 'toy';

function text(value: number): string {
  return `0x${value.toString(16)}`;
}

/** Words of a table from `index` on: frames, each with flags. */
function table(
  entry: ToyEntry,
  at: number,
  index: number,
  frames: readonly number[],
  flags: readonly ToyFlag[] = ['valid'],
): { at: string; words: string[]; wordBytes: 1 | 2 | 4 } {
  const words = frames.map((frame) => text(packToyEntry(entry, frame, flags)));
  return { at: text(at + index * entry.bytes), words, wordBytes: entry.bytes };
}

/** OSTEP, "Introduction to Paging": an address space of 64 bytes; virtual 21 is physical 117. */
const linear: ToyStateInput = {
  schemaVersion,
  machine,
  about: 'OSTEP, Introduction to Paging: 64 bytes in pages of 16',
  virtualBits: 6,
  physicalBits: 7,
  pages: { bytes: 16, root: '0x0', entry: { bytes: 1, valid: 7, frame: [2, 0] } },
  memory: [{ at: '0x0', bytes: '83 87 85 82' }],
};

const MULTI: ToyEntry = { bytes: 4, valid: 31, writable: 30, executable: 29, frame: [7, 0] };
const MULTI_TABLE: ToyEntry = { bytes: 4, valid: 31, frame: [7, 0] };

/** OSTEP, "Paging: Smaller Tables", a detailed multi-level example: 0x3f80 is 0xdc0. */
const multiLevel: ToyStateInput = {
  schemaVersion,
  machine,
  about: 'OSTEP, Paging: Smaller Tables: 16 KiB in pages of 64 bytes, two levels',
  virtualBits: 14,
  physicalBits: 13,
  pages: { bytes: 64, root: '0x40', levels: [4, 4], entry: MULTI, tableEntry: MULTI_TABLE },
  memory: [
    table(MULTI_TABLE, 0x40, 0, [100]),
    table(MULTI_TABLE, 0x40, 15, [101]),
    table(MULTI, 100 * 64, 0, [10, 23], ['valid', 'executable']),
    table(MULTI, 100 * 64, 4, [80, 59], ['valid', 'writable']),
    table(MULTI, 101 * 64, 14, [55, 45], ['valid', 'writable']),
  ],
};

/** OSTEP, "Segmentation": code, heap and a stack that grows down; 4200 is 34920, 15 KiB is 27 KiB. */
const segments: ToyStateInput = {
  schemaVersion,
  machine,
  about: 'OSTEP, Segmentation: code, heap and stack by the top two bits',
  virtualBits: 14,
  physicalBits: 16,
  segments: {
    bits: 2,
    registers: [
      { base: 32 * 1024, limit: 2 * 1024, writable: false },
      { base: 34 * 1024, limit: 3 * 1024, executable: false },
      { base: 0, limit: 0 },
      { base: 28 * 1024, limit: 2 * 1024, grows: 'down', executable: false },
    ],
  },
};

/** OSTEP, "Paging: Faster Translations (TLBs)", accessing an array: ten integers from 100 on, 3 misses and 7 hits. */
const tlb: ToyStateInput = {
  schemaVersion,
  machine,
  about: 'OSTEP, Paging: Faster Translations: 256 bytes in pages of 16, an array at 100',
  virtualBits: 8,
  physicalBits: 8,
  pages: { bytes: 16, root: '0x0', entry: { bytes: 1, valid: 7, frame: [3, 0] } },
  tlb: { sets: 1, ways: 4 },
  memory: [{ at: '0x6', bytes: '8b 8e 83' }],
};

const CSAPP: ToyEntry = { bytes: 1, valid: 7, frame: [5, 0] };

/**
 * CS:APP, "Putting It Together: End-to-End Address Translation": 0x3d4 hits the TLB and is 0x354. The book does not say
 * where the page table lies, nor what is in it from page 0x10 on; it shows the byte at 0x354.
 */
const csapp: ToyStateInput = {
  schemaVersion,
  machine,
  about: 'CS:APP, End-to-End Address Translation: 14-bit virtual, 12-bit physical addresses',
  virtualBits: 14,
  physicalBits: 12,
  pages: { bytes: 64, root: '0xf00', entry: CSAPP },
  tlb: {
    sets: 4,
    ways: 4,
    entries: [
      { set: 0, tag: '0x9', frame: '0xd' },
      { set: 0, tag: '0x7', frame: '0x2' },
      { set: 1, tag: '0x3', frame: '0x2d' },
      { set: 3, tag: '0x3', frame: '0xd' },
      { set: 3, tag: '0xa', frame: '0x34' },
    ],
  },
  memory: [
    { at: '0xf00', bytes: 'a8 00 b3 82 00 96 00 00 93 97 89 00 00 ad 91 8d' },
    { at: '0x354', bytes: '36' },
  ],
};

const PENCIL: ToyEntry = { bytes: 1, valid: 7, writable: 6, user: 5, frame: [3, 0] };

/** For pencil and paper: 256 bytes, pages of 16, two levels of four entries, two entries of a TLB. */
const pencil: ToyStateInput = {
  schemaVersion,
  machine,
  about: 'pencil and paper: 256 bytes in pages of 16, two levels of four entries',
  virtualBits: 8,
  physicalBits: 8,
  pages: { bytes: 16, root: '0x10', levels: [2, 2], entry: PENCIL, tableEntry: { bytes: 1, valid: 7, frame: [3, 0] } },
  tlb: { sets: 2, ways: 1 },
  memory: [
    { at: '0x10', bytes: '82 00 00 83' },
    { at: '0x20', bytes: 'e5 a6 00 c7' },
    { at: '0x30', bytes: '00 00 e8 e9' },
    { at: '0x50', bytes: '70 61 67 65' },
    { at: '0x80', bytes: '77 61 6c 6b' },
  ],
};

const TWO_LEVEL: ToyEntry = { bytes: 4, valid: 0, writable: 1, user: 2, accessed: 5, dirty: 6, frame: [31, 12] };

/** Two levels of 10 bits, entries of 4 bytes as x86 lays them out: the five pages of GATE CS 2003, 16 KiB of tables. */
const twoLevel: ToyStateInput = {
  schemaVersion,
  machine,
  about: 'two levels of 10 bits, entries of 4 bytes: two pages of code, two of data, one of stack',
  virtualBits: 32,
  physicalBits: 32,
  memoryBytes: 2 ** 20,
  pages: { bytes: 4096, root: '0x1000', levels: [10, 10], entry: TWO_LEVEL },
  memory: [
    table(TWO_LEVEL, 0x1000, 0, [2, 3], ['valid', 'writable', 'user']),
    table(TWO_LEVEL, 0x1000, 1023, [4], ['valid', 'writable', 'user']),
    table(TWO_LEVEL, 0x2000, 0, [0x10, 0x11], ['valid', 'user']),
    table(TWO_LEVEL, 0x3000, 0, [0x12, 0x13], ['valid', 'writable', 'user']),
    table(TWO_LEVEL, 0x4000, 1023, [0x14], ['valid', 'writable', 'user']),
  ],
};

/** The machines by name. */
export const TOY_PRESETS: Readonly<Record<string, ToyStateInput>> = {
  linear,
  'multi-level': multiLevel,
  segments,
  tlb,
  csapp,
  pencil,
  'two-level': twoLevel,
};
