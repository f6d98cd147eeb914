/**
 * Checking mode: every TLB hit is compared with a fresh walk, and an entry that software changed without invalidating
 * it is reported as the missing invalidation that it is.
 *
 * Only what can do harm is reported: another frame, a page that is gone, rights that were taken away, or a dirty bit
 * that was cleared (a store would not set it again). Rights that were added cost at most one page fault that need not
 * have been. Source: Intel SDM vol. 3A, "Recommended Invalidation" and "Optional Invalidation".
 */

import { READ } from '../base/access.js';
import { formatHex, toBigInt, toNumber } from '../base/address.js';
import { DIRTY } from '../base/permission.js';
import type { JournaledStore, Ram } from '../memory/ram.js';
import type { TlbGroup } from '../tlb/group.js';
import type { Counters } from './counters.js';
import type { WalkRead } from './walk-record.js';
import type { Walks } from './walks.js';

/** An entry of the walk that filled a translation, as it was then and as it is now. */
export interface ChangedEntry {
  /** Physical address. */
  readonly address: number;
  readonly level: number;
  readonly was: bigint;
  readonly is: bigint;
  /** The store that changed it, where it was made through {@link Ram}'s methods. */
  readonly store: JournaledStore | undefined;
}

/** A TLB entry that was used though its page-table entries had changed. */
export interface StaleEntry {
  readonly hi: number;
  readonly lo: number;
  /** The number of the address space. */
  readonly space: number;
  readonly cachedFrame: number;
  /** What a walk finds now, or -1 when it faults. */
  readonly frameNow: number;
  readonly why: 'the page is gone' | 'another frame' | 'rights were taken away' | 'the dirty bit was cleared';
  /** Lookups the processor had made when the entry was filled, and when it was used. */
  readonly filledAt: number;
  readonly usedAt: number;
  readonly changed: readonly ChangedEntry[];
}

interface Fill {
  readonly filledAt: number;
  readonly path: readonly WalkRead[];
}

/** One paragraph for people: which address, which PCID, filled when, changed by which store. */
export function describeStale(stale: StaleEntry): string {
  const address = formatHex(stale.hi, stale.lo);
  const lines = [
    `stale translation of ${address}, PCID ${stale.space}: ${stale.why}, and no INVLPG ${address} (or wider) followed`,
    `filled at lookup ${stale.filledAt}, used at lookup ${stale.usedAt}`,
  ];
  for (const { address: entry, level, was, is, store } of stale.changed) {
    const by = store ? `, stored by ${store.label || 'software'} (store ${store.sequence})` : '';
    lines.push(
      `entry of level ${level} at 0x${entry.toString(16)}: 0x${was.toString(16)} is now 0x${is.toString(16)}${by}`,
    );
  }
  return lines.join('; ');
}

/** The checking mode of an MMU: what it found. */
export class StaleEntryChecker {
  /** What was found, in order; each fill is reported once. */
  readonly found: StaleEntry[] = [];
  private readonly ram: Ram;
  private readonly walks: Walks;
  private readonly counters: Counters;
  private readonly fills = new Map<string, Fill>();
  private readonly reported = new Set<string>();

  constructor(ram: Ram, walks: Walks, counters: Counters) {
    this.ram = ram;
    this.walks = walks;
    this.counters = counters;
    ram.keepJournal();
  }

  /** A walk filled the TLBs; one that a walk cache shortened is compared with a full one first. @internal */
  noteFill(hi: number, lo: number): void {
    const { record, observer } = this.walks;
    const key = this.key(hi, lo, record.size);
    this.compare(hi, lo, record.frame, record.rights, key);
    this.reported.delete(key);
    observer.walk(hi, lo, READ);
    this.fills.set(key, { filledAt: this.now(), path: observer.record.reads() });
  }

  /** A TLB answered from `group`. @internal */
  check(hi: number, lo: number, group: TlbGroup): void {
    this.compare(hi, lo, group.frame, group.rights, this.key(hi, lo, group.size));
  }

  private key(hi: number, lo: number, size: number): string {
    const page = Math.floor(toNumber(hi & 0x1f_ffff, lo) / 2 ** this.walks.regime.pageShifts[size]);
    return `${this.walks.regime.space}:${size}:${page}`;
  }

  private now(): number {
    const { data, fetch } = this.counters.snapshot();
    return data.lookups + fetch.lookups + 1;
  }

  private compare(hi: number, lo: number, frame: number, rights: number, key: string): void {
    const fresh = this.walks.observer.walk(hi, lo, READ);
    const why = this.difference(fresh, frame, rights);
    if (why === undefined) return;
    if (this.reported.has(key)) return;
    this.reported.add(key);
    const fill = this.fills.get(key);
    this.found.push({
      hi,
      lo,
      space: this.walks.regime.space,
      cachedFrame: frame,
      frameNow: fresh < 0 ? -1 : fresh,
      why,
      filledAt: fill?.filledAt ?? -1,
      usedAt: this.now(),
      changed: this.changes(fill?.path ?? []),
    });
  }

  private difference(fresh: number, frame: number, rights: number): StaleEntry['why'] | undefined {
    if (fresh < 0) return 'the page is gone';
    if (fresh !== frame) return 'another frame';
    const now = this.walks.observer.record.rights;
    if (this.walks.takenAway(rights, now)) return 'rights were taken away';
    return (rights & ~now & DIRTY) !== 0 ? 'the dirty bit was cleared' : undefined;
  }

  private changes(path: Fill['path']): ChangedEntry[] {
    const setByWalks = BigInt(this.walks.setByWalks);
    const narrow = this.walks.regime.entryBytes === 4;
    const changed: ChangedEntry[] = [];
    for (const { address, high, low, level } of path) {
      const index = address / 4;
      const was = toBigInt(high, low);
      const is = toBigInt(narrow ? 0 : this.ram.words[index + 1], this.ram.words[index]);
      if (((is ^ was) & ~(is & setByWalks)) === 0n) continue;
      const store = this.ram.lastStore(index) ?? this.ram.lastStore(index + 1);
      changed.push({ address, level, was, is, store });
    }
    return changed;
  }
}
