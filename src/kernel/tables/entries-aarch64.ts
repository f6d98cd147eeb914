/**
 * Descriptors of AArch64 with the granule of 4 KiB. Valid, AP, AF and DBM are said in no other file of the kernel.
 *
 * Rights and marks for software stand in the low word: AttrIndx means nothing while all eight attributes are alike, and NS
 * is ignored outside of Secure state. The hardware's dirty state is AP[2] clear while DBM is set. A page without the right
 * to write has AP[2] set: then a bit for software remembers that it is dirty.
 * Source: Arm ARM (DDI 0487), D8.3, "Translation table descriptor formats"; D8.4.5, "Hardware management of the dirty state".
 */

import * as address from '../../../hw/base/address.js';
import * as format from '../../../hw/aarch64/format.js';
import * as frameTable from '../frames/frames.js';
import * as page from './entries.js';
import { Entries } from './entries.js';
import type { EntryUpdate } from './entries.js';
import type { EntryFlag } from './entry-change.js';

const { frameOf, highWordOfFrame, lowWordOfFrame } = address;
const {
  DESC_AF: AF,
  DESC_ATTR_SHIFT,
  DESC_DBM: DBM,
  DESC_EL0: EL0,
  DESC_NG: NG,
  DESC_PXN: PXN,
  DESC_READ_ONLY: READ_ONLY,
  DESC_SH_SHIFT,
  DESC_TABLE: TABLE,
  DESC_UXN: UXN,
  DESC_VALID: VALID,
} = format;
const { PAGE_ACCESSIBLE, PAGE_EXECUTABLE, PAGE_HUGE, PAGE_SPECIAL, PAGE_TOUCHED, PAGE_WRITABLE, PAGE_WRITTEN } = page;
const { MAP_EXCLUSIVE } = frameTable;

/** AttrIndx: not counted as mapped. */
const SPECIAL = 1 << DESC_ATTR_SHIFT;
/** AttrIndx. */
const SOFT_DIRTY = 2 << DESC_ATTR_SHIFT;
/** AttrIndx. It may be written: DBM says so to the hardware. */
const WRITE = 4 << DESC_ATTR_SHIFT;
/** NS. It was written, whatever AP[2] says. */
const DIRTY = 1 << 5;
/** nG is set in every entry for a page, and in its place a bit ignored by the hardware in every one for a table. */
const MAPPED = NG;
const INNER_SHAREABLE = 3 << DESC_SH_SHIFT;
/** A guard page: its entry maps nothing, and has no other bit. */
const GUARD = EL0;
/** The marks of a page just written. */
const WRITTEN = AF | DIRTY | SOFT_DIRTY | WRITE;
/** Bits of the low word for the rights of a VMA. */
const RIGHTS = VALID | EL0 | WRITE;
/** Bits of the low word in which the entries of one run agree. */
const KIND = VALID | SPECIAL | WRITE;
const FLAGS = 0xfff;
/** Bits of the high word of the frame. */
const FRAME_HIGH = 0xffff;

/** Absent for the hardware unless the page is accessible. */
function rightsOf(rights: number): number {
  const accessible = (rights & PAGE_ACCESSIBLE) !== 0 ? VALID | EL0 : 0;
  return accessible | ((rights & PAGE_WRITABLE) !== 0 ? WRITE : 0);
}

/** The high word for rights in PAGE_ bits, and the low word's right to write. The kernel executes no page of a process. */
function highRightsOf(rights: number, low: number): number {
  return PXN | ((rights & PAGE_EXECUTABLE) !== 0 ? 0 : UXN) | ((low & WRITE) !== 0 ? DBM : 0);
}

function isDirty(low: number): boolean {
  return (low & DIRTY) !== 0 || (low & (WRITE | READ_ONLY)) === WRITE;
}

/** Names of bits, as the manual and the kernel have them. */
const FLAG_NAMES: readonly EntryFlag[] = [
  { name: 'valid', low: VALID, high: 0 },
  { name: 'AP[1]', low: EL0, high: 0 },
  { name: 'AP[2]', low: READ_ONLY, high: 0 },
  { name: 'AF', low: AF, high: 0 },
  { name: 'writable', low: WRITE, high: 0 },
  { name: 'dirty', low: DIRTY, high: 0 },
  { name: 'special', low: SPECIAL, high: 0 },
  { name: 'soft-dirty', low: SOFT_DIRTY, high: 0 },
  { name: 'DBM', low: 0, high: DBM },
  { name: 'UXN', low: 0, high: UXN },
];

/** The entries of one RAM, as descriptors of AArch64. */
export class AArch64Entries extends Entries {
  protected override readonly flags = FLAG_NAMES;
  override readonly readOnly: EntryUpdate = { lose: WRITE, gain: READ_ONLY, loseHigh: DBM };

  override isPresent(low: number): boolean {
    return (low & VALID) !== 0;
  }

  override isMapped(low: number): boolean {
    return (low & MAPPED) !== 0;
  }

  override isTable(low: number): boolean {
    return (low & (VALID | TABLE)) === (VALID | TABLE);
  }

  override isSpecial(low: number): boolean {
    return (low & SPECIAL) !== 0;
  }

  override isCounted(low: number): boolean {
    return (low & (MAPPED | SPECIAL)) === MAPPED;
  }

  override isGuard(low: number): boolean {
    return low === GUARD;
  }

  override isWritable(low: number): boolean {
    return (low & WRITE) !== 0;
  }

  override isAccessed(low: number): boolean {
    return (low & AF) !== 0;
  }

  override isDirty(low: number): boolean {
    return isDirty(low);
  }

  override isSoftDirty(low: number): boolean {
    return (low & SOFT_DIRTY) !== 0;
  }

  override frameAt(at: number): number {
    return frameOf(this.words[at + 1] & FRAME_HIGH, this.words[at]);
  }

  override setPage(at: number, frame: number, bits: number): void {
    let low = MAPPED | INNER_SHAREABLE | rightsOf(bits);
    if ((bits & PAGE_TOUCHED) !== 0) low |= AF;
    if ((bits & PAGE_WRITTEN) !== 0) low |= WRITTEN;
    else low |= READ_ONLY;
    if ((bits & PAGE_HUGE) === 0) low |= TABLE;
    if ((bits & PAGE_SPECIAL) !== 0) low |= SPECIAL;
    this.set(at, highWordOfFrame(frame) | highRightsOf(bits, low), lowWordOfFrame(frame) | low);
  }

  /** A zero page is never writable. */
  override setPartOfHuge(at: number, frame: number, hugeHigh: number, hugeLow: number): void {
    const isZero = (hugeLow & SPECIAL) !== 0;
    const flags = (hugeLow & FLAGS & (isZero ? ~WRITE : -1)) | TABLE | (isZero ? READ_ONLY : 0);
    const high = hugeHigh & ~FRAME_HIGH & (isZero ? ~DBM : -1);
    this.set(at, highWordOfFrame(frame) | high, lowWordOfFrame(frame) | flags);
  }

  override setTable(at: number, table: number): void {
    this.set(at, highWordOfFrame(table), lowWordOfFrame(table) | VALID | TABLE | MAPPED);
  }

  override setGuard(at: number): void {
    this.set(at, 0, GUARD);
  }

  override setRights(at: number, bits: number): boolean {
    const { words } = this;
    const gain = rightsOf(bits);
    const low = words[at];
    const high = (words[at + 1] & FRAME_HIGH) | highRightsOf(bits, gain);
    if ((low & RIGHTS) === gain && high === words[at + 1]) return false;
    if (high !== words[at + 1]) this.setHigh(at, high);
    if ((gain & WRITE) === 0) this.change(at, RIGHTS, gain | READ_ONLY);
    else this.change(at, RIGHTS | (isDirty(low) ? READ_ONLY : 0), gain);
    return true;
  }

  override makeClean(at: number): void {
    this.apply(at, { lose: DIRTY | WRITE, gain: READ_ONLY, loseHigh: DBM });
  }

  override clearSoftDirty(at: number): number {
    return this.apply(at, { lose: SOFT_DIRTY | WRITE, gain: READ_ONLY, loseHigh: DBM });
  }

  override makeOld(at: number): number {
    return this.change(at, AF, 0);
  }

  override makeOldAndClean(at: number): number {
    return this.change(at, AF | DIRTY, READ_ONLY);
  }

  override markTouched(at: number, write: boolean): void {
    if (write) this.setHigh(at, this.words[at + 1] | DBM);
    this.change(at, write ? READ_ONLY : 0, write ? WRITTEN : AF);
  }

  override markAccess(at: number, write: boolean): void {
    const writes = write && this.isWritable(this.words[at]);
    this.change(at, writes ? READ_ONLY : 0, write ? AF | DIRTY : AF);
  }

  override markDirty(at: number): void {
    this.change(at, 0, DIRTY | SOFT_DIRTY);
  }

  override moved(low: number): number {
    return low | SOFT_DIRTY;
  }

  override lostByChild(isShared: boolean): number {
    return isShared ? AF | DIRTY : AF;
  }

  /** A page with AP[2] set anew stays dirty, unless the change says otherwise. */
  protected override changed(low: number, lose: number, gain: number): number {
    const remembered = (gain & READ_ONLY) !== 0 && (lose & DIRTY) === 0 && isDirty(low) ? DIRTY : 0;
    return (low & ~lose) | gain | remembered;
  }

  override setCopy(at: number, place: number, low: number, update: EntryUpdate, isShared: boolean): void {
    const { lose, gain, loseHigh } = update;
    const kept = this.isMapped(low) ? copyOf(this.changed(low, lose, gain), this.lostByChild(isShared)) : low;
    this.set(place, this.words[at + 1] & ~loseHigh, kept);
  }

  override copyRun(
    map: Int32Array,
    source: number,
    target: number,
    i: number,
    end: number,
    { lose, gain, loseHigh }: EntryUpdate,
    childLose: number,
  ): number {
    const { words } = this;
    const kind = words[source + i] & KIND;
    for (; i < end; i = (i + 2) | 0) {
      const at = (source + i) >>> 0;
      const low = words[at];
      if ((low & KIND) !== kind) break;
      const high = words[(at | 1) >>> 0];
      const frame = frameOf(high & FRAME_HIGH, low);
      const word = map[frame] & ~MAP_EXCLUSIVE;
      if (word < 0) break;
      map[frame] = (word + 1) | 0;
      const place = (target + i) >>> 0;
      const kept = this.changed(low, lose, gain);
      words[(place | 1) >>> 0] = high & ~loseHigh;
      words[place] = copyOf(kept, childLose);
      words[(at | 1) >>> 0] = high & ~loseHigh;
      words[at] = kept;
    }
    return i;
  }
}

/** A child's copy without these marks: a page that is not dirty there has AP[2] set. */
function copyOf(low: number, lost: number): number {
  return (lost & DIRTY) !== 0 ? (low & ~lost) | READ_ONLY : low & ~lost;
}
