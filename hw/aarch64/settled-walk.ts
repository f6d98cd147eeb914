/**
 * The walk of a settled page: every descriptor on its way is valid and takes no right away, the rights allow the access,
 * and the Access flag and, for a store, the dirty state are set. Such a walk writes nothing and has no fault to
 * tell of, so it need not remember its way.
 *
 * All else is left to AArch64Walker: it decides. A property test holds the two to each other.
 */

import * as address from '../base/address.js';
import type { Ram } from '../memory/ram.js';
import * as format from './format.js';
import * as rightsOf from './rights.js';
import * as ruleBits from './rules.js';
import type { AArch64Rules, TranslationTables } from './rules.js';
import * as words from './words.js';

const { frameAt, SHIFT_4K, SIZE_4K } = address;
const { DESC_AF, DESC_TABLE, DESC_VALID } = format;
const { NOT_BARRED } = ruleBits;
const { rightsIndex } = rightsOf;
const { bitsFrom } = words;

const NOT_SETTLED = -1;
const TYPE = DESC_VALID | DESC_TABLE;
/** The place of a table in words, within 4 GiB. */
const TABLE_4K = 0x3fff_fc00;
/** Larger blocks have bits of an address in both words. */
const MOST_SHIFT = 30;

export class AArch64SettledWalk {
  /** The size of the last page found, an index of AARCH64_PAGE_SHIFTS. */
  size = SIZE_4K;
  private readonly ram: Ram;
  private readonly rules: AArch64Rules;
  /** The tables of the lower and of the upper half; null where no walk may settle. */
  private lower: TranslationTables | null = null;
  private upper: TranslationTables | null = null;

  constructor(ram: Ram, rules: AArch64Rules) {
    this.ram = ram;
    this.rules = rules;
  }

  /** To be called after a change of the rules. */
  regimeChanged(): void {
    const usable = (tables: TranslationTables): TranslationTables | null => {
      const { barred, barsEl0, rootHi, rootLo } = tables;
      const may = barred === NOT_BARRED && !barsEl0 && this.ram.hasFrame(frameAt(rootHi, rootLo));
      return may ? tables : null;
    };
    this.lower = usable(this.rules.lower);
    this.upper = usable(this.rules.upper);
  }

  /**
   * Walks from the root down, in RAM without sharing; `hi` must be canonical.
   * @returns the 4 KiB frame of the address, or -1 when it is not settled
   */
  walk(hi: number, lo: number, access: number): number {
    const tables = hi < 0 ? this.upper : this.lower;
    if (tables === null) return NOT_SETTLED;
    if (!tables.covers(hi, lo)) return NOT_SETTLED;
    return tables.granule.shift === SHIFT_4K
      ? this.walk4K(tables, hi, lo, access)
      : this.walkWide(tables, hi, lo, access);
  }

  /** With the granule of 4 KiB: two levels by the high word, or by both, and two by the low one. */
  private walk4K(tables: TranslationTables, hi: number, lo: number, access: number): number {
    const { words } = this.ram;
    const { rootLevel, rootMask } = tables;
    const wrongHigh = tables.wrongHigh | tables.hierarchical;
    let table = tables.rootWord;
    if (rootLevel === 3) {
      const at = (table | (((hi >> 7) & rootMask) << 1)) >>> 0;
      if (at >= words.length) return NOT_SETTLED;
      const low = words[at];
      const high = words[at | 1];
      if ((low & TYPE) !== TYPE || (high & wrongHigh) !== 0) return NOT_SETTLED;
      table = (high << 30) | ((low >>> 2) & TABLE_4K);
    }
    if (rootLevel >= 2) {
      const mask = rootLevel === 2 ? rootMask : 511;
      const at = (table | ((((hi << 2) | (lo >>> 30)) & mask) << 1)) >>> 0;
      if (at >= words.length) return NOT_SETTLED;
      const low = words[at];
      const high = words[at | 1];
      if ((low & TYPE) !== TYPE) return this.leaf(tables, 2, high, low, lo, access);
      if ((high & wrongHigh) !== 0) return NOT_SETTLED;
      table = (high << 30) | ((low >>> 2) & TABLE_4K);
    }
    if (rootLevel >= 1) {
      const mask = rootLevel === 1 ? rootMask : 511;
      const at = (table | (((lo >>> 21) & mask) << 1)) >>> 0;
      if (at >= words.length) return NOT_SETTLED;
      const low = words[at];
      const high = words[at | 1];
      if ((low & TYPE) !== TYPE) return this.leaf(tables, 1, high, low, lo, access);
      if ((high & wrongHigh) !== 0) return NOT_SETTLED;
      table = (high << 30) | ((low >>> 2) & TABLE_4K);
    }
    const at = (table | (((lo >>> 12) & (rootLevel === 0 ? rootMask : 511)) << 1)) >>> 0;
    if (at >= words.length) return NOT_SETTLED;
    const low = words[at];
    const high = words[at | 1];
    if ((low & TYPE) !== TYPE || !this.allows(tables, high, low, access)) return NOT_SETTLED;
    this.size = SIZE_4K;
    const frame = (high << 20) | (low >>> 12);
    return this.ram.hasFrame(frame) ? frame : NOT_SETTLED;
  }

  /** With a larger granule. */
  private walkWide(tables: TranslationTables, hi: number, lo: number, access: number): number {
    const { words } = this.ram;
    const { stride, indexMask, wrongLow } = tables;
    const base = tables.granule.shift;
    const wrongHigh = tables.wrongHigh | tables.hierarchical;
    let mask = tables.rootMask;
    let table = tables.rootWord;
    for (let level = tables.rootLevel; ; level--) {
      const at = (table | ((bitsFrom(hi, lo, base + stride * level) & mask) << 1)) >>> 0;
      if (at >= words.length) return NOT_SETTLED;
      const low = words[at];
      const high = words[at | 1];
      if (level === 0 || (low & TYPE) !== TYPE) return this.leaf(tables, level, high, low, lo, access);
      if (((high & wrongHigh) | (low & wrongLow)) !== 0) return NOT_SETTLED;
      table = (high << 30) | ((low & -(1 << base)) >>> 2);
      mask = indexMask;
    }
  }

  /** A descriptor other than a table's: of a block or page, or none. */
  private leaf(
    tables: TranslationTables,
    level: number,
    high: number,
    low: number,
    lo: number,
    access: number,
  ): number {
    const { granule } = tables;
    const shift = granule.levelShifts[level];
    if ((low & TYPE) !== (level === 0 ? TYPE : DESC_VALID) || !this.allows(tables, high, low, access))
      return NOT_SETTLED;
    if (((tables.leafLevels >>> level) & 1) === 0 || shift > MOST_SHIFT) return NOT_SETTLED;
    this.size = granule.sizes[level];
    const inPage = (1 << shift) - 1;
    const frame = (high << 20) | (((low & ~inPage) | (lo & inPage)) >>> 12);
    return this.ram.hasFrame(frame) ? frame : NOT_SETTLED;
  }

  /** Whether the descriptor of a block or page lets the access through, and a walk would set nothing in it. */
  private allows(tables: TranslationTables, high: number, low: number, access: number): boolean {
    const { regime } = this.rules;
    const rights = tables.leafRights[rightsIndex(high, low)];
    return (
      (low & DESC_AF) !== 0 &&
      ((high & tables.wrongHigh) | (low & tables.wrongLow)) === 0 &&
      ((regime.permitted[access] >>> rights) & 1) !== 0 &&
      (~rights & regime.needed[access]) === 0
    );
  }
}
