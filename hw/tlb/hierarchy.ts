/**
 * The TLBs of a processor: a first level for fetches, loads and stores, and a second level behind them.
 *
 * A level may hold all page sizes in one array or have arrays of their own for some; {@link TlbGroup} is one level
 * as one kind of access sees it. Rules for counts: the second level is looked up on a miss of the first, a hit there
 * fills the first, a walk fills both, and each array evicts on its own (neither inclusive nor exclusive).
 */

import { checkKind, arrayOf, objectWith } from '../base/arguments.js';
import { NAMED_SHIFTS, PAGE_OFFSET_MASK, SIZE_SHIFTS } from '../base/address.js';
import type { HotMemory } from '../memory/hot-memory.js';
import { TlbGroup } from './group.js';
import type { TlbListener } from './events.js';
import { Tlb } from './array/tlb.js';
import type { TlbShape } from './shape.js';

/**
 * One array of a level and the page sizes it holds: log2 of their bytes, such as 12, 21, 22, 30. A machine passes over
 * sizes unknown to it.
 */
export interface TlbArrayShape extends TlbShape {
  readonly pages: readonly number[];
  /** Source of the numbers. */
  readonly source?: string;
}

const PAGE_MASK = ~PAGE_OFFSET_MASK;
/** Of no access: all of its low bits are set. */
const NO_KEY = PAGE_OFFSET_MASK;

/** Arrays of one level; together they should hold 4 KiB pages at least. */
export type TlbLevelShape = readonly TlbArrayShape[];

/** The TLBs of a processor: levels, arrays, walk caches. */
export interface TlbGeometry {
  readonly name: string;
  /** First level for data. */
  readonly l1Data: TlbLevelShape;
  /** First level for stores, if a processor has one apart; otherwise stores use `l1Data`. */
  readonly l1Store?: TlbLevelShape;
  readonly l1Instruction: TlbLevelShape;
  /** Second level for data, and for fetches too unless `l2Instruction` is given. Empty: there is none. */
  readonly l2: TlbLevelShape;
  readonly l2Instruction?: TlbLevelShape;
  /** The TLB of guest-physical addresses. Absent: a model default. Empty: there is none. */
  readonly secondStage?: TlbLevelShape;
  /**
   * The walk caches of the second stage's tables. Absent: of the same sizes as {@link walkCaches}, as Rocket Chip has them
   * (its PTW.scala makes one cache of entries a stage, both of nPTECacheEntries).
   */
  readonly secondStageWalkCaches?: WalkCacheGeometry;
  /**
   * log2 of the bytes of adjacent 4 KiB pages that one entry may hold, on x86: 14 or 15. Arrays with this size among
   * theirs do so. The pages must be an aligned run in both address spaces, their entries alike, accessed and dirty too.
   */
  readonly coalesces?: number | undefined;
  /** The walk caches (x86: paging-structure caches); absent: there is none. */
  readonly walkCaches?: WalkCacheGeometry;
  /**
   * Levels of tables read by the processor's own walks. Absent: as many as the paging mode has. The Mmu walks as its
   * mode says in any case; counts for such a processor leave out the levels it does not read.
   */
  readonly walkLevels?: number;
}

/**
 * One walk cache a level, `level1` to `level4`. The cache of level 1 leads to the last table, that of level 2 to the one
 * above it. An architecture's names for the entries are taken too: such as x86's `pde`.
 * Source: Intel SDM vol. 3A, "Paging-Structure Caches".
 */
export type WalkCacheGeometry = Readonly<Record<string, TlbShape>>;

/** One array of a processor's TLBs. */
export interface TlbPart {
  /** Its level and its use, such as `L1 data TLB`. */
  readonly name: string;
  readonly tlb: Tlb;
  /** The page sizes it holds, as indexes of {@link Regime.pageShifts}. */
  readonly sizes: readonly number[];
}

const LEVEL = arrayOf(objectWith('pages', 'an object { entries, ways, pages }'));

/**
 * @throws RangeError for arrays without a place in one level: of no page size, or more than two of the same; TypeError
 * for no arrays
 */
export function checkLevel(level: TlbLevelShape, name: string): void {
  checkKind(name, level, LEVEL);
  for (const { pages } of level) {
    if (pages.length > 0 && pages.every((shift) => NAMED_SHIFTS.includes(shift))) continue;
    const known = NAMED_SHIFTS.join(', ');
    throw new RangeError(`${name}: pages '${pages.join(', ')}' must be at least one of ${known}, and no other`);
  }
  for (const shift of NAMED_SHIFTS) {
    const arrays = level.filter(({ pages }) => pages.includes(shift)).length;
    if (arrays <= 2) continue;
    throw new RangeError(`${name}: ${arrays} arrays hold pages of 2^${shift} bytes; give at most two a page size`);
  }
}

function makePart(shape: TlbArrayShape, name: string, shifts: readonly number[]): TlbPart {
  const sizes = shape.pages.map((shift) => shifts.indexOf(shift)).filter((size) => size >= 0);
  return { name, tlb: new Tlb(shape, name), sizes };
}

/** The arrays of a level, and one kind of access's view of them. @throws RangeError for impossible arrays */
export function makeGroup(
  level: TlbLevelShape,
  name: string,
  shifts: readonly number[],
): { readonly parts: readonly TlbPart[]; readonly group: TlbGroup } {
  checkLevel(level, name);
  const parts = level.map((shape) => makePart(shape, name, shifts));
  return { parts, group: new TlbGroup(parts, shifts) };
}

/** The TLBs of an MMU. */
export class TlbHierarchy {
  readonly geometry: TlbGeometry;
  /** @internal */
  readonly l1Load: TlbGroup;
  /** @internal */
  readonly l1Store: TlbGroup;
  /** @internal */
  readonly l1Fetch: TlbGroup;
  /** @internal */
  readonly l2Data: TlbGroup;
  /** @internal */
  readonly l2Fetch: TlbGroup;
  /**
   * The 4 KiB piece and the access of the last single translation, and its frame, as long as the same again would be
   * found, be allowed and change nothing: its page is the most recent of its set.
   */
  private lastHi = 0;
  private lastKey = NO_KEY;
  lastFrame = 0;
  private readonly groups: readonly TlbGroup[];
  /** Every array: the first level's, then the second's. @internal */
  readonly parts: readonly TlbPart[];

  /**
   * @param shifts as {@link Regime.pageShifts}
   * @throws RangeError for an impossible shape.
   */
  constructor(geometry: TlbGeometry, shifts = SIZE_SHIFTS) {
    const parts: TlbPart[] = [];
    const group = (level: TlbLevelShape, name: string): TlbGroup => {
      const made = makeGroup(level, name, shifts);
      parts.push(...made.parts);
      return made.group;
    };
    this.geometry = geometry;
    this.parts = parts;
    this.l1Load = group(geometry.l1Data, 'L1 data TLB');
    this.l1Store = geometry.l1Store ? group(geometry.l1Store, 'L1 store TLB') : this.l1Load;
    this.l1Fetch = group(geometry.l1Instruction, 'L1 instruction TLB');
    this.l2Data = group(geometry.l2, 'L2 TLB');
    this.l2Fetch = geometry.l2Instruction ? group(geometry.l2Instruction, 'L2 instruction TLB') : this.l2Data;
    this.groups = [...new Set([this.l1Load, this.l1Store, this.l1Fetch, this.l2Data, this.l2Fetch])];
  }

  /** Moves all to where hot loops reach it. @returns false where they cannot use it @internal */
  moveTo(memory: HotMemory): boolean {
    return this.groups.every((group) => group.moveTo(memory, group !== this.l2Data && group !== this.l2Fetch));
  }

  /** Whether this is the last single translation once more: its frame is {@link lastFrame} then. */
  isLast(hi: number, lo: number, access: number): boolean {
    return ((lo & PAGE_MASK) | access) === this.lastKey && hi === this.lastHi;
  }

  /** Keeps a translation as the last one. */
  keepLast(hi: number, lo: number, access: number, frame: number): void {
    this.lastHi = hi;
    this.lastKey = (lo & PAGE_MASK) | access;
    this.lastFrame = frame;
  }

  /** To be called before anything else is looked up, and after a change of the demands on a hit. */
  forgetLast(): void {
    this.lastKey = NO_KEY;
  }

  /** Drops everything held for an address in the reach of `space` and `machine`: see tag.ts. */
  dropAddress(hi: number, lo: number, space: number, machine: number): void {
    this.forgetLast();
    for (const group of this.groups) group.dropAddress(hi, lo, space, machine);
  }

  /** From now on `listener` hears the fate of entries; null ends it. */
  listen(listener: TlbListener | null): void {
    for (const group of this.groups) group.listen(listener, 'page');
  }

  /** Lookups and fills are for a virtual machine from now on: they find its global entries alone. */
  enterMachine(machine: number): void {
    this.forgetLast();
    for (const group of this.groups) group.enterMachine(machine);
  }

  /** Drops everything, global translations too. */
  dropAll(): void {
    this.forgetLast();
    for (const group of this.groups) group.dropAll();
  }

  /** Drops everything in the reach of `space` and `machine`: see tag.ts. */
  dropSpace(space: number, machine: number): void {
    this.forgetLast();
    for (const group of this.groups) group.dropSpace(space, machine);
  }
}
