/**
 * Checking mode: every TLB hit is compared with a fresh walk, and an entry that software changed without invalidating
 * it is reported as the missing invalidation that it is.
 *
 * Only what can do harm is reported: another frame, a page that is gone, rights that were taken away, or a dirty bit
 * that was cleared (a store would not set it again). Rights that were added cost at most one page fault that need not
 * have been. Source: Intel SDM vol. 3A, "Recommended Invalidation" and "Optional Invalidation".
 */

import { formatHex, SIZE_SHIFTS, toNumber } from '../base/address.js';
import { FaultRecord } from '../x86/exception.js';
import { PTE_A, PTE_D } from '../x86/format.js';
import { RIGHT_DIRTY, RIGHT_KEY_SHIFT, RIGHT_USER, RIGHT_WRITE, RIGHT_XD } from '../x86/rules.js';
import type { PagingRules } from '../x86/rules.js';
import { X86Walker } from '../x86/walk.js';
import type { JournaledStore, Ram } from '../memory/ram.js';
import type { TlbGroup } from '../tlb/group.js';
import type { Translation } from './translation.js';

/** Accessed and dirty: the processor sets them, and only software clears them. */
const SET_BY_PROCESSOR = BigInt(PTE_A | PTE_D);
const KEY = 0xf << RIGHT_KEY_SHIFT;

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

export interface StaleEntry {
  readonly hi: number;
  readonly lo: number;
  readonly pcid: number;
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
  readonly path: readonly { readonly index: number; readonly level: number; readonly value: bigint }[];
}

/** One paragraph for people: which address, which PCID, filled when, changed by which store. */
export function describeStale(stale: StaleEntry): string {
  const address = formatHex(stale.hi, stale.lo);
  const lines = [
    `stale translation of ${address}, PCID ${stale.pcid}: ${stale.why}, and no INVLPG ${address} (or wider) followed`,
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

export class StaleEntryChecker {
  /** What was found, in order; each fill is reported once. */
  readonly found: StaleEntry[] = [];
  private readonly ram: Ram;
  private readonly walker: X86Walker;
  private readonly fills = new Map<string, Fill>();
  private readonly reported = new Set<string>();

  constructor(ram: Ram, rules: PagingRules) {
    this.ram = ram;
    this.walker = new X86Walker(ram, rules, new FaultRecord(), true);
    ram.keepJournal();
  }

  /** A walk filled the TLBs; one that a paging-structure cache shortened is compared with a full one first. */
  noteFill(translation: Translation, hi: number, lo: number): void {
    const { walker } = translation;
    const key = this.key(translation, hi, lo, walker.size);
    this.compare(translation, hi, lo, walker.frame, walker.rights, key);
    this.reported.delete(key);
    translation.walkFresh(this.walker, hi, lo, 0);
    this.fills.set(key, { filledAt: this.now(translation), path: this.path(this.walker) });
  }

  /** A TLB answered from `group`. */
  check(translation: Translation, hi: number, lo: number, group: TlbGroup): void {
    const key = this.key(translation, hi, lo, group.size);
    this.compare(translation, hi, lo, group.frame, group.rights, key);
  }

  private key(translation: Translation, hi: number, lo: number, size: number): string {
    const page = Math.floor(toNumber(hi & 0x1f_ffff, lo) / 2 ** SIZE_SHIFTS[size]);
    return `${translation.currentPcid}:${size}:${page}`;
  }

  private now(translation: Translation): number {
    const { data, fetch } = translation.counters.snapshot();
    return data.lookups + fetch.lookups + 1;
  }

  private path(walker: X86Walker): Fill['path'] {
    const path = [];
    for (let level = walker.startLevel; level >= walker.endLevel; level--) {
      const index = walker.entryIndex[level];
      path.push({ index, level, value: this.entry(walker.entryHigh[level], walker.entryLow[level]) });
    }
    return path;
  }

  private entry(high: number, low: number): bigint {
    return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  }

  private compare(translation: Translation, hi: number, lo: number, frame: number, rights: number, key: string): void {
    const fresh = translation.walkFresh(this.walker, hi, lo, 0);
    const why = this.difference(fresh, frame, rights);
    if (why === undefined) return;
    if (this.reported.has(key)) return;
    this.reported.add(key);
    const fill = this.fills.get(key);
    this.found.push({
      hi,
      lo,
      pcid: translation.currentPcid,
      cachedFrame: frame,
      frameNow: fresh < 0 ? -1 : fresh,
      why,
      filledAt: fill?.filledAt ?? -1,
      usedAt: this.now(translation),
      changed: this.changes(fill?.path ?? [], translation.rules.mode === '32'),
    });
  }

  private difference(fresh: number, frame: number, rights: number): StaleEntry['why'] | undefined {
    if (fresh < 0) return 'the page is gone';
    if (fresh !== frame) return 'another frame';
    const now = this.walker.rights;
    const taken = (rights & ~now & (RIGHT_WRITE | RIGHT_USER)) | (now & ~rights & RIGHT_XD) | ((now ^ rights) & KEY);
    if (taken !== 0) return 'rights were taken away';
    return (rights & ~now & RIGHT_DIRTY) !== 0 ? 'the dirty bit was cleared' : undefined;
  }

  private changes(path: Fill['path'], narrow: boolean): ChangedEntry[] {
    const changed: ChangedEntry[] = [];
    for (const { index, level, value } of path) {
      const is = this.entry(narrow ? 0 : this.ram.words[index + 1], this.ram.words[index]);
      if (((is ^ value) & ~(is & SET_BY_PROCESSOR)) === 0n) continue;
      const store = this.ram.lastStore(index) ?? this.ram.lastStore(index + 1);
      changed.push({ address: index * 4, level, was: value, is, store });
    }
    return changed;
  }
}
