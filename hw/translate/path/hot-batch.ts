/**
 * Hot loops (hot/) for long batches, and for single addresses: the common case in WebAssembly, up to an address that
 * takes more to know.
 *
 * What the loops share with the plain path, TLBs above all, moves to where both reach it at their first use. They leave
 * behind what the plain path would: entries, their order of use, counts.
 */

import { ACCESS_KINDS } from '../../base/access.js';
import * as control from '../../hot/control.js';
import { HotLoops } from '../../hot/hot-loops.js';
import type { Single } from '../../hot/hot-loops.js';
import { HOT_USES } from '../../tlb/array/cells.js';
import type { HotMemory } from '../../memory/hot-memory.js';
import type { TlbGroup } from '../../tlb/group.js';
import type { TlbHierarchy } from '../../tlb/hierarchy.js';
import type { SoftTlb } from '../../tlb/soft.js';
import type { WalkCaches } from '../../tlb/walk-cache.js';
import type { Counters } from '../counts/counters.js';
import type { Regime } from '../walk/regime.js';
import type { Walks } from '../walk/walks.js';

const { HOT_LEVELS, tellLevels, tellSoft, tellWalkCache } = control;

/** An address uses an entry of an array so many times at most. */
const USES = 2;

/** A batch of one kind of access, as `translateMany` has it. */
export interface Batch {
  readonly his: Int32Array;
  readonly los: Int32Array;
  readonly length: number;
  readonly access: number;
  readonly results: Int32Array;
  readonly align: number;
}

/** What a modelled access goes through, and the side of its counts. */
export interface Levels {
  readonly l1: TlbGroup;
  readonly l2: TlbGroup;
  readonly caches: WalkCaches | null;
  readonly regime: Regime;
  readonly side: number;
}

export class HotBatch {
  /** By access, the control block of single addresses. */
  private readonly singles: (Int32Array | null)[] = [];

  private constructor(
    private readonly loops: HotLoops,
    /** For `Walks.tellHot`. */
    readonly control: Int32Array,
    private readonly counters: Counters,
  ) {}

  /** With all of these moved to where the loops reach them; null where there are no loops, or one of them cannot move. */
  static make(
    memory: HotMemory,
    soft: SoftTlb | null,
    tlb: TlbHierarchy | null,
    caches: WalkCaches | null,
    counters: Counters,
  ): HotBatch | null {
    const loops = HotLoops.make(memory);
    if (loops === null || soft?.moveTo(memory) === false) return null;
    if (tlb !== null && !(tlb.moveTo(memory) && (caches?.moveTo(memory) ?? true) && counters.moveTo(memory)))
      return null;
    return new HotBatch(loops, loops.control, counters);
  }

  /** One lookup for one address: by the block of {@link lookupControl}. */
  get lookupOne(): Single {
    return this.loops.lookupOne;
  }

  /** A control block for single walks into a soft TLB, under the registers of the moment; null if they cannot walk so. */
  settleControl(access: number, soft: SoftTlb, walks: Walks): Int32Array | null {
    const words = (this.singles[access] ??= this.loops.makeControl());
    if (words === null || !walks.tellHot(access, words)) return null;
    tellSoft(words, soft.bankOf(access), soft.piecesOf(access), false);
    soft.fillElsewhere(access);
    return words;
  }

  /** One such walk, by the place of such a block. */
  settleBy(words: Int32Array): Single {
    return this.loops.settleBy(words);
  }

  /** The place of one for single lookups; -1 if there can be none. */
  lookupControl(access: number, levels: Levels, walks: Walks): number {
    const words = (this.singles[access] ??= this.loops.makeControl());
    if (words === null || !walks.tellHot(access, words) || !this.lend(words, levels, HOT_USES)) return -1;
    // Each kind of access has its part: all of them may use the same array.
    words[control.LOOKUPS_LEFT] = HOT_USES / (USES * ACCESS_KINDS);
    return words.byteOffset;
  }

  /** Whether such a block is used up, and has to be asked for again. */
  isUsedUp(access: number): boolean {
    return this.singles[access]?.[control.LOOKUPS_LEFT] === 0;
  }

  /** Walks without a TLB. @returns the place of the first address left to the plain path, or the batch's length */
  walk(batch: Batch, from: number): number {
    return this.run('walk', batch, from);
  }

  /** The same with a soft TLB. */
  soft(loads: boolean, soft: SoftTlb, batch: Batch, from: number): number {
    tellSoft(this.control, soft.bankOf(batch.access), soft.piecesOf(batch.access), loads);
    soft.fillElsewhere(batch.access);
    return this.run('soft', batch, from);
  }

  /** The same with two levels of TLBs and walk caches, counted. */
  modelled(levels: Levels, batch: Batch, from: number): number {
    if (!this.lend(this.control, levels, USES * (batch.length - from))) return from;
    const done = this.run('modelled', batch, from);
    levels.l1.takeBack();
    levels.l2.takeBack();
    return done;
  }

  /** Lets the loops use all levels so many times. */
  private lend(words: Int32Array, { l1, l2, caches, regime, side }: Levels, uses: number): boolean {
    const [first, second] = [l1.lend(uses), l2.lend(uses)];
    if (first === 0 || second === 0) return false;
    tellLevels(words, first, second, regime.space, this.counters.placeOf(side));
    for (let level = 1; level < HOT_LEVELS; level++) tellWalkCache(words, level, caches?.lend(level, uses) ?? 0);
    return true;
  }

  private run(loop: 'walk' | 'soft' | 'modelled', batch: Batch, from: number): number {
    const { his, los, length, results, align } = batch;
    return this.loops.run(loop, his, los, from, length, results, align);
  }
}
