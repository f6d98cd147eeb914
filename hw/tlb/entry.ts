/** Entries of TLBs and walk caches as objects: for drawings, dumps and listeners. No lookup makes one. */

import { fromBigInt } from '../base/address.js';
import type { HeldEntry, TlbListener } from './events.js';
import { isGlobal, sizeOf, spaceOf, tagPageHigh } from './tag.js';

/** Content of one way of a set, for drawings and dumps. */
export interface TlbEntry {
  /** Number of the page, of the entry's size. */
  readonly page: number;
  /** The page size, an index of {@link Regime.pageShifts}. */
  readonly size: number;
  /** The number of its address space; of a global entry, the number of its virtual machine. */
  readonly space: number;
  readonly global: boolean;
  /** The page's first 4 KiB frame. */
  readonly frame: number;
  readonly rights: number;
}

/** The entry of a way, by its words. */
export function entryOf(pageLow: number, tag: number, frame: number, rights: number): TlbEntry {
  return {
    page: tagPageHigh(tag) * 0x1_0000_0000 + (pageLow >>> 0),
    size: sizeOf(tag),
    space: spaceOf(tag),
    global: isGlobal(tag),
    frame,
    rights,
  };
}

/** Linear addresses have at most so many bits; those above repeat the last. Guest-physical ones have up to 59. */
const LINEAR_BITS = 57;

/** Address and target of an entry for a page of `2^shift` bytes. */
export function heldEntry(entry: TlbEntry, shift: number, linear = true): Omit<HeldEntry, 'where' | 'holds'> {
  const { page, frame, rights, global, space } = entry;
  const address = BigInt(page) << BigInt(shift);
  const words = fromBigInt(linear ? BigInt.asIntN(LINEAR_BITS, address) : address);
  return { ...words, shift, frame, rights, ...(global ? {} : { space }) };
}

function isSamePage(a: TlbEntry, b: TlbEntry | null): boolean {
  return a.page === b?.page && a.size === b.size && a.space === b.space && a.global === b.global;
}

function isSame(a: TlbEntry, b: TlbEntry | null): boolean {
  return isSamePage(a, b) && a.frame === b?.frame && a.rights === b.rights;
}

/** Tells a listener the fate of the entries of one array. */
export class EntryTeller {
  /** @param shiftOf log2 of the bytes covered by an entry */
  constructor(
    private readonly where: string,
    private readonly holds: HeldEntry['holds'],
    private readonly shiftOf: (entry: TlbEntry) => number,
    private readonly listener: TlbListener,
  ) {}

  /** `now` is to be put in over `before`. Nothing is told if it is there already. */
  put(now: TlbEntry, before: TlbEntry | null): void {
    if (isSame(now, before)) return;
    if (before !== null && !isSamePage(now, before)) this.drop(before, 'evicted');
    this.listener({ kind: 'fill', ...this.held(now) });
  }

  /** An entry leaves. Null: the way was free. */
  drop(entry: TlbEntry | null, why: 'evicted' | 'invalidated'): void {
    if (entry !== null) this.listener({ kind: 'drop', why, ...this.held(entry) });
  }

  private held(entry: TlbEntry): HeldEntry {
    const { where, holds } = this;
    return { where, holds, ...heldEntry(entry, this.shiftOf(entry), holds === 'page' || holds === 'table') };
  }
}
