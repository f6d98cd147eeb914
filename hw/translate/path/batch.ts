/** Translations by the batch: the same answers and counts as one at a time, for much less of the host's time. */

import { checkWhole } from '../../base/arguments.js';
import type { Batch } from './hot-batch.js';
import * as translation from './translation.js';
import { Translation } from './translation.js';
import { HitBatch } from '../../tlb/array/hits.js';
import * as softTlb from '../../tlb/soft.js';

const { sideOf } = translation;
const { isSoftHit, softEntry } = softTlb;

/** Addresses that the plain path does after hot loops stopped: what stopped them has company, most often. */
const PLAIN_LENGTH = 64;

/** @throws RangeError for a length beyond the arrays of a batch, or a first index past it */
export function checkLength(length: number, his: Int32Array, los: Int32Array, results: Int32Array, from = 0): void {
  const most = Math.min(his.length, los.length, results.length);
  if ((length | 0) !== length || length < 0 || length > most) checkWhole('length', length, 0, most);
  if ((from | 0) !== from || from < 0 || from > length) checkWhole('from', from, 0, length);
}

export class BatchTranslation extends Translation {
  private readonly batch = new HitBatch();

  /**
   * Translates the addresses `from` to `length - 1`, all with the same access, given as words in `his` and `los`;
   * frames go to the same places of `frames`. It stops at an address with any bit of `align` (0 to 3).
   *
   * @throws RangeError for a length beyond the arrays, or a `from` past it
   * @returns `length`, or the index of the stop, or of the first fault; {@link fault} then has its status.
   */
  translateMany(
    his: Int32Array,
    los: Int32Array,
    length: number,
    access: number,
    frames: Int32Array,
    from = 0,
    align = 0,
  ): number {
    checkLength(length, his, los, frames, from);
    const { leastHot } = this;
    this.modelled?.forgetLast();
    for (let i = from; ;) {
      const hot = length - i >= leastHot;
      if (hot) i = this.runHot(false, { his, los, length, access, results: frames, align }, i);
      const to = hot ? Math.min(i + PLAIN_LENGTH, length) : length;
      i =
        this.modelled === null
          ? this.translateManyByWalk(his, los, i, to, access, frames, align)
          : this.translateManyModelled(his, los, i, to, access, frames, align);
      if (i < to || i === length) return i;
    }
  }

  /**
   * Translates, or loads, as far as hot loops come.
   * @returns the place of the first address left to the plain path, or the batch's length
   */
  protected runHot(loads: boolean, batch: Batch, from: number): number {
    const { soft, modelled } = this;
    const { access } = batch;
    const hot = this.hot ?? this.makeHot();
    if (hot === null || this.listener !== null || !this.tellHot(access, hot)) return from;
    if (modelled !== null) return hot.modelled(this.levelsOf(access), batch, from);
    return soft === null ? hot.walk(batch, from) : hot.soft(loads, soft, batch, from);
  }

  /** With the modelled TLB, hits in a loop of their own. */
  private translateManyModelled(
    his: Int32Array,
    los: Int32Array,
    from: number,
    length: number,
    access: number,
    frames: Int32Array,
    align: number,
  ): number {
    this.takeBack(access);
    for (let i = from; i < length; i++) {
      const hits = this.translateHits(his, los, i, length, access, frames, align);
      this.counters.addL1Hits(sideOf(access), hits - i);
      i = hits;
      if (i === length || (los[i] & align) !== 0) return i;
      this.lookupIndex = i;
      const frame = this.translateAfterHits(his[i], los[i], access);
      if (frame < 0) return i;
      frames[i] = frame;
    }
    return length;
  }

  /** Without a modelled TLB. After a miss of the soft TLB the next address is one too, most often. */
  private translateManyByWalk(
    his: Int32Array,
    los: Int32Array,
    from: number,
    length: number,
    access: number,
    frames: Int32Array,
    align: number,
  ): number {
    const { soft, softCells } = this;
    let i = from;
    while (i < length) {
      if (soft !== null && this.listener === null) {
        i = soft.translateHits(his, los, i, length, access, frames, align);
        if (i === length) return i;
      }
      do {
        if ((los[i] & align) !== 0) return i;
        const frame = this.translate(his[i], los[i], access);
        if (frame < 0) return i;
        frames[i++] = frame;
      } while (i < length && (soft === null || !isSoftHit(softCells, softEntry(los[i], access), his[i], los[i])));
    }
    return length;
  }

  /**
   * Translates addresses `from` to `length - 1` up to the first without an answer in a TLB's shortest way: a loop of
   * its own, without calls, to make hits cheap.
   * @returns the index of that one, or `length`
   */
  private translateHits(
    his: Int32Array,
    los: Int32Array,
    from: number,
    length: number,
    access: number,
    frames: Int32Array,
    align: number,
  ): number {
    const { batch } = this;
    const rule = this.hitRules[access];
    batch.missed = false;
    if (rule.permitted === 0) return from;
    batch.align = align;
    batch.rule = rule;
    return this.l1[access].translateHits(batch, his, los, from, length, frames);
  }

  /** Translates the address at the stop of {@link translateHits}, without a second look for the parts found missing. */
  private translateAfterHits(hi: number, lo: number, access: number): number {
    if (!this.batch.missed) return this.lookupPlain(hi, lo, access);
    return this.missL1(hi, lo, access, sideOf(access), this.l1[access]);
  }
}
