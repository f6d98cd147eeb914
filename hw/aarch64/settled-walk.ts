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

const { frameAt, SIZE_4K } = address;
const { DESC_AF, DESC_TABLE, DESC_VALID } = format;
const { NOT_BARRED } = ruleBits;
const { rightsIndex } = rightsOf;

const NOT_SETTLED = -1;
const TYPE = DESC_VALID | DESC_TABLE;
/** Address bits in a descriptor's high word, and those past RAM: it ends at 2^34. */
const ADDRESS_HIGH = 0xffff;
const BEYOND_RAM = 0xfffc;
/** Where addresses have 52 bits, bits 51:48 in its low word. */
const ADDRESS_TOP = 0xf000;

export class AArch64SettledWalk {
  /** The size of the last page found, an index of PAGE_SHIFTS. */
  size = SIZE_4K;
  private readonly ram: Ram;
  private readonly rules: AArch64Rules;
  /** Whether walks of the lower and of the upper half may settle. */
  private lowerMay = false;
  private upperMay = false;

  constructor(ram: Ram, rules: AArch64Rules) {
    this.ram = ram;
    this.rules = rules;
  }

  /** To be called after a change of the rules. */
  regimeChanged(): void {
    const may = (tables: TranslationTables): boolean => {
      const { barred, barsEl0, rootHi, rootLo } = tables;
      return barred === NOT_BARRED && !barsEl0 && this.ram.hasFrame(frameAt(rootHi, rootLo));
    };
    this.lowerMay = may(this.rules.lower);
    this.upperMay = may(this.rules.upper);
  }

  /**
   * Walks from the root down, in RAM without sharing; `hi` must be canonical.
   * @returns the 4 KiB frame of the address, or -1 when it is not settled
   */
  walk(hi: number, lo: number, access: number): number {
    const { rules } = this;
    if (!(hi < 0 ? this.upperMay : this.lowerMay)) return NOT_SETTLED;
    const tables = hi < 0 ? rules.upper : rules.lower;
    if (!tables.covers(hi, lo)) return NOT_SETTLED;
    const { words } = this.ram;
    const { stride, indexMask, hierarchical, beyondHigh, wideAddresses } = tables;
    const base = tables.granule.shift;
    const wrongAddress = BEYOND_RAM | (beyondHigh & ADDRESS_HIGH);
    const wrongLow = wideAddresses ? ADDRESS_TOP : 0;
    let level = tables.rootLevel;
    let mask = tables.rootMask;
    let table = (tables.rootHi << 30) | (tables.rootLo >>> 2);
    for (;;) {
      const shift = base + stride * level;
      const index = (shift >= 32 ? hi >> (shift - 32) : (hi << (32 - shift)) | (lo >>> shift)) & mask;
      const at = (table | (index << 1)) >>> 0;
      if (at >= words.length) return NOT_SETTLED;
      const low = words[at];
      const high = words[at | 1];
      if (level === 0) {
        this.size = tables.granule.sizes[0];
        if ((low & TYPE) !== TYPE || ((high & wrongAddress) | (low & wrongLow)) !== 0) return NOT_SETTLED;
        return this.settle(tables, high, low, lo, (1 << base) - 1, access);
      }
      if ((low & TYPE) !== TYPE) {
        if ((low & TYPE) !== DESC_VALID || ((tables.leafLevels >>> level) & 1) === 0 || shift > 30) return NOT_SETTLED;
        if (((high & wrongAddress) | (low & wrongLow)) !== 0) return NOT_SETTLED;
        this.size = tables.granule.sizes[level];
        return this.settle(tables, high, low, lo, (1 << shift) - 1, access);
      }
      if (((high & (wrongAddress | hierarchical)) | (low & wrongLow)) !== 0) return NOT_SETTLED;
      table = (high << 30) | ((low & -(1 << base)) >>> 2);
      mask = indexMask;
      level--;
    }
  }

  private settle(
    tables: TranslationTables,
    high: number,
    low: number,
    lo: number,
    inPage: number,
    access: number,
  ): number {
    const { rules, ram } = this;
    if ((low & DESC_AF) === 0) return NOT_SETTLED;
    const { regime } = rules;
    const rights = tables.leafRights[rightsIndex(high, low)];
    if (((regime.permitted[access] >>> rights) & 1) === 0 || (~rights & regime.needed[access]) !== 0)
      return NOT_SETTLED;
    const frame = frameAt(high & 3, (low & ~inPage) | (lo & inPage));
    return ram.hasFrame(frame) ? frame : NOT_SETTLED;
  }
}
