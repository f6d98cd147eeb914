/**
 * The walk of a settled page: every descriptor on its way is valid and takes no right away, the rights allow the access,
 * and the Access flag and, for a store, the dirty state are set. Such a walk writes nothing and has no fault to
 * tell of, so it need not remember its way.
 *
 * All else is left to AArch64Walker: it decides. A property test holds the two to each other.
 */

import * as accesses from '../base/access.js';
import * as address from '../base/address.js';
import * as control from '../hot/control.js';
import type { Ram } from '../memory/ram.js';
import * as format from './format.js';
import * as rightsOf from './rights.js';
import * as ruleBits from './rules.js';
import type { AArch64Rules, TranslationTables } from './rules.js';
import * as words from './words.js';

const { ACCESS_KINDS } = accesses;
const { frameAt, SHIFT_4K, SIZE_4K } = address;
const { DESC_AF, DESC_TABLE, DESC_VALID } = format;
const { AARCH64_PAGE_SHIFTS, NOT_BARRED } = ruleBits;
const { RIGHTS_PLACES, rightsIndex } = rightsOf;
const { bitsFrom } = words;

const NOT_SETTLED = -1;
const TYPE = DESC_VALID | DESC_TABLE;
const SETTLED_PAGE = TYPE | DESC_AF;
/** The place of a table in words, within 4 GiB. */
const TABLE_4K = 0x3fff_fc00;
/** Larger blocks have bits of an address in both words. */
const MOST_SHIFT = 30;
/** Root level of addresses longer than 39 bits, with the granule of 4 KiB. */
const FOUR_LEVELS = 3;
/** By access, no descriptor lets it through. */
const NOTHING = new Int32Array(2 * ACCESS_KINDS);

/** Index into RAM of the first word of the table of 4 KiB in a descriptor; only within 16 GiB. */
const tableIn = (high: number, low: number): number => (high << 30) | ((low >>> 2) & TABLE_4K);
/** Index into RAM of the low word of the descriptor selected by nine bits of an address. */
const entryAt = (table: number, nineBits: number): number => (table | ((nineBits & 511) << 1)) >>> 0;

/** The tables of one half of the addresses, in a form without cost to ask. */
class SettledTables {
  /** Levels of the granule of 4 KiB, and all of them. */
  isLong = false;
  root = 0;
  rootMask = 511;
  /** Bits of an address's high word from here on equal the sign. */
  coverShift = 31;
  /** Bits of a high word never set in a settled descriptor: of a table, of a block or page. */
  wrongTable = 0;
  wrongHigh = 0;
  /** By access, two words: bit n tells whether a descriptor with {@link rightsIndex} n lets it through. */
  allowed: Int32Array = NOTHING;

  constructor(
    readonly tables: TranslationTables,
    readonly sign: 0 | -1,
  ) {}
}

export class AArch64SettledWalk {
  /** The size of the last page found, an index of AARCH64_PAGE_SHIFTS. */
  size = SIZE_4K;
  private readonly ram: Ram;
  private readonly words: Int32Array;
  private readonly rules: AArch64Rules;
  private readonly lower: SettledTables;
  private readonly upper: SettledTables;
  /** What {@link SettledTables.allowed} may be: worked out once for each set of rights and of permissions. */
  private readonly known = new Map<Int32Array, (Int32Array | undefined)[]>();

  constructor(ram: Ram, rules: AArch64Rules) {
    this.ram = ram;
    this.words = ram.words;
    this.rules = rules;
    this.lower = new SettledTables(rules.lower, 0);
    this.upper = new SettledTables(rules.upper, -1);
  }

  /** To be called after a change of the rules. */
  regimeChanged(): void {
    this.setHalf(this.lower);
    this.setHalf(this.upper);
  }

  private setHalf(half: SettledTables): void {
    const { tables } = half;
    const { barred, barsEl0, rootHi, rootLo, inputBits } = tables;
    // Under DS low words of descriptors have bits of an address too.
    half.isLong = tables.granule.shift === SHIFT_4K && tables.rootLevel === FOUR_LEVELS && !tables.granule.ds;
    half.root = tables.rootWord;
    half.rootMask = tables.rootMask;
    half.wrongTable = tables.wrongHigh | tables.hierarchical;
    half.wrongHigh = tables.wrongHigh;
    half.coverShift = Math.max(0, inputBits - 32);
    // Addresses of one word are left to AArch64Walker.
    const may = barred === NOT_BARRED && !barsEl0 && inputBits > 32 && this.ram.hasFrame(frameAt(rootHi, rootLo));
    half.allowed = may ? this.allowedBy(tables.leafRights) : NOTHING;
  }

  private allowedBy(rights: Int32Array): Int32Array {
    const { regime, permissionsOf } = this.rules;
    const byPermissions = this.known.get(rights) ?? [];
    this.known.set(rights, byPermissions);
    const made = byPermissions[permissionsOf];
    if (made !== undefined) return made;
    const allowed = new Int32Array(2 * ACCESS_KINDS);
    for (let access = 0; access < ACCESS_KINDS; access++) {
      for (let place = 0; place < RIGHTS_PLACES; place++) {
        const permits = ((regime.permitted[access] >>> rights[place]) & 1) !== 0;
        if (permits && (~rights[place] & regime.needed[access]) === 0) {
          allowed[2 * access + (place >>> 5)] |= 1 << (place & 31);
        }
      }
    }
    byPermissions[permissionsOf] = allowed;
    return allowed;
  }

  /**
   * Tells hot loops, in their control block, what a settled walk of this kind of access is.
   * @returns false where there is none
   */
  tell(access: number, words: Int32Array): boolean {
    const { regime, lower } = this.rules;
    const [permitted, needed] = [regime.permitted[access], regime.needed[access]];
    const { canonicalShift, entryBytes } = regime;
    control.tellAccess(words, { machine: 'aarch64', permitted, needed, canonicalShift, entryBytes }, 2);
    // Both halves have the same: it is the dirty state's and SCTLR_EL1.WXN's.
    words.set(lower.leafRights, control.RIGHTS);
    const halves = [tellHalf(words, 0, access, this.lower), tellHalf(words, 1, access, this.upper)];
    return halves.includes(true);
  }

  /**
   * Walks from the root down, in RAM without sharing; `hi` must be canonical.
   * @returns the 4 KiB frame of the address, or -1 when it is not settled
   */
  walk(hi: number, lo: number, access: number): number {
    const half = hi < 0 ? this.upper : this.lower;
    if (hi >> half.coverShift !== half.sign) return NOT_SETTLED;
    return half.isLong ? this.walkLong(half, hi, lo, access) : this.walkLevels(half, hi, lo, access);
  }

  /**
   * Four levels of the granule of 4 KiB: two by the high word, or by both, and two by the low one. A descriptor that leads
   * out of RAM has a wrong bit, or an index past the end; until then it may lead astray. A hole in RAM reads as not valid.
   */
  private walkLong(half: SettledTables, hi: number, lo: number, access: number): number {
    const { words } = this;
    let at = entryAt(half.root, (hi >>> 7) & half.rootMask);
    if (at >= words.length) return NOT_SETTLED;
    let low = words[at];
    let high = words[at | 1];
    let all = low;
    let any = high;

    at = entryAt(tableIn(high, low), (hi << 2) | (lo >>> 30));
    if (at >= words.length) return NOT_SETTLED;
    low = words[at];
    high = words[at | 1];
    if ((low & DESC_TABLE) === 0) return this.block(half, 2, all, any, high, low, lo, access);
    all &= low;
    any |= high;

    at = entryAt(tableIn(high, low), lo >>> 21);
    if (at >= words.length) return NOT_SETTLED;
    low = words[at];
    high = words[at | 1];
    if ((low & DESC_TABLE) === 0) return this.block(half, 1, all, any, high, low, lo, access);
    all &= low;
    any |= high;

    at = entryAt(tableIn(high, low), lo >>> 12);
    if (at >= words.length) return NOT_SETTLED;
    low = words[at];
    high = words[at | 1];
    if ((all & TYPE) !== TYPE || (low & SETTLED_PAGE) !== SETTLED_PAGE) return NOT_SETTLED;
    if (((any & half.wrongTable) | (high & half.wrongHigh)) !== 0 || !allows(half, high, low, access))
      return NOT_SETTLED;
    this.size = SIZE_4K;
    const frame = (high << 20) | (low >>> 12);
    return this.ram.hasFrame(frame) ? frame : NOT_SETTLED;
  }

  /** A block of that granule, `all` and `any` being the bits of the tables above it. */
  private block(
    half: SettledTables,
    level: number,
    all: number,
    any: number,
    high: number,
    low: number,
    lo: number,
    access: number,
  ): number {
    if ((all & TYPE) !== TYPE || (any & half.wrongTable) !== 0) return NOT_SETTLED;
    return this.leaf(half, level, high, low, lo, access);
  }

  /** Any granule, and any number of levels. */
  private walkLevels(half: SettledTables, hi: number, lo: number, access: number): number {
    const { words } = this;
    const { tables, wrongTable } = half;
    const { stride, indexMask, wrongLow } = tables;
    const base = tables.granule.shift;
    let mask = half.rootMask;
    let table = half.root;
    for (let level = tables.rootLevel; ; level--) {
      const at = (table | ((bitsFrom(hi, lo, base + stride * level) & mask) << 1)) >>> 0;
      if (at >= words.length) return NOT_SETTLED;
      const low = words[at];
      const high = words[at | 1];
      if (level === 0 || (low & TYPE) !== TYPE) return this.leaf(half, level, high, low, lo, access);
      if (((high & wrongTable) | (low & wrongLow)) !== 0) return NOT_SETTLED;
      table = (high << 30) | ((low & -(1 << base)) >>> 2);
      mask = indexMask;
    }
  }

  /** A descriptor other than a table's: of a block or page, or none. */
  private leaf(half: SettledTables, level: number, high: number, low: number, lo: number, access: number): number {
    const { granule, leafLevels, wrongLow } = half.tables;
    const shift = granule.levelShifts[level];
    const type = level === 0 ? SETTLED_PAGE : DESC_VALID | DESC_AF;
    if ((low & SETTLED_PAGE) !== type || !allows(half, high, low, access)) return NOT_SETTLED;
    if (((high & half.wrongHigh) | (low & wrongLow)) !== 0) return NOT_SETTLED;
    if (((leafLevels >>> level) & 1) === 0 || shift > MOST_SHIFT) return NOT_SETTLED;
    this.size = granule.sizes[level];
    const inPage = (1 << shift) - 1;
    const frame = (high << 20) | (((low & ~inPage) | (lo & inPage)) >>> 12);
    return this.ram.hasFrame(frame) ? frame : NOT_SETTLED;
  }
}

/** Whether the rights in the descriptor of a block or page allow the access, and a walk would set none of them. */
function allows({ allowed }: SettledTables, high: number, low: number, access: number): boolean {
  const place = rightsIndex(high, low);
  return ((allowed[2 * access + (place >>> 5)] >>> place) & 1) !== 0;
}

/** @returns false where nothing is settled */
function tellHalf(
  words: Int32Array,
  half: control.Half,
  access: number,
  { tables, allowed, wrongTable, ...settled }: SettledTables,
): boolean {
  if (allowed === NOTHING) {
    control.tellNothing(words, half);
    return false;
  }
  const { granule, indexMask, leafLevels, rootLevel, rootLo, wrongHigh, wrongLow } = tables;
  const { rootMask, coverShift } = settled;
  const shape = { rootLevel, rootMask, indexMask, coverShift };
  control.tellAllowed(words, half, allowed, 2 * access);
  control.tellTables(words, half, { root: rootLo, ...shape, zerosHigh: wrongTable, zerosLow: wrongLow });
  for (let level = 0; level <= rootLevel; level++) {
    const shift = granule.levelShifts[level];
    if (((leafLevels >>> level) & 1) === 0 || shift > MOST_SHIFT) {
      control.tellNoPages(words, half, level, shift);
      continue;
    }
    control.tellPages(words, half, level, wrongHigh, wrongLow, shift, granule.sizes[level]);
    const set = granule.contiguousSizes[level];
    control.tellSets(words, half, level, AARCH64_PAGE_SHIFTS[set], set);
  }
  return true;
}
