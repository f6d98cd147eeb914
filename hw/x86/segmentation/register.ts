/**
 * Segment registers with their hidden parts, and the registers for the places of descriptor tables.
 *
 * The hidden part keeps the descriptor as it was at the load: changing the descriptor in memory changes nothing
 * until the register is loaded again. Source: Intel SDM vol. 3A, "Segment Registers".
 */

import { FETCH, READ, WRITE } from '../../base/access.js';
import { GENERAL_PROTECTION, STACK_FAULT } from '../exception.js';
import { baseOf, BIG, CODE, EXPAND_DOWN, isReadable, isWritableData, LONG } from './descriptor.js';
import { limitOf, PRESENT, privilegeOf, typeOf } from './descriptor.js';

/** The processor's numbers for the segment registers. Source: SDM vol. 2, "MOV—Move", Sreg encoding. */
export const ES = 0;
/** Code segment. */
export const CS = 1;
/** Stack segment. */
export const SS = 2;
/** Data segment. */
export const DS = 3;
/** Segment with a base of its own in 64-bit mode. */
export const FS = 4;
/** As {@link FS}. */
export const GS = 5;
/** Names of the segment registers, by number. */
export const SEGMENT_NAMES: readonly string[] = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'];

const ALL_RIGHTS = (1 << READ) | (1 << WRITE) | (1 << FETCH);
/** Present, data, writable, accessed: a segment register after reset and in virtual-8086 mode. */
const DATA_ATTRIBUTES = 0x9300;
const REAL_MODE_LIMIT = 0xffff;

function rightsOf(high: number): number {
  const read = isReadable(high) ? 1 << READ : 0;
  const write = isWritableData(high) ? 1 << WRITE : 0;
  return read | write | ((high & CODE) !== 0 ? 1 << FETCH : 0);
}

/** One of CS, SS, DS, ES, FS and GS. */
export class SegmentRegister {
  /** The part visible to software. */
  selector = 0;
  baseHi = 0;
  baseLo = 0;
  /** Valid offsets run from `first` to `last`, both included, as unsigned int32; empty if `first > last`. */
  first = 0;
  last: number = REAL_MODE_LIMIT;
  /** Bit n set: access n of {@link READ}, {@link WRITE} and {@link FETCH} is allowed. 0 after loading a null selector. */
  rights: number = ALL_RIGHTS;
  /** The high word of the descriptor as loaded: type, S, DPL, P, L, D/B and G. */
  attributes: number = DATA_ATTRIBUTES;
  /** The exception of a refused access through this register: #SS for the stack, #GP for the others. */
  readonly faultStatus: number;
  /** In 64-bit mode only FS and GS add their bases; the others count as 0. */
  readonly keepsBaseIn64: boolean;

  constructor(readonly number: number) {
    this.faultStatus = number === SS ? STACK_FAULT : GENERAL_PROTECTION;
    this.keepsBaseIn64 = number === FS || number === GS;
  }

  /** Loads `selector` and the hidden part from its descriptor. Checks are the caller's. */
  load(selector: number, high: number, low: number): void {
    this.selector = selector;
    this.baseHi = 0;
    this.baseLo = baseOf(high, low);
    this.attributes = high;
    this.rights = rightsOf(high);
    const limit = limitOf(high, low);
    if ((high & (CODE | EXPAND_DOWN)) === EXPAND_DOWN) this.#expandDown(limit, (high & BIG) !== 0 ? -1 : 0xffff);
    else {
      this.first = 0;
      this.last = limit;
    }
  }

  /** Offsets above the limit are valid, up to 64 KiB or 4 GiB. Source: "Limit Checking". */
  #expandDown(limit: number, last: number): void {
    const empty = limit >>> 0 >= last >>> 0;
    this.first = empty ? 1 : (limit + 1) | 0;
    this.last = empty ? 0 : last;
  }

  /** Loads a null selector: every access through the register faults outside 64-bit mode. */
  loadNull(selector: number): void {
    this.selector = selector;
    this.baseHi = 0;
    this.baseLo = 0;
    this.first = 1;
    this.last = 0;
    this.rights = 0;
    this.attributes = 0;
  }

  /**
   * Real-address mode: the base is selector x 16; limit and attributes stay as they are. So a limit loaded in
   * protected mode survives the way back. Source: SDM vol. 3A, "Switching Back to Real-Address Mode".
   */
  loadReal(selector: number): void {
    this.selector = selector;
    this.baseHi = 0;
    this.baseLo = selector << 4;
    this.rights = ALL_RIGHTS;
  }

  /** Virtual-8086 mode: selector x 16, 64 KiB, DPL 3. Source: SDM vol. 3B, "Structure of a Virtual-8086 Task". */
  load8086(selector: number): void {
    this.loadReal(selector);
    this.first = 0;
    this.last = REAL_MODE_LIMIT;
    this.attributes = DATA_ATTRIBUTES | (3 << 13);
  }

  /** Makes this register a copy of another one's visible and hidden parts. */
  copy(other: SegmentRegister): void {
    this.selector = other.selector;
    this.baseHi = other.baseHi;
    this.baseLo = other.baseLo;
    this.first = other.first;
    this.last = other.last;
    this.rights = other.rights;
    this.attributes = other.attributes;
  }

  /** Whether the bytes from `offset` (int32, unsigned) to `offset + size - 1` lie inside the segment. */
  covers(offset: number, size: number): boolean {
    const start = offset >>> 0;
    return start >= this.first >>> 0 && start + size - 1 <= this.last >>> 0;
  }

  /** Whether the access (of {@link READ}, {@link WRITE}, {@link FETCH}; other bits do not matter) fits the type. */
  allows(access: number): boolean {
    return ((this.rights >>> (access & (WRITE | FETCH))) & 1) !== 0;
  }

  /** CS: a 64-bit code segment, while IA-32e mode is active. */
  get isLong(): boolean {
    return (this.attributes & LONG) !== 0;
  }

  /** SS: pushes use ESP (true) or SP. CS: 32-bit default size. */
  get isBig(): boolean {
    return (this.attributes & BIG) !== 0;
  }

  /** DPL of the segment as loaded. */
  get privilege(): number {
    return privilegeOf(this.attributes);
  }

  /** Whether a descriptor is loaded, as opposed to a null selector. */
  get usable(): boolean {
    return (this.attributes & PRESENT) !== 0;
  }
}

/** GDTR, LDTR or TR: the place of a table or a TSS. */
export class TableRegister {
  /** Selector of LDTR and TR; 0 in GDTR. */
  selector = 0;
  baseHi = 0;
  baseLo = 0;
  /** Last valid byte, unsigned; -1 when nothing is loaded: every check against it fails. */
  limit = -1;
  /** System type of the descriptor as loaded. */
  type = 0;

  /** Sets base and limit; `limit` in bytes, unsigned, -1 for none. */
  set(selector: number, baseHi: number, baseLo: number, limit: number, type = 0): void {
    this.selector = selector;
    this.baseHi = baseHi;
    this.baseLo = baseLo;
    this.limit = limit;
    this.type = type;
  }

  /** Loads an LDT or TSS descriptor; `baseHi` comes from the 16-byte form. */
  load(selector: number, high: number, low: number, baseHi: number): void {
    this.set(selector, baseHi, baseOf(high, low), limitOf(high, low) >>> 0, typeOf(high));
  }
}
