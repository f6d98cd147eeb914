/**
 * Walks under the registers of one logical processor: where they begin, through which tables, in which mode.
 *
 * What the registers say is kept in a form that costs nothing to ask, and made anew at each change of them.
 */

import { FaultRecord } from './exception.js';
import { PagingRules } from './rules.js';
import type { PagingFeatures } from './rules.js';
import { X86Walker } from './walk.js';
import * as words from './words.js';
import type { Ram } from '../memory/ram.js';
import { CR4_PCIDE, PCID_MASK, Registers } from './registers.js';
import type { WalkCacheGeometry } from '../tlb/hierarchy.js';
import { WalkCaches } from '../tlb/walk-cache.js';

// V8 folds a module's own constants into its code; imported names and declared functions it tests at each use.
const { frameIn, ROOT_RIGHTS } = words;

/** Linear addresses: the bits above this one of the high word must all equal it. 31 asks nothing. */
const CANONICAL_SHIFT = { none: 31, '32': 31, pae: 31, '4l': 15, '5l': 24 } as const;
/** The level of the root table; PAE's root is in registers, so its walks begin at the page directory. */
const ROOT_LEVEL = { none: 0, '32': 1, pae: 1, '4l': 3, '5l': 4 } as const;

export class PagedWalk {
  readonly ram: Ram;
  readonly features: PagingFeatures;
  /** Details of the last fault. */
  readonly fault = new FaultRecord();
  readonly rules = new PagingRules();
  /** The walker and what it read last: for tools that show a walk. */
  readonly walker: X86Walker;
  /** The PAE page-directory-pointer registers, read when CR3 was written: four entries, low word first. */
  readonly pdptes = new Int32Array(8);

  protected readonly registers = new Registers();
  protected readonly walkCaches: WalkCaches | null;
  protected pcid = 0;
  protected paging = false;
  /** Whether entries have 8 bytes. */
  protected wide = false;
  protected fourLevel = false;
  protected canonicalShift = 31;
  protected rootLevel = 0;
  protected rootFrame = 0;

  constructor(ram: Ram, features: PagingFeatures, walkCaches?: WalkCacheGeometry) {
    this.ram = ram;
    this.features = features;
    this.walker = new X86Walker(ram, this.rules, this.fault);
    this.walkCaches = walkCaches === undefined ? null : new WalkCaches(walkCaches);
    this.readRegisters();
  }

  /** Derives from the registers what walks need to know; to be called after each change of them. */
  private readRegisters(): void {
    const { registers, rules } = this;
    rules.update(registers, this.features);
    this.paging = rules.mode !== 'none';
    this.wide = rules.mode !== '32';
    this.fourLevel = rules.mode === '4l';
    this.canonicalShift = CANONICAL_SHIFT[rules.mode];
    this.rootLevel = ROOT_LEVEL[rules.mode];
    this.rootFrame = frameIn(registers.cr3Hi, registers.cr3Lo);
    this.pcid = registers.cr4 & CR4_PCIDE ? registers.cr3Lo & PCID_MASK : 0;
  }

  /** Takes note of a change of registers. */
  protected updateRules(): void {
    this.readRegisters();
  }

  /** The PCID that translations are made for: CR3's, or 0 while CR4.PCIDE = 0. */
  get currentPcid(): number {
    return this.pcid;
  }

  /** Whether the linear addresses with this high word are canonical in the current mode; always so outside 4-level and 5-level paging. */
  isCanonical(hi: number): boolean {
    return ((hi >> this.canonicalShift) + 1) >>> 0 <= 1;
  }

  /**
   * Walks from the root with a walker of the caller's, past all TLBs and caches; counts nothing.
   * @returns the frame, or the status of a fault that this walker was given a record for.
   */
  walkFresh(walker: X86Walker, hi: number, lo: number, access: number): number {
    return this.walk(walker, null, hi, lo, access);
  }

  /** Walks from the deepest level that a paging-structure cache gives, else from the root. */
  protected walk(walker: X86Walker, caches: WalkCaches | null, hi: number, lo: number, access: number): number {
    const root = this.rootLevel;
    if (caches !== null) {
      const level = caches.lookup(hi, lo, this.pcid, root, this.wide);
      if (level < root) {
        return this.wide
          ? walker.walkWide(level, caches.table, caches.rights, hi, lo, access)
          : walker.walkNarrow(level, caches.table, caches.rights, lo, access);
      }
    }
    if (!this.wide) return walker.walkNarrow(root, this.rootFrame, ROOT_RIGHTS, lo, access);
    if (this.rules.mode !== 'pae') return walker.walkWide(root, this.rootFrame, ROOT_RIGHTS, hi, lo, access);
    const index = (lo >>> 30) << 1;
    return walker.walkPae(this.pdptes[index + 1], this.pdptes[index], lo, access);
  }

  protected fillWalkCaches(hi: number, lo: number): void {
    const { walkCaches, walker } = this;
    if (walkCaches === null) return;
    for (let level = walker.startLevel; level > walker.endLevel; level--) {
      walkCaches.fill(hi, lo, this.pcid, level, this.wide, walker.nextTable[level], walker.rightsAfter[level]);
    }
  }
}
