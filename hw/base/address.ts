/**
 * 64-bit values as pairs of int32 words, and the parts of an address.
 *
 * On hot paths an address is `(hi, lo)`: two small integers, kept in registers by V8. A plain number holds
 * addresses exactly up to 2^53 and is the form for all other paths. No other file divides by 2^32, so this one alone
 * has to know how the two forms meet.
 */

import { checkKind, TEXT } from './arguments.js';

const TWO_TO_32 = 0x1_0000_0000;

export const PAGE_SHIFT = 12;
/** Bytes of a 4 KiB page. */
export const PAGE_BYTES = 1 << PAGE_SHIFT;
export const PAGE_OFFSET_MASK = PAGE_BYTES - 1;

/** log2 of the page sizes of x86: 4 KiB, 2 MiB, 4 MiB (32-bit paging only), 1 GiB. */
export const SHIFT_4K = 12;
export const SHIFT_2M = 21;
export const SHIFT_4M = 22;
export const SHIFT_1G = 30;

/** A page size as a small number, the index of tables by page size: 4 KiB, 2 MiB, 4 MiB, 1 GiB. */
export const SIZE_4K = 0;
/** 2 MiB. */
export const SIZE_2M = 1;
/** 4 MiB, in 32-bit paging only. */
export const SIZE_4M = 2;
/** 1 GiB. */
export const SIZE_1G = 3;
/** log2 of the bytes of a page, by page size. */
export const SIZE_SHIFTS: readonly number[] = [SHIFT_4K, SHIFT_2M, SHIFT_4M, SHIFT_1G];

/** A 64-bit value as two int32 words. */
export interface Word64 {
  readonly hi: number;
  readonly lo: number;
}

/** The high word, as int32, of a number up to 2^53; the sign of a negative number carries into it. */
export function highWord(value: number): number {
  return Math.floor(value / TWO_TO_32) | 0;
}

/** The low word, as int32, of a number up to 2^53. */
export function lowWord(value: number): number {
  return value | 0;
}

/** The high word, as int32, of a plain value of at most 64 bits, a bigint if a number is not exact. */
export function highWordOf(value: number | bigint): number {
  return typeof value === 'number' ? highWord(value) : Number(BigInt.asIntN(32, value >> 32n));
}

/** Its low word, as int32. */
export function lowWordOf(value: number | bigint): number {
  return typeof value === 'number' ? lowWord(value) : Number(BigInt.asIntN(32, value));
}

/** `(hi, lo)` as an unsigned number; exact below 2^53, as every physical address is. */
export function toNumber(hi: number, lo: number): number {
  return (hi >>> 0) * TWO_TO_32 + (lo >>> 0);
}

/** `(hi, lo)` as an unsigned BigInt: for parsing, printing and tests, never for a hot path. */
export function toBigInt(hi: number, lo: number): bigint {
  return (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
}

/** Splits the low 64 bits of a BigInt into words. */
export function fromBigInt(value: bigint): Word64 {
  return { hi: highWordOf(value), lo: lowWordOf(value) };
}

/** `(hi, lo)` as `0x` and hexadecimal digits, without leading zeros. */
export function formatHex(hi: number, lo: number): string {
  return hi === 0
    ? `0x${(lo >>> 0).toString(16)}`
    : `0x${(hi >>> 0).toString(16)}${(lo >>> 0).toString(16).padStart(8, '0')}`;
}

/** The same of a number up to 2^53. */
export function toHex(value: number): string {
  return formatHex(highWord(value), lowWord(value));
}

/** Reads hexadecimal text of at most 64 bits, with or without `0x`; `undefined` for other text. @throws TypeError for no text */
export function parseAddress(text: string): Word64 | undefined {
  checkKind('parseAddress: text', text, TEXT);
  const digits = /^(?:0x)?([0-9a-f]{1,16})$/i.exec(text.replaceAll('_', '').trim())?.[1];
  return digits === undefined ? undefined : fromBigInt(BigInt(`0x${digits}`));
}

/** The physical address of a 4 KiB frame: its high word. Frames are below 2^31. */
export function highWordOfFrame(frame: number): number {
  return frame >>> 20;
}

/** Its low word. */
export function lowWordOfFrame(frame: number): number {
  return frame << PAGE_SHIFT;
}

/** The same as a plain number. */
export function addressOfFrame(frame: number): number {
  return frame * PAGE_BYTES;
}

/** The other way: the 4 KiB frame number of a physical address, as int32; exact for addresses below 2^43. */
export function frameOf(hi: number, lo: number): number {
  return (hi << 20) | (lo >>> 12);
}

/** Stands for a frame where no RAM can be installed. */
export const NO_FRAME = -1;

/** The frame of a physical address, or NO_FRAME if it lies past the largest possible RAM, of 2^34 bytes. */
export function frameAt(hi: number, lo: number): number {
  return (hi & ~3) !== 0 ? NO_FRAME : frameOf(hi, lo);
}

/** The index into the table of `level` that a linear address selects, for tables of 512 entries. */
export function wideIndex(hi: number, lo: number, level: number): number {
  switch (level) {
    case 0:
      return (lo >>> 12) & 511;
    case 1:
      return (lo >>> 21) & 511;
    case 2:
      return ((hi << 2) | (lo >>> 30)) & 511;
    case 3:
      return (hi >>> 7) & 511;
    default:
      return (hi >>> 16) & 511;
  }
}

/** The number of the page of `2^shift` bytes around `(hi, lo)`: at most 52 bits, exact as a plain number. */
export function pageNumber(hi: number, lo: number, shift: number): number {
  return shift >= 32 ? (hi >>> 0) >>> (shift - 32) : (hi >>> 0) * 2 ** (32 - shift) + ((lo >>> 0) >>> shift);
}

/** High word of `(hi, lo) + bytes` for an unsigned `bytes` below 2^32. The low word is `(lo + bytes) | 0`. */
export function highWordAfter(hi: number, lo: number, bytes: number): number {
  return (lo + bytes) >>> 0 < lo >>> 0 ? (hi + 1) | 0 : hi;
}

const SIZE_NAMES: readonly [string, number][] = [
  ['4K', SHIFT_4K],
  ['16K', 14],
  ['32K', 15],
  ['64K', 16],
  ['2M', SHIFT_2M],
  ['4M', SHIFT_4M],
  ['32M', 25],
  ['512M', 29],
  ['1G', SHIFT_1G],
  ['16G', 34],
];

/** log2 of the sizes with a name. */
export const NAMED_SHIFTS: readonly number[] = SIZE_NAMES.map(([, shift]) => shift);

/** `12` as `4K`, `21` as `2M`, and so on; `6` as `64 bytes`; a larger size without a name prints as `2^n`. */
export function pageSizeName(shift: number): string {
  if (shift < SHIFT_4K) return `${2 ** shift} bytes`;
  return SIZE_NAMES.find(([, known]) => known === shift)?.[0] ?? `2^${shift}`;
}

/** `4K` as 12, `64K` as 16, `1G` as 30, in either case; `undefined` for other text. @throws TypeError for no text */
export function parsePageSize(text: string): number | undefined {
  checkKind('parsePageSize: text', text, TEXT);
  return SIZE_NAMES.find(([name]) => name === text.trim().toUpperCase())?.[1];
}
