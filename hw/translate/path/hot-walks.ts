/**
 * The way of one processor to hot loops (hot/): for long batches, for single walks into a soft TLB, and for single lookups
 * of modelled TLBs.
 */

import * as access from '../../base/access.js';
import type { TlbHierarchy } from '../../tlb/hierarchy.js';
import type { TranslationOptions } from './caches.js';
import { CachedWalks } from './cached-walks.js';
import type { Single } from '../../hot/hot-loops.js';
import { HotBatch } from './hot-batch.js';
import type { Levels } from './hot-batch.js';

const { ACCESS_KINDS } = access;

/**
 * So many single walks, or lookups of modelled TLBs, are plain before it is worth while to compile hot loops. Walks are
 * few, so that V8 has not compiled them as the frequent way of a soft TLB.
 */
const PLAIN_WALKS = 256;
const PLAIN_LOOKUPS = 4096;
/** Of {@link HotWalks.settleControls} and lookupControls. */
const NOT_ASKED = 0;
const NONE = -1;

export class HotWalks extends CachedWalks {
  /** The TLBs on the modelled path, null on the others. No boolean: its test takes V8 a dozen instructions. */
  protected readonly modelled: TlbHierarchy | null;
  /** Null until they are worth while, and where RAM or the host have none. */
  protected hot: HotBatch | null = null;
  private hotRefused = false;
  private plainWalks = 0;
  /** The access that the hot loops of batches know of under the registers of the moment; NONE: no access. */
  private toldAccess = NONE;
  /** By access, the control block of single walks by {@link settle}; NONE or NOT_ASKED: none. */
  protected readonly settleControls = new Int32Array(ACCESS_KINDS);
  protected settle: Single = () => -1;
  /** The kind of the last such walk, or NONE, and its control block: fields are quicker than the array. */
  private settledAccess = NONE;
  private settledControl = 0;
  /** The same for single lookups of modelled TLBs by {@link lookupOne}. */
  protected readonly lookupControls = new Int32Array(ACCESS_KINDS);
  protected lookupOne: Single = () => -1;
  private plainLookups = 0;

  /** @throws RangeError for an impossible shape. */
  constructor(options: TranslationOptions) {
    super(options);
    this.modelled = options.path === 'modelled' ? this.tlb : null;
  }

  /** The frame by a hot loop's walk into the soft TLB; -1 when it takes more to know. */
  protected settledFrame(hi: number, lo: number, access: number): number {
    if (access !== this.settledAccess && !this.settleNext(access)) return -1;
    return this.settle(this.settledControl, hi, lo);
  }

  /** The next walks by hot loops are for this kind of access. @returns false if they know nothing of it */
  private settleNext(access: number): boolean {
    const control = this.settleControls[access];
    if (control <= 0) return false;
    this.settledAccess = access;
    this.settledControl = control;
    return true;
  }

  /** The length of a batch for hot loops, or more. */
  protected get leastHot(): number {
    const { hot } = this.ram;
    const none = hot === null || this.hotRefused || this.missListener !== null;
    return none ? Infinity : hot.leastBatch;
  }

  /** Moves what hot loops need to where they reach it, once. */
  protected makeHot(): HotBatch | null {
    const { soft, modelled, walkCaches } = this;
    const { hot: memory } = this.ram;
    const fit = this.coalescedSize === 0 && this.entryCache === null;
    this.hot = memory === null || !fit ? null : HotBatch.make(memory, soft, modelled, walkCaches, this.counters);
    this.hotRefused = this.hot === null;
    this.showSoft();
    return this.hot;
  }

  /** Under other registers, or with a listener, hot loops have to be told, and asked for, anew. */
  protected override setHitRules(): void {
    super.setHitRules();
    this.settleControls.fill(NOT_ASKED);
    this.settledAccess = NONE;
    this.lookupControls.fill(NOT_ASKED);
    this.toldAccess = NONE;
  }

  /** @returns whether the hot loops of batches know of this access */
  protected tellHot(access: number, hot: HotBatch): boolean {
    if (this.toldAccess === access) return true;
    const told = this.walks.tellHot(access, hot.control);
    this.toldAccess = told ? access : NONE;
    return told;
  }

  /** A single walk has to know whether hot loops can do it: from now on, or not yet. */
  protected askHot(kind: number): void {
    const { soft } = this;
    if (soft === null || this.listener !== null || this.leastHot === Infinity) {
      this.settleControls[kind] = NONE;
      return;
    }
    if (this.hot === null && ++this.plainWalks < PLAIN_WALKS) return;
    const hot = this.hot ?? this.makeHot();
    const control = hot?.settleControl(kind, soft, this.walks) ?? null;
    this.settleControls[kind] = control?.byteOffset ?? NONE;
    if (hot !== null && control !== null) this.settle = hot.settleBy(control);
  }

  /** Whether there were so many plain lookups that hot loops are worth while. */
  protected areLookupsMany(): boolean {
    return this.hot !== null || ++this.plainLookups >= PLAIN_LOOKUPS;
  }

  /** The same for single lookups. */
  protected askLookups(kind: number, levels: Levels): void {
    const hot = this.listener !== null || this.leastHot === Infinity ? null : (this.hot ?? this.makeHot());
    this.lookupControls[kind] = hot === null ? NONE : hot.lookupControl(kind, levels, this.walks);
    if (hot !== null) this.lookupOne = hot.lookupOne;
  }
}
