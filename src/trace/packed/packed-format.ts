/**
 * pagewalk's packed trace format (`.pwt`), version 2. This comment is its specification; `docs/recording.md` tells
 * the purpose of the parts.
 *
 *     file    = header, (window, block*)*, facts, end       integers are little-endian and unsigned
 *     header  = magic (4 bytes: 89 'P' 'W' 'T'), version (1 byte: 2), length (u32), metadata (JSON, UTF-8), crc (u32)
 *     window  = 'W', position (u64), crc (u32)
 *     block   = 'B', accesses (u32), 4 x { raw length (u32), packed length (u32) }, 4 packed columns, crc (u32)
 *     facts   = 'F', raw length (u32), packed length (u32), packed JSON in UTF-8, crc (u32)
 *     end     = 'E', fetches (u64), loads (u64), stores (u64), modifies (u64), crc (u32), and nothing after it
 *
 * Every crc is the CRC-32 of zlib over the record it ends, from the record's first byte. A file without its end record
 * was cut. A reader also takes the whole file gzipped.
 *
 * A window is a part of the run; its position is the number of accesses of the run before it. Facts are known
 * at the end alone: `metadata.ts` has both forms of JSON.
 *
 * A block holds 1 to 65,536 accesses in four columns, each packed by itself with raw DEFLATE (RFC 1951):
 *
 * 1. Operations, one for every access: kind and size. An operation is a number from 0 to 254 in order of first
 *    appearance in the window; the first time, its number is followed by kind (u8: fetch 0, load 1, store 2, modify 3)
 *    and size (u16). When 255 numbers are taken, further operations are written as 255, kind, size, every time.
 * 2. Codes, one byte for every access: the source of its address.
 *    - 0 to 31: from that cursor, plus a difference from column 3. The cursor then moves to the address. Writers keep
 *      one cursor near each stream of addresses (the stack, an array, ...) and are free in how they choose.
 *    - 32: the address this *site* used last. Without a program counter, the last eight operations, this one included,
 *      tell one place of the program from another.
 *    - 33: the address after the same *pair* of addresses the last time, for this operation.
 * 3. Differences, for codes below 32 only: this address minus the cursor, modulo 2^64, as a two's complement number in
 *    zigzag form (0, -1, 1, -2 as 0, 1, 2, 3) and LEB128 bytes.
 * 4. Turns, as three LEB128 numbers each: accesses in a row of one thread, the process, the thread in its process. Both
 *    are counted from 0. The turns of a block add up to its accesses.
 *
 * Cursors, operations and tables begin empty (zero) in each window and live from block to block. Cursor 0 is moved to
 * every address, by any code. The tables have 65,536 entries; {@link siteIndex} and {@link pairIndex} say where.
 *
 * Version 1 has neither windows nor facts nor turns: a single window, all its accesses of one process and thread. Its
 * metadata says at the most how many processes were mixed.
 */

import { FETCH, LOAD, MODIFY, STORE } from '../block.js';

export const MAGIC = new Uint8Array([0x89, 0x50, 0x57, 0x54]);
export const VERSION = 2;
/** The oldest version a reader takes. */
export const FIRST_VERSION = 1;
export const WINDOW_TAG = 0x57;
export const BLOCK_TAG = 0x42;
export const FACTS_TAG = 0x46;
export const END_TAG = 0x45;

/** Bytes of the header before its metadata. */
export const HEADER_BYTES = 9;
export const WINDOW_BYTES = 13;
/** Bytes of the facts before their JSON. */
export const FACTS_HEAD_BYTES = 9;
export const END_BYTES = 37;
export const CRC_BYTES = 4;

export const PACKED_BLOCK_ACCESSES = 65536;
/** The most bytes of an access in each column, before DEFLATE: operations, codes, differences, turns. */
export const COLUMN_BYTES_PER_ACCESS: readonly number[] = [4, 1, 10, 13];
/** The columns of a block, in version 1 but the first three. */
export function columnsOf(version: number): readonly number[] {
  return version === 1 ? COLUMN_BYTES_PER_ACCESS.slice(0, 3) : COLUMN_BYTES_PER_ACCESS;
}
/** Bytes of a block before its columns. */
export function blockHeadBytes(columns: number): number {
  return 5 + 8 * columns;
}
/** More metadata than this is no pagewalk trace. */
export const MAX_METADATA_BYTES = 1 << 20;
/** Nor more facts than this. */
export const MAX_FACTS_BYTES = 1 << 26;

/** The kinds of accesses by their numbers in a file. */
export const FILE_KINDS: readonly number[] = [FETCH, LOAD, STORE, MODIFY];

export const CURSORS = 32;
export const SITE_CODE = 32;
export const PAIR_CODE = 33;
/** The operation number for a kind and size spelled out each time. */
export const EXPLICIT_OPERATION = 255;

const TABLE_SHIFT = 16;
/** Entries of the table of sites, and of that of pairs. */
export const SITES = 1 << (32 - TABLE_SHIFT);
const TABLE_WORDS = 2 * SITES;
/** Start of the table of pairs and of the cursors in {@link AccessModel.addresses}; the table of sites is first. */
const PAIR_START = TABLE_WORDS;
const CURSOR_START = 2 * TABLE_WORDS;
/** Words of {@link AccessModel.addresses}. */
export const MODEL_WORDS = CURSOR_START + 2 * CURSORS;
/** A constant, as V8 folds it; a declared function it would load and test at each of the decoder's calls. */
const tableIndex = (word: number): number => (Math.imul(word ^ (word >>> 15), 0x85ebca6b) >>> TABLE_SHIFT) << 1;

/** The common knowledge of writer and reader about the accesses so far; they must agree on every bit of it. */
export class AccessModel {
  /** Numbers of the last four operations, a byte each, the newest lowest; and of the four before. */
  operations = 0;
  olderOperations = 0;
  /** The newest address, and the low word of the one before. */
  lastHi = 0;
  lastLo = 0;
  secondLo = 0;

  /**
   * @param addresses those last used, low word then high, at {@link siteIndex} and {@link pairIndex}, and those of the
   *   cursors at {@link cursorIndex}: in one array, since V8 checks each array of a loop anew in each round
   */
  constructor(readonly addresses: Int32Array = new Int32Array(MODEL_WORDS)) {}

  /** As before the first access. */
  reset(): void {
    this.addresses.fill(0);
    this.operations = this.olderOperations = 0;
    this.lastHi = this.lastLo = this.secondLo = 0;
  }
}

/** The index of the address last used by the site; the current operation is the newest of `operations`. */
export const siteIndex = (operations: number, olderOperations: number): number =>
  tableIndex(operations ^ Math.imul(olderOperations, 0x9e3779b1));

/** The index of the address last seen after these two low words, for an operation. */
export const pairIndex = (lastLo: number, secondLo: number, operation: number): number =>
  PAIR_START | tableIndex(lastLo ^ Math.imul(secondLo + operation, 0x9e3779b1));

/** The index of a cursor. */
export const cursorIndex = (cursor: number): number => CURSOR_START | (cursor << 1);

const CRC_TABLE = new Int32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xedb88320 : 0);
  CRC_TABLE[byte] = remainder;
}

/** CRC-32 as zlib and gzip compute it (RFC 1952, section 8), unsigned. `node:zlib` has it only from Node 22 on. */
export function crc32(bytes: Uint8Array): number {
  return ~remainderOf(bytes) >>> 0;
}

/** An int32 to its end: with a larger number behind the loop, V8 threw the compiled loop away at the end of each call. */
function remainderOf(bytes: Uint8Array): number {
  const { length } = bytes;
  let crc = -1;
  for (let i = 0; i < length; i++) crc = CRC_TABLE[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8);
  return crc;
}
