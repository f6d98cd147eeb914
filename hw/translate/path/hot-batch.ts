/**
 * Long batches by hot loops (hot/): the common case in WebAssembly, up to an address that takes more to know.
 *
 * What the loops share with the plain path, TLBs above all, moves to where both reach it at the first long batch. They
 * leave behind what the plain path would: entries, their order of use, counts.
 */

import * as words from '../../hot/control.js';
import { HotLoops } from '../../hot/hot-loops.js';
import type { SingleWalk } from '../../hot/hot-loops.js';
import type { HotMemory } from '../../memory/hot-memory.js';
import type { TlbGroup } from '../../tlb/group.js';
import type { TlbHierarchy } from '../../tlb/hierarchy.js';
import type { SoftTlb } from '../../tlb/soft.js';
import type { WalkCaches } from '../../tlb/walk-cache.js';
import * as count from '../counts/counters.js';
import type { Counters } from '../counts/counters.js';
import type { Regime } from '../walk/regime.js';
import type { Walks } from '../walk/walks.js';

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

export class HotBatch {
  /** By access, the control block of single walks. */
  private readonly singles: (Int32Array | null)[] = [];

  private constructor(
    private readonly loops: HotLoops,
    /** For `Walks.tellHot`. */
    readonly control: Int32Array,
  ) {}

  /** With all of these moved to where the loops reach them; null where there are no loops, or one of them cannot move. */
  static make(
    memory: HotMemory,
    soft: SoftTlb | null,
    tlb: TlbHierarchy | null,
    caches: WalkCaches | null,
  ): HotBatch | null {
    const loops = HotLoops.make(memory);
    if (loops === null || soft?.moveTo(memory) === false) return null;
    if (tlb !== null && !(tlb.moveTo(memory) && (caches?.moveTo(memory) ?? true))) return null;
    return new HotBatch(loops, loops.control);
  }

  /** One walk for one address, into a soft TLB: by the block of {@link controlOf}. */
  settle: SingleWalk = () => -1;

  /** The place of a control block for such walks under the registers of the moment; -1 if they cannot walk so. */
  controlOf(access: number, soft: SoftTlb, walks: Walks): number {
    const control = (this.singles[access] ??= this.loops.makeControl(soft.bankOf(access)));
    if (control === null || !walks.tellHot(access, control)) return -1;
    soft.fillElsewhere(access);
    this.settle = this.loops.settleBy(control);
    return control.byteOffset;
  }

  /** Walks without a TLB. @returns the place of the first address left to the plain path, or the batch's length */
  walk(batch: Batch, from: number): number {
    return this.run('walk', batch, from);
  }

  /** The same with a soft TLB. */
  soft(loads: boolean, soft: SoftTlb, batch: Batch, from: number): number {
    this.loops.useSoft(soft.bankOf(batch.access), loads);
    soft.fillElsewhere(batch.access);
    const done = this.run('soft', batch, from);
    if (this.loops.foundLarge) soft.pieces = true;
    return done;
  }

  /** The same with two levels of TLBs and walk caches, counted on this side. */
  modelled(
    l1: TlbGroup,
    l2: TlbGroup,
    caches: WalkCaches | null,
    regime: Regime,
    batch: Batch,
    from: number,
    counters: Counters,
    side: number,
  ): number {
    const { loops } = this;
    const uses = USES * (batch.length - from);
    const [first, second] = [l1.lend(uses), l2.lend(uses)];
    if (first === 0 || second === 0) return from;
    loops.useModelled(regime.space, first, second);
    const shifts = regime.levelShiftsAt(batch.his[from]);
    for (let level = 1; level < words.HOT_LEVELS; level++) {
      loops.useWalkCache(level, caches?.lend(level, uses, shifts) ?? 0);
    }
    const done = this.run('modelled', batch, from);
    for (const part of [l1, l2, caches]) part?.takeBack();
    this.count(counters.values, side);
    return done;
  }

  private run(loop: 'walk' | 'soft' | 'modelled', batch: Batch, from: number): number {
    const { his, los, length, results, align } = batch;
    return this.loops.run(loop, his, los, from, length, results, align);
  }

  private count(values: Float64Array, side: number): void {
    const { counts } = this.loops;
    const l1Hits = counts[words.HOT_L1_HITS];
    const l2Hits = counts[words.HOT_L2_HITS];
    const walks = counts[words.HOT_WALKS];
    values[side + count.LOOKUPS] += l1Hits + l2Hits + walks;
    values[side + count.L1_HITS] += l1Hits;
    values[side + count.L1_MISSES] += l2Hits + walks;
    values[side + count.L2_HITS] += l2Hits;
    values[side + count.L2_MISSES] += walks;
    values[side + count.WALKS] += walks;
    values[side + count.SHORTENED_WALKS] += counts[words.HOT_SHORTENED];
    for (let level = 0; level < words.HOT_LEVELS; level++) {
      values[side + count.ENTRY_READS + level] += counts[words.HOT_READS + level];
    }
  }
}
