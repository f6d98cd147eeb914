/**
 * Checking mode: every TLB hit is compared with a fresh walk, and a change of an entry by software without its
 * invalidation is reported: as a missing invalidation.
 *
 * Only harmful changes are reported: another frame, a vanished page, rights taken away, or a cleared dirty bit (a store
 * would not set it again). Added rights cost at most one needless page fault. Source: Intel SDM vol. 3A, "Recommended
 * Invalidation" and "Optional Invalidation".
 */

import { READ } from '../../base/access.js';
import { formatHex, toBigInt, toNumber } from '../../base/address.js';
import type { Word64 } from '../../base/address.js';
import { DIRTY, GLOBAL } from '../../base/permission.js';
import type { Ram } from '../../memory/ram.js';
import type { JournaledStore, StoreJournal } from '../../memory/store-journal.js';
import type { FillEvent } from '../../tlb/events.js';
import type {
  HitEvent,
  LookupEvent,
  ReadEvent,
  SecondStageHitEvent,
  SetEvent,
  TranslationEvent,
  WalkCacheHitEvent,
  WalkedEvent,
} from '../walk/events.js';
import type { WalkRead } from '../walk/walk-record.js';
import type { Walks } from '../walk/walks.js';

/** An entry of the walk behind a translation, as it was then and as it is now. */
export interface ChangedEntry {
  /** Physical address. */
  readonly address: number;
  readonly level: number;
  /** 1 for the machine's own tables, 2 for a host's. */
  readonly stage: number;
  readonly was: bigint;
  readonly is: bigint;
  /** The last store to it, if the journal knows any: see {@link StoreJournal}. */
  readonly store: JournaledStore | undefined;
  /** The stores since it was read, the last one last. */
  readonly stores: readonly DatedStore[];
}

/** A store, and its time as seen by the processor with the stale entry. */
export interface DatedStore extends Omit<JournaledStore, 'said'> {
  /** Lookups of the processor up to then. */
  readonly madeAt: number;
}

/** A TLB entry in use though its page-table entries had changed. */
export interface StaleEntry {
  readonly hi: number;
  readonly lo: number;
  /** The number of the address space. */
  readonly space: number;
  readonly cachedFrame: number;
  /** Result of a walk now, or -1 when it faults. */
  readonly frameNow: number;
  readonly why: 'the page is gone' | 'another frame' | 'rights were taken away' | 'the dirty bit was cleared';
  /** Lookups the processor had made when the entry was filled, and when it was used. */
  readonly filledAt: number;
  readonly usedAt: number;
  readonly changed: readonly ChangedEntry[];
  /** The missing invalidation of this processor, or a wider one: `INVLPG 0x400000`. */
  readonly missing: string;
}

/** The walk behind an entry, and its time. */
interface Fill {
  readonly filledAt: number;
  readonly path: readonly WalkRead[];
  /** The number of the last store before it. */
  readonly stores: number;
}

const UNKNOWN: Fill = { filledAt: -1, path: [], stores: 0 };

/** The processor's position at the time of a store. */
interface Moment {
  readonly madeAt: number;
  readonly space: number;
}

/** One paragraph for people: which address, which address space, filled when, changed by which store. */
export function describeStale(stale: StaleEntry): string {
  const address = formatHex(stale.hi, stale.lo);
  const lines = [
    `stale translation of ${address}, address space ${stale.space}: ${stale.why}, and no ${stale.missing} (or wider) followed`,
    `filled at lookup ${stale.filledAt}, used at lookup ${stale.usedAt}`,
  ];
  for (const { address: entry, level, was, is, stores } of stale.changed) {
    const by = stores.map(
      ({ label, sequence, madeAt }) => `stored by ${label || 'software'} (store ${sequence}, after lookup ${madeAt})`,
    );
    const change = `0x${was.toString(16)} is now 0x${is.toString(16)}`;
    lines.push([`entry of level ${level} at 0x${entry.toString(16)}: ${change}`, ...by].join(', '));
  }
  return lines.join('; ');
}

/** The checking mode of an MMU: its findings. */
export class StaleEntryChecker<Entry extends StaleEntry = StaleEntry> {
  /** Findings, in order; each fill is reported once. */
  readonly found: Entry[] = [];
  private readonly ram: Ram;
  private readonly walks: Walks;
  /** Lookups so far but those that faulted: they are made again, or never. */
  private lookups = 0;
  /** The lookup of the moment. */
  private address: Word64 = { hi: 0, lo: 0 };
  /** The entries on its way, also those behind a walk cache. */
  private path: readonly WalkRead[] = [];
  /** Whether an address is looked up, and its walk has not ended. Without paging a guest's addresses are not. */
  private underWay = false;
  /** Of them, those before the translation under way of a guest-physical address. */
  private beforeHost = 0;
  /** The fill of its TLB entry. */
  private fromTlb: Fill | null = null;
  /** The oldest fill behind its walk: of a walk cache's entry, or of one of the second stage. */
  private fromCache: Fill | null = null;
  /** Fills of entries, by the addresses covered. */
  private readonly fills = new Map<string, Fill>();
  private readonly reported = new Set<string>();
  private readonly journal: StoreJournal;
  /** The number of this processor among those that the journal asks for their time. */
  private readonly listener: number;

  constructor(ram: Ram, walks: Walks) {
    this.ram = ram;
    this.walks = walks;
    this.journal = ram.keepJournal();
    this.listener = this.journal.listen((): Moment => ({ madeAt: this.lookups, space: walks.regime.space }));
  }

  /** Hears the processor's events. @internal */
  readonly hear = (event: TranslationEvent): void => {
    if (event.kind === 'lookup') this.begin(event);
    else if (event.kind === 'hit') this.hit(event);
    else if (event.kind === 'walk cache hit') this.shortened(event);
    else if (event.kind === 'second-stage hit') this.answeredByHost(event);
    else if (event.kind === 'read') this.read(event);
    else if (event.kind === 'set') this.set(event);
    else if (event.kind === 'walked') this.walked(event);
    else if (event.kind === 'fill') this.fill(event);
    else if (event.kind === 'fault' && (event.of === 'walk' || event.of === 'hit')) this.faulted();
  };

  private begin({ hi, lo }: LookupEvent): void {
    this.lookups++;
    this.address = { hi, lo };
    this.path = [];
    this.underWay = true;
    this.beforeHost = 0;
    this.fromTlb = null;
    this.fromCache = null;
  }

  private faulted(): void {
    this.lookups--;
    this.underWay = false;
  }

  private hit({ frame, rights = 0, shift }: HitEvent): void {
    const key = this.key('page', this.spaceOf(rights), shift);
    this.fromTlb = this.fills.get(key) ?? UNKNOWN;
    this.compare(frame, rights, key, this.fromTlb);
  }

  private shortened({ level }: WalkCacheHitEvent): void {
    const { regime } = this.walks;
    const shift = regime.levelShiftsAt(this.address.hi)[level + 1];
    const fill = this.fills.get(this.key('table', regime.space, shift)) ?? UNKNOWN;
    this.fromCache = fill;
    this.path = fill.path;
    this.beforeHost = fill.path.length;
  }

  /** A guest-physical address takes its entries from a cache: all of them with a page, the upper ones with a table. */
  private answeredByHost(event: SecondStageHitEvent): void {
    const { holds, space, shift } = event;
    if (!this.underWay) return;
    const fill = this.fills.get(this.key(holds, space, shift, event)) ?? UNKNOWN;
    if (this.fromCache === null || fill.stores < this.fromCache.stores) this.fromCache = fill;
    this.path = [...this.path, ...fill.path];
    if (holds === 'guest-physical page') this.beforeHost = this.path.length;
  }

  private read(read: ReadEvent): void {
    const { address, stage } = read;
    if (address === null) return;
    this.path = [...this.path, { ...read, address }];
    if (stage === 1) this.beforeHost = this.path.length;
  }

  private set({ address, mask, cleared }: SetEvent): void {
    const after = (low: number): number => (cleared === true ? low & ~mask : low | mask);
    this.path = this.path.map((read) => (read.address === address ? { ...read, low: after(read.low) } : read));
  }

  /** A walk from the root is fresh itself; one shortened by a cache is compared with such a walk. */
  private walked({ frame, rights, shift }: WalkedEvent): void {
    this.underWay = false;
    if (this.fromCache === null) return;
    const fill = { ...this.fromCache, path: this.path };
    this.compare(frame, rights, this.key('page', this.spaceOf(rights), shift), fill);
  }

  private fill(event: FillEvent): void {
    const { holds, rights = 0, shift } = event;
    if (holds === 'guest-physical page' || holds === 'guest-physical table') {
      this.fillOfHost(event);
      return;
    }
    const { regime } = this.walks;
    const { space } = regime;
    const key = this.key(holds, holds === 'page' ? this.spaceOf(rights) : space, shift);
    if (this.path.length === 0) {
      // The second level fills the first, with its own fill.
      if (!this.fills.has(key)) this.fills.set(key, this.fromTlb ?? UNKNOWN);
      return;
    }
    const lowest = holds === 'page' ? 0 : regime.levelShiftsAt(this.address.hi).indexOf(shift);
    // Of a guest, its table's own translation is behind the entry too.
    const end = this.path.findIndex(({ stage, level }) => stage === 1 && level < lowest);
    const path = end < 0 ? this.path : this.path.slice(0, end);
    this.fills.set(key, { filledAt: this.lookups, path, stores: this.journal.count });
    this.reported.delete(key);
  }

  /** The second stage keeps a guest-physical address, once its walk has ended. */
  private fillOfHost(event: FillEvent): void {
    const { holds, shift, space = 0 } = event;
    const isPage = holds === 'guest-physical page';
    const lowest = isPage ? 0 : (this.walks.hostLevelShifts?.indexOf(shift) ?? 0);
    const path = this.path.slice(this.beforeHost).filter(({ level }) => level >= lowest);
    this.fills.set(this.key(holds, space, shift, event), {
      filledAt: this.lookups,
      path,
      stores: this.journal.count,
    });
    if (!this.underWay) this.path = [];
    if (isPage) this.beforeHost = this.path.length;
  }

  /** Global translations are of no address space. */
  private spaceOf(rights: number): number {
    return (rights & GLOBAL) !== 0 ? -1 : this.walks.regime.space;
  }

  /** The key of entries for an address: the linear one of the moment, or a guest-physical one. */
  private key(holds: FillEvent['holds'], space: number, shift: number, address: Word64 = this.address): string {
    const { hi, lo } = address;
    const page = Math.floor(toNumber(hi & 0x1f_ffff, lo) / 2 ** shift);
    return `${holds}:${space}:${shift}:${page}`;
  }

  private compare(frame: number, rights: number, key: string, fill: Fill): void {
    const { hi, lo } = this.address;
    const { space } = this.walks.regime;
    const fresh = this.walks.observer.walk(hi, lo, READ);
    const why = this.difference(fresh, frame, rights);
    if (why === undefined) return;
    if (this.reported.has(key)) return;
    this.reported.add(key);
    const changed = this.changes(fill);
    const { filledAt } = fill;
    const frameNow = fresh < 0 ? -1 : fresh;
    const usedAt = this.lookups;
    const missing = this.missing(changed);
    const stale = { hi, lo, space, cachedFrame: frame, frameNow, why, filledAt, usedAt, changed, missing };
    const { space: name } = this.walks.terms;
    this.found.push({ ...stale, ...(name !== undefined && { [name]: space }) } as unknown as Entry);
  }

  private difference(fresh: number, frame: number, rights: number): StaleEntry['why'] | undefined {
    if (fresh < 0) return 'the page is gone';
    if (fresh !== frame) return 'another frame';
    const now = this.walks.observer.record.rights;
    if (this.walks.takenAway(rights, now)) return 'rights were taken away';
    return (rights & ~now & DIRTY) !== 0 ? 'the dirty bit was cleared' : undefined;
  }

  /** The address space in use at an entry's change decides the right instruction. */
  private missing(changed: readonly ChangedEntry[]): string {
    const { space } = this.walks.regime;
    const { store, stage = 1 } = changed.at(-1) ?? {};
    const moment = store === undefined ? undefined : this.momentOf(store);
    return this.walks.invalidation(this.address.hi, this.address.lo, space, moment?.space ?? space, stage);
  }

  private changes({ path, stores }: Fill): ChangedEntry[] {
    const [set, cleared] = [BigInt(this.walks.setByWalks), BigInt(this.walks.clearedByWalks ?? 0)];
    const narrow = this.walks.regime.entryBytes === 4;
    const changed: ChangedEntry[] = [];
    for (const { address, high, low, level, stage } of path) {
      if (changed.some((known) => known.address === address)) continue;
      const index = address / 4;
      const was = toBigInt(high, low);
      const is = toBigInt(narrow ? 0 : this.ram.words[index + 1], this.ram.words[index]);
      if (((is ^ was) & ~((is & set) | (~is & cleared))) === 0n) continue;
      const all = this.storesTo(index, narrow ? index : index + 1);
      const since = all.filter(({ sequence }) => sequence > stores);
      changed.push({
        address,
        level,
        stage,
        was,
        is,
        store: all.at(-1),
        stores: since.map((store) => this.dated(store)),
      });
    }
    return changed;
  }

  /** The remembered stores to an entry, in order. */
  private storesTo(first: number, last: number): JournaledStore[] {
    const all = new Set([...this.journal.storesTo(first), ...this.journal.storesTo(last)]);
    return [...all].sort((a, b) => a.sequence - b.sequence);
  }

  /** The time of a store; undefined for one before this processor began to check. */
  private momentOf(store: JournaledStore): Moment | undefined {
    return store.said[this.listener] as Moment | undefined;
  }

  private dated(store: JournaledStore): DatedStore {
    const { sequence, label } = store;
    return { sequence, label, madeAt: this.momentOf(store)?.madeAt ?? 0 };
  }
}
