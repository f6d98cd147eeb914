/**
 * Walks of one logical processor with its walk caches, and all that a walk leaves behind: entries of TLBs and walk caches,
 * counts, or a fault.
 */

import * as address from '../../base/address.js';
import * as faults from '../../base/fault.js';
import type { FaultRecord } from '../../base/fault.js';
import type { TlbGroup } from '../../tlb/group.js';
import type { WalkCaches } from '../../tlb/walk-cache.js';
import { TranslationCaches } from './caches.js';
import type { TranslationOptions } from './caches.js';
import { EntryCache } from '../counts/cost.js';
import * as count from '../counts/counters.js';
import type { FaultEvent } from '../walk/events.js';
import type { MissListener } from './miss-listener.js';
import * as walkRecord from '../walk/walk-record.js';
import type { WalkRecord } from '../walk/walk-record.js';

const { PAGE_SHIFT, SIZE_4K } = address;
const { PAGE_FAULT } = faults;
const { ENTRY_READS, FAULTS_ON_WALK, FAULT_READS, SECOND_STAGE_READS, SHORTENED_WALKS, WALKS } = count;
const { READ_LEVEL, READ_RIGHTS, READ_STAGE, READ_TABLE } = walkRecord;

export class CachedWalks extends TranslationCaches {
  /** Details of the last fault. */
  readonly fault: FaultRecord;
  /** Null when nobody asks. */
  protected missListener: MissListener | null = null;
  /** The high word of the address in use, where translation ignores the tag in it and a fault keeps it; else null. */
  protected taggedHi: number | null = null;
  /** The place in its batch of the address with more to its translation than a first-level hit. */
  lookupIndex = 0;

  /** Result and reads of the last walk. */
  protected readonly record: WalkRecord;
  protected readonly entryCache: EntryCache | null;
  /** The size of adjacent pages that one entry may hold, an index of {@link Regime.pageShifts}; 0 when none does. */
  protected readonly coalescedSize: number;

  /** @throws RangeError for an impossible shape. */
  constructor(options: TranslationOptions) {
    super(options);
    const { walks, entryCache } = options;
    this.fault = walks.fault;
    this.record = walks.record;
    const { coalesces = 0 } = options.geometry;
    this.coalescedSize = walks.adjacent === undefined ? 0 : Math.max(0, this.regime.pageShifts.indexOf(coalesces));
    this.entryCache = entryCache === undefined ? null : new EntryCache(entryCache);
  }

  /** From now on `listener` hears of misses of the first level; null ends it. */
  hearMisses(listener: MissListener | null): void {
    this.missListener = listener;
    this.setHitRules();
  }

  /** Walks from the deepest level in a walk cache, else from the root. */
  protected walkCached(hi: number, lo: number, access: number): number {
    const { usedWalkCaches: walkCaches, regime } = this;
    if (walkCaches === null) return this.walks.walk(hi, lo, access);
    const rootLevel = regime.rootLevelAt(hi);
    const level = walkCaches.lookup(hi, lo, regime.space, rootLevel, regime.levelShiftsAt(hi));
    if (level === rootLevel) return this.walks.walk(hi, lo, access);
    if (this.listener !== null) this.tellShortcut(walkCaches, level);
    return this.walks.walkFrom(level, walkCaches.table, walkCaches.rights, hi, lo, access);
  }

  protected fillWalkCaches(hi: number, lo: number): void {
    const { usedWalkCaches: walkCaches, record, regime } = this;
    if (walkCaches === null) return;
    const shifts = regime.levelShiftsAt(hi);
    if (this.guest !== null) {
      this.fillFromGuest(walkCaches, hi, lo, shifts);
      return;
    }
    for (let n = 0; n < record.count - 1; n++) {
      const level = record.at(n, READ_LEVEL);
      const table = record.at(n, READ_TABLE);
      walkCaches.fill(hi, lo, regime.space, level, shifts[level], table, record.at(n, READ_RIGHTS));
    }
  }

  /** A guest's tables lie where the second stage found them: an entry of a walk cache spares its walks, too. */
  private fillFromGuest(walkCaches: WalkCaches, hi: number, lo: number, shifts: readonly number[]): void {
    const { record, regime } = this;
    for (let n = 0; n < record.count; n++) {
      const table = record.at(n, READ_TABLE);
      if (record.at(n, READ_STAGE) !== 1 || table < 0) continue;
      const level = record.at(n, READ_LEVEL);
      walkCaches.fill(hi, lo, regime.space, level, shifts[level], table, record.at(n, READ_RIGHTS));
    }
  }

  protected countWalk(side: number, hi: number): void {
    const { record } = this;
    const { values } = this.counters;
    values[side + WALKS]++;
    if (record.startLevel < this.regime.rootLevelAt(hi)) values[side + SHORTENED_WALKS]++;
    if (this.guest !== null) this.countGuestReads(side);
    else for (let n = 0; n < record.count; n++) values[side + ENTRY_READS + record.at(n, READ_LEVEL)]++;
    if (this.entryCache !== null) this.entryCache.read(record, values, side, this.listener);
    if (this.missListener !== null) this.missListener.walked(record, side, this.lookupIndex);
  }

  private countGuestReads(side: number): void {
    const { record } = this;
    const { values } = this.counters;
    for (let n = 0; n < record.count; n++) {
      const first = record.at(n, READ_STAGE) === 1;
      values[side + (first ? ENTRY_READS + record.at(n, READ_LEVEL) : SECOND_STAGE_READS)]++;
    }
  }

  /**
   * Puts the walker's result into a first-level and the second-level TLB. A large page with an end past RAM is not
   * cached: a hit would answer for missing frames, but the walk finds them out frame by frame.
   */
  protected fillTlbs(l1: TlbGroup, l2: TlbGroup, hi: number, lo: number): void {
    const { frame, rights, size } = this.record;
    if (size !== SIZE_4K && !this.ram.hasPage(frame, this.regime.pageShifts[size])) return;
    const { space } = this.regime;
    l1.fill(hi, lo, space, frame, rights, size);
    l2.fill(hi, lo, space, frame, rights, size);
  }

  /** Takes the page found for a part of an aligned run, where it is one. */
  protected coalesce(): void {
    const { record, walks, coalescedSize, regime } = this;
    if (record.size !== SIZE_4K) return;
    if (walks.adjacent?.(2 ** (regime.pageShifts[coalescedSize] - PAGE_SHIFT)) === true) record.size = coalescedSize;
  }

  protected walkFaulted(status: number, hi: number, lo: number): number {
    const { values } = this.counters;
    values[FAULTS_ON_WALK]++;
    values[FAULT_READS] += this.record.levelsPassed;
    if (this.listener !== null) this.tellFault('walk');
    if (status === PAGE_FAULT) this.forgetFaulting(hi, lo);
    return status;
  }

  /**
   * A page fault drops everything cached for its address: so it does not come again once the entries are right.
   * Source: Intel SDM vol. 3A, "Operations that Invalidate TLBs and Paging-Structure Caches".
   */
  protected forgetFaulting(hi: number, lo: number): void {
    const { regime } = this;
    const { space, machine } = regime;
    this.tlb.dropAddress(hi, lo, space, machine);
    this.walkCaches?.dropAddress(hi, lo, space, regime.levelShiftsAt(hi));
  }

  private tellShortcut(walkCaches: WalkCaches, level: number): void {
    const { table, rights } = walkCaches;
    this.listener?.({ kind: 'walk cache hit', where: walkCaches.nameAbove(level), level, table, rights });
  }

  /** Tells how a walk ended. */
  protected tellWalk(frame: number): void {
    const { rights, size } = this.record;
    if (frame < 0) this.tellFault('walk');
    else this.listener?.({ kind: 'walked', frame, rights, shift: this.regime.pageShifts[size] });
  }

  protected tellFault(of: FaultEvent['of']): void {
    const fault = this.fault.take();
    this.listener?.({ kind: 'fault', of, ...fault, hi: this.taggedHi ?? fault.hi });
  }
}
