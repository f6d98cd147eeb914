/**
 * A paging format as data. Decoders, dumps, drawings and documentation are made from these tables.
 *
 * The walks do not interpret these tables at run time (it costs twice the time); each format keeps hot constants
 * beside its table, and a test holds the two to each other.
 */

import { toBigInt } from './address.js';

/** Some bits of an entry, `low` to `high` inclusive, counted from bit 0 of the whole entry. */
export interface EntryField {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  readonly meaning: string;
}

/** One kind of entry. */
export interface EntryFormat {
  readonly name: string;
  readonly bytes: 1 | 2 | 4 | 8;
  /** The manual's table, by title. */
  readonly section: string;
  readonly fields: readonly EntryField[];
}

/** One level of a page-table tree, the root having the highest number. */
export interface PagingLevel {
  /** The manual's name of the table. */
  readonly table: string;
  /** 0 for the page table, 1 for the page directory, and so on up. */
  readonly level: number;
  /** log2 of the bytes of one entry of this level. */
  readonly shift: number;
  readonly indexBits: number;
  /** An entry for the next table; absent at level 0. */
  readonly tableEntry?: EntryFormat;
  /** An entry for a page; absent if the level has none. */
  readonly pageEntry?: EntryFormat;
}

/** A paging mode: its levels and their entries. */
export interface PagingMode {
  /** `none`, `32`, `pae`, `4l`, `5l`. */
  readonly name: string;
  readonly title: string;
  /** The manual's section, by title. */
  readonly section: string;
  readonly linearBits: number;
  readonly entryBytes: 4 | 8;
  /** Root first. */
  readonly levels: readonly PagingLevel[];
}

/** A field's value in an entry. */
export interface DecodedField extends EntryField {
  readonly value: number;
}

/** Splits an entry, given as two words, into the fields of its format. */
export function decodeEntry(format: EntryFormat, hi: number, lo: number): readonly DecodedField[] {
  const value = toBigInt(hi, lo);
  return format.fields.map((field) => ({
    ...field,
    value: Number(BigInt.asUintN(field.high - field.low + 1, value >> BigInt(field.low))),
  }));
}

/** The names of the one-bit fields set, in order: `P R/W U/S A D`. */
export function flagNames(format: EntryFormat, hi: number, lo: number): string {
  return decodeEntry(format, hi, lo)
    .filter((field) => field.low === field.high && field.value === 1 && field.name !== 'ignored')
    .map((field) => field.name)
    .reverse()
    .join(' ');
}
