/**
 * The translation paths of one logical processor, before the walks of its architecture.
 *
 * - `modelled`: canonical check, first-level TLB, second-level TLB, walk, all counted as hardware would;
 * - `soft`: an emulator's TLB, made for speed alone, then the walk;
 * - `walk`: every translation walks.
 *
 * The result of a translation is a frame number or a negative status; {@link Translation.fault} has its details.
 * A hit costs one test for its rights; everything rarer is in a method of its own.
 */

import * as accesses from '../../base/access.js';
import * as address from '../../base/address.js';
import * as faults from '../../base/fault.js';
import * as hint from '../../base/rarely.js';
import type { TlbGroup } from '../../tlb/group.js';
import type { TlbHierarchy } from '../../tlb/hierarchy.js';
import * as hotLoops from '../../hot/hot-loops.js';
import type { Levels } from './hot-batch.js';
import * as softTlb from '../../tlb/soft.js';
import { HotWalks } from './hot-walks.js';
import type { TranslationOptions } from './caches.js';
import * as count from '../counts/counters.js';
import { StaleEntryChecker } from './stale-check.js';
import * as walkResults from '../walk/walks.js';

const { FETCH, WRITE } = accesses;
const { PAGE_SHIFT, SIZE_4K } = address;
const { PAGE_FAULT } = faults;
const { DIRTY_UPDATES, DIRTY_UPDATE_READS, FAULTS_ON_HIT, FAULT_READS, FETCH_SIDE, L1_HITS, L2_HITS } = count;
const { isSoftHit, softEntry, softFrameAt } = softTlb;
const { WALK_TELLS } = walkResults;
const { rarely } = hint;

const { FRAME_BITS } = hotLoops;
const HOT_FRAMES = 1 << FRAME_BITS;

/** Place of the counters of this kind of access: those of fetches are apart. */
export const sideOf = (access: number): number => ((access & FETCH) !== 0 ? FETCH_SIDE : 0);

export class Translation extends HotWalks {
  /** Checking mode: every hit is compared with a fresh walk. Null when off. */
  readonly checker: StaleEntryChecker | null;
  /** Page size (see address.ts) of the last single translation on the modelled path; 4 KiB on the others. */
  lastSize = SIZE_4K;
  /**
   * What {@link translateByWalk} is called with. V8 puts no call with an array into its callers: so these stay small enough
   * to be put into theirs, and a hit, with no registers to save for the rare walk, costs half.
   */
  private readonly unsettled: [hi: number, lo: number, access: number] = [0, 0, 0];
  /** The first-level TLB of each kind of access. */
  protected readonly l1: readonly TlbGroup[];

  /** @throws RangeError for an impossible shape. */
  constructor(options: TranslationOptions) {
    super(options);
    const { ram, walks, check } = options;
    const { l1Fetch, l1Load, l1Store } = this.tlb;
    this.l1 = this.hitRules.map((_, access) =>
      (access & FETCH) !== 0 ? l1Fetch : (access & WRITE) !== 0 ? l1Store : l1Load,
    );
    this.checker = check ? new StaleEntryChecker(ram, walks) : null;
    if (this.checker !== null) this.listen(this.checker.hear);
  }

  /**
   * Translates a linear address. `access` is a set of bits from access.ts; with addresses of 32 bits `hi` must be 0.
   * @returns the 4 KiB frame, or PAGE_FAULT, BUS_ERROR (no RAM), or the regime's status for a bad address.
   */
  translate(hi: number, lo: number, access: number): number {
    const cells = this.softCells;
    const entry = softEntry(lo, access);
    return isSoftHit(cells, entry, hi, lo) ? softFrameAt(cells, entry) : this.translateMissed(hi, lo, access);
  }

  /** By all but the soft TLB. @internal */
  translateMissed(hi: number, lo: number, access: number): number {
    const { modelled } = this;
    if (modelled === null) {
      rarely();
      const frame = this.settledFrame(hi, lo, access);
      return frame >= 0 ? frame : this.translateUnsettled(hi, lo, access);
    }
    if (!modelled.isLast(hi, lo, access)) return this.translateModelled(hi, lo, access, modelled);
    this.countHit(sideOf(access), L1_HITS);
    return modelled.lastFrame;
  }

  /** Without a modelled TLB. Where hot loops walk, all others are rare. */
  private translateUnsettled(hi: number, lo: number, access: number): number {
    if (this.settleControls[access] < 0) return this.translateByWalk(hi, lo, access);
    const { unsettled } = this;
    unsettled[0] = hi;
    unsettled[1] = lo;
    unsettled[2] = access;
    // A frame is an int32 already. With the `| 0` V8 knows, and need not look at the frame of each hit.
    return this.translateByWalk(...unsettled) | 0;
  }

  /** By a walk, and a fill of the soft TLB with the result. */
  private translateByWalk(hi: number, lo: number, access: number): number {
    const { walks, soft } = this;
    if (this.settleControls[access] === 0) this.askHot(access);
    if (!this.regime.isCanonical(hi)) return this.notCanonical(hi, lo, access);
    const frame = walks.settled(hi, lo, access);
    if (frame < 0) return this.walkUnsettled(hi, lo, access);
    if (soft !== null) soft.fill(hi, lo, access, frame, walks.settledSize);
    return frame;
  }

  private walkUnsettled(hi: number, lo: number, access: number): number {
    if (!this.regime.on) return this.unpaged(hi, lo, access);
    const { soft, walks } = this;
    if (this.listener !== null) {
      const held = this.lookupAloud(hi, lo, access);
      if (held >= 0) return held;
    }
    const frame = walks.walk(hi, lo, access);
    if (this.listener !== null) this.tellWalk(frame);
    if (soft !== null) {
      if (frame >= 0) soft.fill(hi, lo, access, frame, this.record.size);
      else if (frame === PAGE_FAULT) soft.dropPage(lo);
    }
    return frame;
  }

  /** The soft TLB, asked aloud: the frame, or -1 when a walk has to find it. */
  private lookupAloud(hi: number, lo: number, access: number): number {
    const { soft } = this;
    this.tellLookup(hi, lo, access);
    if (soft === null) return -1;
    const entry = softEntry(lo, access);
    if (!isSoftHit(soft.cells, entry, hi, lo)) return -1;
    const frame = softFrameAt(soft.cells, entry);
    this.listener?.({ kind: 'hit', where: soft.name, level: 1, hi, lo, frame, shift: PAGE_SHIFT });
    return frame;
  }

  /** The modelled path: by hot loops if they can, and kept for the next look at the same piece. */
  private translateModelled(hi: number, lo: number, access: number, modelled: TlbHierarchy): number {
    const control = this.lookupControls[access];
    const found = control > 0 ? this.lookupOne(control, hi, lo) : -1;
    if (found >= 0) {
      const frame = found & (HOT_FRAMES - 1);
      this.lastSize = found >>> FRAME_BITS;
      modelled.keepLast(hi, lo, access, frame);
      return frame;
    }
    modelled.forgetLast();
    const frame = this.lookupPlain(hi, lo, access);
    if (frame >= 0 && this.isNextHit(hi, lo, access)) modelled.keepLast(hi, lo, access, frame);
    return frame;
  }

  /**
   * Whether the next look at the piece just translated is a first-level hit of the same page size with no more to do. A
   * first level may hold a piece of a larger page, or rights for less than the walk let through.
   */
  private isNextHit(hi: number, lo: number, access: number): boolean {
    const l1 = this.l1[access];
    return l1.wasLast(hi, lo) && l1.size === this.lastSize && this.hitRules[access].allows(l1.rights);
  }

  /** Without hot loops. */
  protected lookupPlain(hi: number, lo: number, access: number): number {
    const l1 = this.l1[access];
    this.takeBack(access);
    const frame = l1.hitFrame(hi, lo, this.hitRules[access]);
    if (frame < 0) return this.translateSearching(hi, lo, access);
    this.askWhenMany(access);
    this.lastSize = l1.size;
    this.countHit(sideOf(access), L1_HITS);
    return frame;
  }

  /** Before the plain path: hot loops may have looked up others since. */
  protected takeBack(access: number): void {
    if (this.hot === null) return;
    this.l1[access].takeBack();
    this.l2For(access).takeBack();
    if (this.lookupControls[access] > 0 && this.hot.isUsedUp(access)) this.lookupControls[access] = 0;
  }

  /** What an access goes through. */
  protected levelsOf(access: number): Levels {
    const { regime, usedWalkCaches: caches } = this;
    return { l1: this.l1[access], l2: this.l2For(access), caches, regime, side: sideOf(access) };
  }

  private l2For(access: number): TlbGroup {
    return sideOf(access) !== 0 ? this.tlb.l2Fetch : this.tlb.l2Data;
  }

  private translateSearching(hi: number, lo: number, access: number): number {
    const { regime } = this;
    if (!regime.isCanonical(hi)) return this.notCanonical(hi, lo, access);
    if (!regime.on) return this.unpaged(hi, lo, access);
    const side = sideOf(access);
    const l1 = this.l1[access];
    this.askWhenMany(access);
    if (!l1.lookup(hi, lo, regime.space)) return this.missL1(hi, lo, access, side, l1);
    return this.hit(hi, lo, access, side, l1, L1_HITS);
  }

  /** Asks for hot loops after so many lookups, hits too: a program may stay within its first level. */
  private askWhenMany(access: number): void {
    if (this.lookupControls[access] === 0 && this.areLookupsMany()) this.askLookups(access, this.levelsOf(access));
  }

  /** A TLB has the translation: allow it, or find the missing right. */
  private hit(hi: number, lo: number, access: number, side: number, group: TlbGroup, level: number): number {
    const { regime } = this;
    const { rights } = group;
    if (this.listener !== null && level === L1_HITS) this.tellHit(hi, lo, access, group, 1);
    const refused = ((regime.permitted[access] >>> rights) & 1) === 0 || (~rights & regime.needed[access]) !== 0;
    if (refused || (regime.keys !== 0 && this.walks.violation(rights, access) >= 0)) {
      return this.hitRefused(hi, lo, access, side, rights, level);
    }
    this.countHit(side, level);
    this.lastSize = group.size;
    return group.frame;
  }

  /** Only completed accesses are counted: a faulting one will be made again, or never. */
  private countHit(side: number, level: number): void {
    const { values } = this.counters;
    values[side + level]++;
  }

  protected missL1(hi: number, lo: number, access: number, side: number, l1: TlbGroup): number {
    const l2 = this.l2For(access);
    const { space } = this.regime;
    if (l2.lookup(hi, lo, space)) {
      if (this.listener !== null) this.tellHit(hi, lo, access, l2, 2);
      l1.fill(hi, lo, space, l2.frame, l2.rights, l2.size);
      if (this.missListener !== null) this.missListener.secondLevelHit(side, this.lookupIndex);
      return this.hit(hi, lo, access, side, l2, L2_HITS);
    }
    if (this.listener !== null) this.tellLookup(hi, lo, access);
    const frame = this.walkCached(hi, lo, access);
    if (frame < 0) return this.walkFaulted(frame, hi, lo);
    if (this.listener !== null) this.tellWalk(frame);
    this.fillWalkCaches(hi, lo);
    if (this.coalescedSize !== 0) this.coalesce();
    this.fillTlbs(l1, l2, hi, lo);
    this.countWalk(side, hi);
    this.lastSize = this.record.size;
    return frame;
  }

  /**
   * The rights in a TLB do not allow the access: a store to a page not known to be dirty walks again and sets D;
   * anything else is a page fault, by the TLB's entry, stale or not.
   */
  private hitRefused(hi: number, lo: number, access: number, side: number, rights: number, level: number): number {
    const violation = this.walks.violation(rights, access);
    if (violation === WALK_TELLS) {
      this.forgetFaulting(hi, lo);
      return this.missL1(hi, lo, access, side, this.l1[access]);
    }
    if (violation < 0) {
      const frame = this.updateDirty(hi, lo, access);
      if (frame >= 0) {
        this.countHit(side, level);
        return frame;
      }
    }
    this.counters.values[FAULTS_ON_HIT]++;
    if (violation >= 0) this.fault.raise(PAGE_FAULT, violation, hi, lo);
    if (this.listener !== null) this.tellFault('hit');
    this.forgetFaulting(hi, lo);
    return this.fault.status;
  }

  private updateDirty(hi: number, lo: number, access: number): number {
    const { values } = this.counters;
    const { record, tlb } = this;
    const { space, machine } = this.regime;
    const frame = this.walkCached(hi, lo, access);
    if (frame < 0) {
      values[FAULT_READS] += record.levelsPassed;
      return frame;
    }
    if (this.listener !== null) this.tellWalk(frame);
    values[DIRTY_UPDATES]++;
    values[DIRTY_UPDATE_READS] += record.count;
    const held = tlb.l1Store.markDirty(hi, lo, space, frame);
    tlb.l2Data.markDirty(hi, lo, space, frame);
    if (!held) {
      // The hit's entry leads elsewhere by now.
      tlb.dropAddress(hi, lo, space, machine);
      this.fillTlbs(tlb.l1Store, tlb.l2Data, hi, lo);
    }
    this.lastSize = record.size;
    return frame;
  }

  /** Before any lookup: the address has a tag, or it is none. */
  protected notCanonical(hi: number, lo: number, access: number): number {
    const { badAddress, badAddressCodes } = this.regime;
    const plain = this.regime.withoutTag(hi, access);
    if (plain !== hi) return this.translateTagged(plain, hi, lo, access);
    this.fault.raise(badAddress, badAddressCodes[access], hi, lo);
    return this.refused(badAddress);
  }

  /** The same without the tag; a fault of data keeps it, and fetches come without it. */
  private translateTagged(plain: number, hi: number, lo: number, access: number): number {
    this.taggedHi = (access & FETCH) === 0 ? hi : null;
    const frame = this.modelled === null ? this.translate(plain, lo, access) : this.lookupPlain(plain, lo, access);
    if (frame < 0 && this.taggedHi !== null) this.fault.hi = this.taggedHi;
    this.taggedHi = null;
    return frame;
  }

  private unpaged(hi: number, lo: number, access: number): number {
    this.lastSize = SIZE_4K;
    const frame = this.walks.unpaged(hi, lo, access);
    return frame >= 0 ? frame : this.refused(frame);
  }

  private refused(status: number): number {
    if (this.listener !== null) this.tellFault('address');
    return status;
  }

  private tellLookup(hi: number, lo: number, access: number): void {
    this.listener?.({ kind: 'lookup', hi, lo, access, space: this.regime.space });
  }

  private tellHit(hi: number, lo: number, access: number, group: TlbGroup, level: number): void {
    const { name: where, frame, rights, size } = group;
    this.tellLookup(hi, lo, access);
    this.listener?.({ kind: 'hit', where, level, hi, lo, frame, shift: this.regime.pageShifts[size], rights });
  }
}
