/**
 * The results of walks kept by one logical processor, and how they are dropped: TLBs, walk caches, a soft TLB.
 *
 * An invalidation reaches translations by address space and by virtual machine: see tlb/tag.ts. More than was asked may
 * always be dropped.
 */

import { ACCESS_KINDS } from '../../base/access.js';
import type { Ram } from '../../memory/ram.js';
import { TlbHierarchy } from '../../tlb/hierarchy.js';
import type { TlbGeometry } from '../../tlb/hierarchy.js';
import type { TlbShape } from '../../tlb/shape.js';
import { NO_CELLS, SoftTlb } from '../../tlb/soft.js';
import { SpaceNumbers } from '../../tlb/spaces.js';
import { EVERY_SPACE, NO_SPACE } from '../../tlb/tag.js';
import { HitRule } from '../../tlb/array/hits.js';
import { tellsHalf, WalkCaches } from '../../tlb/walk-cache.js';
import { FLUSHES } from '../counts/counters.js';
import type { Counters } from '../counts/counters.js';
import { Listeners } from '../walk/events.js';
import type { TranslationListener } from '../walk/events.js';
import type { Regime } from '../walk/regime.js';
import type { Walks } from '../walk/walks.js';

/** How translations are found; the result is the same, cost and counts are not. */
export type TranslationPath = 'modelled' | 'soft' | 'walk';

/** An object in front of the caches, for which a soft TLB's hit needs no way to another one. */
export interface SoftFront {
  /** The cells to look in. */
  softCells: Int32Array;
}

export interface TranslationOptions {
  readonly ram: Ram;
  readonly walks: Walks;
  readonly counters: Counters;
  readonly geometry: TlbGeometry;
  readonly check: boolean;
  readonly entryCache: TlbShape | undefined;
  readonly path: TranslationPath;
  readonly front: SoftFront;
}

/** TLBs, walk caches and soft TLB of one processor, under its registers of the moment. */
export class TranslationCaches {
  readonly ram: Ram;
  readonly regime: Regime;
  readonly walks: Walks;
  readonly counters: Counters;
  readonly tlb: TlbHierarchy;
  /** Numbers of address spaces, by VMID and ASID, for architectures in need of them: see {@link Regime.space}. */
  readonly spaces = new SpaceNumbers((space) => {
    this.forgetSpace(space, NO_SPACE);
  });
  /** Numbers of virtual machines, by VMID: see {@link Regime.machine}. */
  readonly machines = new SpaceNumbers((machine) => {
    this.forgetSpace(NO_SPACE, machine);
  });

  protected readonly walkCaches: WalkCaches | null;
  /** Those in use under the registers of the moment. */
  protected usedWalkCaches: WalkCaches | null;
  /** Whether walks are a guest's: the regime then, else null. No boolean: its test takes V8 a dozen instructions. */
  protected guest: Regime | null = null;
  /** Null on the other paths. */
  protected readonly soft: SoftTlb | null;
  /** Of the soft TLB; those of an empty one while somebody listens, so that every hit takes the way with a report. */
  protected softCells: Int32Array = NO_CELLS;
  /** Has the same. */
  private readonly front: SoftFront;
  /** By access, its demands on a hit for use with no more ado; nothing is permitted while there is more to do. */
  protected readonly hitRules: readonly HitRule[] = Array.from({ length: ACCESS_KINDS }, () => new HitRule());
  /** Hears each step (see events.ts); null while nobody listens. @internal */
  listener: TranslationListener | null = null;
  private readonly listeners = new Listeners();

  /** @throws RangeError for an impossible shape. */
  constructor({ ram, walks, counters, geometry, path, front }: TranslationOptions) {
    const { walkCaches } = geometry;
    this.ram = ram;
    this.walks = walks;
    this.regime = walks.regime;
    this.counters = counters;
    this.tlb = new TlbHierarchy(geometry, this.regime.pageShifts);
    this.walkCaches = walkCaches === undefined ? null : new WalkCaches(walkCaches, walks.terms.walkCaches);
    this.usedWalkCaches = this.walkCaches;
    this.soft = path === 'soft' ? new SoftTlb() : null;
    this.front = front;
    this.showSoft();
  }

  /** Looks are into the soft TLB where it is now. */
  protected showSoft(): void {
    this.softCells = this.listener === null ? (this.soft?.cells ?? NO_CELLS) : NO_CELLS;
    this.front.softCells = this.softCells;
  }

  /**
   * From now on `listener` hears each step of every translation, in order.
   * @returns ends it
   */
  listen(listener: TranslationListener): () => void {
    this.listeners.add(listener);
    this.tellTo(this.listeners.joined);
    return () => {
      this.listeners.remove(listener);
      this.tellTo(this.listeners.joined);
    };
  }

  private tellTo(listener: TranslationListener | null): void {
    this.listener = listener;
    this.walks.listen(listener);
    this.tlb.listen(listener);
    this.walkCaches?.listen(listener);
    this.setHitRules();
    if (this.soft !== null) this.soft.listener = listener;
    this.showSoft();
  }

  /** The registers changed: a result found under others is not taken for an answer without a search. */
  regimeChanged(): void {
    this.tlb.enterMachine(this.regime.machine);
    this.soft?.dropAll();
    this.setHitRules();
    const { regime } = this;
    this.guest = regime.guest ? regime : null;
    this.usedWalkCaches = regime.guest && !regime.guestCaches ? null : this.walkCaches;
    if (regime.on) this.useTables();
  }

  /** Walk caches are for the tables of the moment. */
  private useTables(): void {
    const { space, levelShifts: lower, upper: half, canonicalShift } = this.regime;
    const upper = half?.levelShifts ?? lower;
    this.walkCaches?.enter(space, lower, upper);
    if (!tellsHalf(lower, upper, 32 + canonicalShift)) this.usedWalkCaches = null;
  }

  protected setHitRules(): void {
    const { regime } = this;
    this.tlb.forgetLast();
    const plain = regime.on && regime.keys === 0 && this.listener === null;
    for (let access = 0; access < ACCESS_KINDS; access++) {
      const rule = this.hitRules[access];
      rule.space = regime.space;
      rule.canonicalShift = regime.canonicalShift;
      rule.permitted = plain ? regime.permitted[access] : 0;
      rule.needed = regime.needed[access];
    }
  }

  /**
   * Drops everything cached for an address: its translations of address space `space`, its global ones of virtual
   * machine `machine`, and all of the space's walk caches. Either may be EVERY_SPACE or NO_SPACE: see tag.ts.
   */
  dropPage(hi: number, lo: number, space: number, machine: number): void {
    this.dropTranslation(hi, lo, space, machine);
    this.walkCaches?.dropSpace(space);
  }

  /** The same but for walk caches. These stay: for fences about the last entry of a walk alone. */
  dropTranslation(hi: number, lo: number, space: number, machine: number): void {
    this.listener?.({ kind: 'invalidate', scope: 'page', hi, lo, space });
    this.tlb.dropAddress(hi, lo, space, machine);
    if (machine === NO_SPACE) this.soft?.dropAll();
    else this.soft?.dropPage(lo);
  }

  /**
   * Drops everything cached for address space `space`, and the global entries of virtual machine `machine`: as
   * {@link dropPage}.
   */
  dropSpace(space: number, machine = NO_SPACE): void {
    const scope = space === EVERY_SPACE ? 'spaces' : 'space';
    this.listener?.({ kind: 'invalidate', scope, hi: 0, lo: 0, space });
    this.counters.values[FLUSHES]++;
    this.forgetSpace(space, machine);
  }

  /**
   * Drops everything cached for all address spaces of a virtual machine, by its VMID, or for those of none
   * (NO_MACHINE).
   */
  dropMachine(vmid: number): void {
    this.listener?.({ kind: 'invalidate', scope: 'spaces', hi: 0, lo: 0, space: EVERY_SPACE });
    this.counters.values[FLUSHES]++;
    for (const space of this.spaces.ofMachine(vmid)) this.forgetSpace(space, NO_SPACE);
    this.spaces.takeBack(vmid, this.regime.space);
    this.forgetSpace(NO_SPACE, this.machines.find(vmid, 0));
  }

  private forgetSpace(space: number, machine: number): void {
    this.tlb.dropSpace(space, machine);
    this.walkCaches?.dropSpace(space);
    this.soft?.dropAll();
  }

  /** Drops everything cached. */
  dropEverything(): void {
    this.listener?.({ kind: 'invalidate', scope: 'everything', hi: 0, lo: 0, space: EVERY_SPACE });
    this.counters.values[FLUSHES]++;
    this.tlb.dropAll();
    this.walkCaches?.dropAll();
    this.soft?.dropAll();
  }
}
