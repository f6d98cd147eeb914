/** The entries that a comparison writes into tables: the kernel's own, and those of hosts, which the kernel does not know. */

import { highWordOfFrame, lowWordOfFrame } from '../../../../hw/base/address.js';
import type { Ram } from '../../../../hw/memory/ram.js';
import * as page from '../../../kernel/tables/entries.js';
import type { Entries } from '../../../kernel/tables/entries.js';

/** A process's page in use for long: all rights, accessed and dirty. */
const IN_USE = page.PAGE_ACCESSIBLE | page.PAGE_WRITABLE | page.PAGE_EXECUTABLE | page.PAGE_TOUCHED | page.PAGE_WRITTEN;

/** Writes entries, by their places in RAM's words. */
export interface TableEntries {
  /** Maps the page at `frame`: a user's, writable, accessed and dirty. `folio`: one of several entries of a folio. */
  setPage(at: number, frame: number, level: number, folio: boolean): void;
  /** Leads to the table at `frame`. */
  setTable(at: number, frame: number): void;
}

/**
 * Those of the kernel.
 * @param mark makes an entry of a page one of a folio, where an architecture has a way to say so
 */
export function kernelEntries(entries: Entries, mark?: (words: Int32Array, at: number) => void): TableEntries {
  return {
    setPage: (at, frame, level, folio) => {
      entries.setPage(at, frame, level > 0 ? IN_USE | page.PAGE_HUGE : IN_USE);
      if (folio) mark?.(entries.words, at);
    },
    setTable: (at, table) => {
      entries.setTable(at, table);
    },
  };
}

/** Those of a host: low words by level, beside the frame's address. */
export function hostEntries({ words }: Ram, pageBits: (level: number) => number, tableBits: number): TableEntries {
  const set = (at: number, frame: number, bits: number): void => {
    words[at + 1] = highWordOfFrame(frame);
    words[at] = lowWordOfFrame(frame) | bits;
  };
  return {
    setPage: (at, frame, level) => {
      set(at, frame, pageBits(level));
    },
    setTable: (at, table) => {
      set(at, table, tableBits);
    },
  };
}
