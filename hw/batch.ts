/** Translations by the batch: the same answers and counts as one at a time, for much less of the host's time. */

import * as count from './counters.js';
import * as translation from './translation.js';
import { Translation } from './translation.js';
import { HitRule } from './tlb/tlb.js';

// V8 folds a module's own constants into its code; imported names and declared functions it tests at each use.
const { L1_HITS, LOOKUPS } = count;
const { sideOf } = translation;

export class BatchTranslation extends Translation {
  private readonly hitRule = new HitRule();

  /**
   * Translates the addresses `from` to `length - 1`, all with the same access, given as words in `his` and `los`;
   * frames go to the same places of `frames`. It stops at an address that has any bit of `align`, which is 0 to 3.
   *
   * @param made when an address stands for several translations in a row, in its 4 KiB page: `made[i]` is how many
   *   were made before address `i`, so that `made[i + 1] - made[i]` are made of it. It has `length + 1` elements.
   * @returns `length`, or the index where it stopped, or of the first that faults, whose status is in {@link fault}.
   */
  translateMany(
    his: Int32Array,
    los: Int32Array,
    length: number,
    access: number,
    frames: Int32Array,
    from = 0,
    align = 0,
    made: Int32Array | null = null,
  ): number {
    for (let i = from; i < length; i++) {
      const hits = this.translateHits(his, los, i, length, access, frames, align);
      this.countHits(access, made === null ? hits - i : made[hits] - made[i]);
      i = hits;
      if (i === length || (los[i] & align) !== 0) return i;
      const frame = this.translateAfterHits(his[i], los[i], access);
      if (frame < 0) return i;
      frames[i] = frame;
      if (made !== null) this.translateAgain(his[i], los[i], access, made[i + 1] - made[i] - 1);
    }
    return length;
  }

  /**
   * Makes `times` more translations of an address whose translation for this access was the last one, or of others in
   * its 4 KiB page. Where the first-level TLB has it and allows the access, finding it again changes no replacement
   * policy, so they are only counted. It may not have it: it holds no pages of that size, or the page reaches past RAM.
   */
  translateAgain(hi: number, lo: number, access: number, times: number): void {
    if (times === 0 || !this.modelled) return;
    const l1 = this.l1For(access);
    const { rules } = this;
    const simple = this.paging && this.checker === null && l1.lookup(hi, lo, this.pcid);
    if (simple && ((l1.rights ^ rules.expectedOnHit[access]) & rules.neededOnHit[access]) === 0) {
      this.countHits(access, times);
    } else {
      for (let i = 0; i < times; i++) this.translateModelled(hi, lo, access);
    }
  }

  private countHits(access: number, hits: number): void {
    if (!this.modelled) return;
    const { values } = this.counters;
    const side = sideOf(access);
    values[side + LOOKUPS] += hits;
    values[side + L1_HITS] += hits;
  }

  /**
   * Translates addresses `from` to `length - 1` up to the first that a TLB does not answer in its shortest way: a
   * loop of its own, without calls, in which hits cost little.
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
    const { soft, rules, hitRule } = this;
    if (soft !== null) return soft.translateHits(his, los, from, length, access, frames, align);
    hitRule.missed = false;
    if (!this.modelled || !this.paging || rules.hasKeys || this.checker !== null) return from;
    hitRule.align = align;
    hitRule.canonicalShift = this.canonicalShift;
    hitRule.needed = rules.neededOnHit[access];
    hitRule.expected = rules.expectedOnHit[access];
    return this.l1For(access).translateHits(hitRule, this.pcid, his, los, from, length, frames);
  }

  /** Translates the address at which {@link translateHits} stopped, without asking again what it found missing. */
  private translateAfterHits(hi: number, lo: number, access: number): number {
    if (!this.modelled) return this.translateByWalk(hi, lo, access);
    if (!this.hitRule.missed) return this.translateModelled(hi, lo, access);
    return this.missL1(hi, lo, access, sideOf(access), this.l1For(access));
  }
}
