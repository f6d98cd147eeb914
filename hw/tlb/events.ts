/** The fate of the entries of TLBs and walk caches, for listeners. */

import type { Word64 } from '../base/address.js';

/** Address and target of an entry. */
export interface HeldEntry extends Word64 {
  /** The array, such as `L1 data TLB` or `level 1 cache`. */
  readonly where: string;
  /** A TLB holds pages; a walk cache holds tables; those of a second stage hold both by guest-physical addresses. */
  readonly holds: 'page' | 'table' | 'guest-physical page' | 'guest-physical table';
  /** log2 of the bytes it covers, from the linear or guest-physical address `(hi, lo)` on. */
  readonly shift: number;
  /** The first 4 KiB frame of the page, or the frame of the table. */
  readonly frame: number;
  /** Its rights, see permission.ts. The soft TLB keeps none: there `access` has a bank of its own. */
  readonly rights?: number;
  /** The number of its address space; absent when it is global, and in the soft TLB. */
  readonly space?: number;
  /** Of the soft TLB alone: the kind of access (access.ts) of the entry. */
  readonly access?: number;
}

/** An entry was put in, or has other rights than it had. */
export interface FillEvent extends HeldEntry {
  readonly kind: 'fill';
}

/** An entry left: it gave way to another one, or was invalidated. */
export interface DropEvent extends HeldEntry {
  readonly kind: 'drop';
  readonly why: 'evicted' | 'invalidated';
}

/** Hears the fate of entries. */
export type TlbListener = (event: FillEvent | DropEvent) => void;
