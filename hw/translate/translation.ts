/**
 * The translation paths of one logical processor, before one walker.
 *
 * - `modelled`: canonical check, first-level TLB, second-level TLB, walk, all counted as hardware would;
 * - `soft`: an emulator's TLB, which only wants to be fast, then the walk;
 * - `walk`: every translation walks.
 *
 * The result of a translation is a frame number or a negative status whose details are in {@link Translation.fault}.
 * A hit costs one test for its rights; everything rarer is in a method of its own.
 */

import * as accesses from '../base/access.js';
import * as address from '../base/address.js';
import { EntryCache } from './cost.js';
import * as count from './counters.js';
import { Counters } from './counters.js';
import * as exception from '../x86/exception.js';
import type { PagingFeatures } from '../x86/rules.js';
import { PagedWalk } from '../x86/paged-walk.js';
import { SettledWalk } from '../x86/settled-walk.js';
import type { Ram } from '../memory/ram.js';
import { StaleEntryChecker } from './stale-check.js';
import type { TlbGroup } from '../tlb/group.js';
import { TlbHierarchy } from '../tlb/hierarchy.js';
import type { TlbGeometry } from '../tlb/hierarchy.js';
import * as softTlb from '../tlb/soft.js';
import { SoftTlb } from '../tlb/soft.js';
import type { TlbShape } from '../tlb/shape.js';

// V8 folds a module's own constants into its code; imported names and declared functions it tests at each use.
const { FETCH, WRITE } = accesses;
const { SIZE_4K, SIZE_SHIFTS } = address;
const { BUS_ERROR, GENERAL_PROTECTION, PAGE_FAULT } = exception;
const {
  DIRTY_UPDATES,
  DIRTY_UPDATE_READS,
  ENTRY_READS,
  FAULTS_ON_HIT,
  FAULTS_ON_WALK,
  FAULT_READS,
  FETCH_SIDE,
  L1_HITS,
  L1_MISSES,
  L2_HITS,
  L2_MISSES,
  LOOKUPS,
  SHORTENED_WALKS,
  WALKS,
} = count;
const { NO_CELLS, lookupSoft } = softTlb;

/** Where the counters of this kind of access stand: those of fetches are apart. */
export const sideOf = (access: number): number => ((access & FETCH) !== 0 ? FETCH_SIDE : 0);

/** How translations are found; the result is the same, cost and counts are not. */
export type TranslationPath = 'modelled' | 'soft' | 'walk';

export interface TranslationOptions {
  readonly ram: Ram;
  readonly features: PagingFeatures;
  readonly geometry: TlbGeometry;
  readonly check: boolean;
  readonly entryCache: TlbShape | undefined;
  readonly path: TranslationPath;
}

export class Translation extends PagedWalk {
  readonly counters = new Counters();
  readonly tlb: TlbHierarchy;
  /** Checking mode: every hit is compared with a fresh walk. Null when off. */
  readonly checker: StaleEntryChecker | null;
  /** Page size (see address.ts) of the last single translation on the modelled path; 4 KiB on the others. */
  lastSize = SIZE_4K;

  private readonly settled: SettledWalk;
  /** Null on the other paths. */
  protected readonly soft: SoftTlb | null;
  private readonly softCells: Int32Array;
  protected readonly entryCache: EntryCache | null;
  protected readonly modelled: boolean;

  constructor(options: TranslationOptions) {
    const { ram, features, geometry, check, entryCache, path } = options;
    super(ram, features, geometry.walkCaches);
    this.entryCache = entryCache === undefined ? null : new EntryCache(entryCache);
    this.settled = new SettledWalk(ram, this.rules);
    this.tlb = new TlbHierarchy(geometry);
    this.checker = check ? new StaleEntryChecker(ram, this.rules) : null;
    this.modelled = path === 'modelled';
    this.soft = path === 'soft' ? new SoftTlb() : null;
    this.softCells = this.soft?.cells ?? NO_CELLS;
  }

  protected override updateRules(): void {
    super.updateRules();
    this.tlb.forgetLast();
    this.soft?.dropAll();
  }

  /**
   * Translates a linear address. `access` is a set of bits from access.ts; outside long mode `hi` must be 0.
   * @returns the 4 KiB frame, or PAGE_FAULT, GENERAL_PROTECTION (not canonical) or BUS_ERROR (no RAM).
   */
  translate(hi: number, lo: number, access: number): number {
    const frame = lookupSoft(this.softCells, hi, lo, access);
    return frame >= 0 ? frame : this.translateMissed(hi, lo, access) | 0;
  }

  /** Translates what no soft TLB has, as nothing is where there is none. */
  private translateMissed(hi: number, lo: number, access: number): number {
    return this.modelled ? this.translateModelled(hi, lo, access) : this.translateByWalk(hi, lo, access);
  }

  protected l1For(access: number): TlbGroup {
    const { tlb } = this;
    return (access & FETCH) !== 0 ? tlb.l1Fetch : (access & WRITE) !== 0 ? tlb.l1Store : tlb.l1Load;
  }

  /** The path without a modelled TLB, and what a soft one does with what it finds. */
  protected translateByWalk(hi: number, lo: number, access: number): number {
    if (!this.isCanonical(hi)) return this.notCanonical(hi, lo);
    if (!this.fourLevel) return this.walkUnsettled(hi, lo, access);
    const { settled, soft } = this;
    const frame = settled.walk(this.rootFrame, hi, lo, access);
    if (frame < 0) return this.walkUnsettled(hi, lo, access);
    if (soft !== null) soft.fill(hi, lo, access, frame, settled.size);
    return frame;
  }

  private walkUnsettled(hi: number, lo: number, access: number): number {
    if (!this.paging) return this.unpaged(lo);
    const { soft, walker } = this;
    const frame = this.walk(walker, null, hi, lo, access);
    if (soft !== null) {
      if (frame >= 0) soft.fill(hi, lo, access, frame, walker.size);
      else if (frame === PAGE_FAULT) soft.dropPage(lo);
    }
    return frame;
  }

  protected translateModelled(hi: number, lo: number, access: number): number {
    if (!this.isCanonical(hi)) return this.notCanonical(hi, lo);
    if (!this.paging) return this.unpaged(lo);
    const side = sideOf(access);
    const l1 = this.l1For(access);
    if (!l1.lookup(hi, lo, this.pcid)) return this.missL1(hi, lo, access, side, l1);
    return this.hit(hi, lo, access, side, l1, L1_HITS);
  }

  /** A TLB has the translation: allow it, or find out what is missing. */
  private hit(hi: number, lo: number, access: number, side: number, group: TlbGroup, level: number): number {
    const { rules } = this;
    const { rights } = group;
    if (this.checker !== null) this.checker.check(this, hi, lo, group);
    const refused = ((rights ^ rules.expectedOnHit[access]) & rules.neededOnHit[access]) !== 0;
    if (refused || (rules.hasKeys && rules.keyRefuses(rights, access))) {
      return this.hitRefused(hi, lo, access, side, rights, level);
    }
    this.countHit(side, level);
    this.lastSize = group.size;
    return group.frame;
  }

  /** Only what completes is counted: an access that faults will be made again, or never. */
  private countHit(side: number, level: number): void {
    const { values } = this.counters;
    values[side + LOOKUPS]++;
    values[side + level]++;
    if (level === L2_HITS) values[side + L1_MISSES]++;
  }

  protected missL1(hi: number, lo: number, access: number, side: number, l1: TlbGroup): number {
    const l2 = side !== 0 ? this.tlb.l2Fetch : this.tlb.l2Data;
    if (l2.lookup(hi, lo, this.pcid)) {
      l1.fill(hi, lo, this.pcid, l2.frame, l2.rights, l2.size);
      return this.hit(hi, lo, access, side, l2, L2_HITS);
    }
    const { walker } = this;
    const frame = this.walk(walker, this.walkCaches, hi, lo, access);
    if (frame < 0) return this.walkFaulted(frame, hi, lo);
    this.fillWalkCaches(hi, lo);
    this.fillTlbs(l1, l2, hi, lo);
    this.countWalk(side);
    this.lastSize = walker.size;
    return frame;
  }

  private countWalk(side: number): void {
    const { walker } = this;
    const { values } = this.counters;
    values[side + LOOKUPS]++;
    values[side + L1_MISSES]++;
    values[side + L2_MISSES]++;
    values[side + WALKS]++;
    if (walker.startLevel < this.rootLevel) values[side + SHORTENED_WALKS]++;
    for (let level = walker.startLevel; level >= walker.endLevel; level--) values[side + ENTRY_READS + level]++;
    if (this.entryCache !== null) this.entryCache.read(walker, values, side);
  }

  /**
   * Puts what the walker found into a first-level and the second-level TLB. A large page that reaches past RAM is not
   * cached: a hit would answer for frames that are not there, where the walk finds that out frame by frame.
   */
  private fillTlbs(l1: TlbGroup, l2: TlbGroup, hi: number, lo: number): void {
    const { frame, rights, size } = this.walker;
    if (size !== SIZE_4K && !this.ram.hasPage(frame, SIZE_SHIFTS[size])) return;
    l1.fill(hi, lo, this.pcid, frame, rights, size);
    l2.fill(hi, lo, this.pcid, frame, rights, size);
    if (this.checker !== null) this.checker.noteFill(this, hi, lo);
  }

  private walkFaulted(status: number, hi: number, lo: number): number {
    const { values } = this.counters;
    values[FAULTS_ON_WALK]++;
    values[FAULT_READS] += Math.max(0, this.walker.startLevel - this.walker.endLevel + 1);
    if (status === PAGE_FAULT) this.forgetFaulting(hi, lo);
    return status;
  }

  /**
   * The rights in a TLB do not allow the access: a store to a page not known to be dirty walks again and sets D;
   * anything else is a page fault, on what the TLB holds, stale or not.
   */
  private hitRefused(hi: number, lo: number, access: number, side: number, rights: number, level: number): number {
    const violation = this.rules.violation(rights, access);
    if (violation < 0) {
      const frame = this.updateDirty(hi, lo, access);
      if (frame >= 0) {
        this.countHit(side, level);
        return frame;
      }
    }
    this.counters.values[FAULTS_ON_HIT]++;
    if (violation >= 0) this.fault.raise(PAGE_FAULT, violation, hi, lo);
    this.forgetFaulting(hi, lo);
    return this.fault.status;
  }

  private updateDirty(hi: number, lo: number, access: number): number {
    const { values } = this.counters;
    const { walker, tlb } = this;
    const frame = this.walk(walker, this.walkCaches, hi, lo, access);
    const reads = walker.startLevel - walker.endLevel + 1;
    if (frame < 0) {
      values[FAULT_READS] += Math.max(0, reads);
      return frame;
    }
    values[DIRTY_UPDATES]++;
    values[DIRTY_UPDATE_READS] += reads;
    const held = tlb.l1Store.markDirty(hi, lo, this.pcid, frame);
    tlb.l2Data.markDirty(hi, lo, this.pcid, frame);
    if (!held) {
      // The entry that was hit leads elsewhere by now.
      tlb.dropAddress(hi, lo, this.pcid, true);
      this.fillTlbs(tlb.l1Store, tlb.l2Data, hi, lo);
    } else if (this.checker !== null) this.checker.noteFill(this, hi, lo);
    this.lastSize = walker.size;
    return frame;
  }

  /**
   * A page fault drops what is cached for its address, so that it does not come again once the entries are right.
   * Source: Intel SDM vol. 3A, "Operations that Invalidate TLBs and Paging-Structure Caches".
   */
  private forgetFaulting(hi: number, lo: number): void {
    this.tlb.dropAddress(hi, lo, this.pcid, true);
    this.walkCaches?.dropAddress(hi, lo, this.pcid, this.wide);
  }

  private notCanonical(hi: number, lo: number): number {
    return this.fault.raise(GENERAL_PROTECTION, 0, hi, lo);
  }

  private unpaged(lo: number): number {
    const frame = lo >>> 12;
    this.lastSize = SIZE_4K;
    return this.ram.hasFrame(frame) ? frame : this.fault.raise(BUS_ERROR, 0, 0, lo);
  }
}
