/**
 * Entries of an architecture with one bit of the low word for each mark, and one for the right to write: x86 and RISC-V.
 * Where a mark is said by several bits together, an architecture extends {@link Entries} itself.
 */

import * as frameTable from '../frames/frames.js';
import { Entries } from './entries.js';
import type { EntryUpdate } from './entries.js';
import { FORK_MODULE } from './hot/module.js';

const { MAP_EXCLUSIVE } = frameTable;

/** Words of a run, less its first entry, that is not worth a call to WebAssembly: most in a torn table are shorter. */
const SHORT_RUN = 8;

/** A loop from hot/source. */
type CopyLoop = (
  source: number,
  target: number,
  bytes: number,
  map: number,
  frames: number,
  kinds: number,
  kind: number,
  lose: number,
  childLose: number,
) => number;

/** One for each place of the frame in an entry. */
type CopyLoops = Readonly<Record<`copyRun${EntryRuns['frameShift']}`, CopyLoop>>;

/** Bits of the low word, one each. */
export interface EntryMarks {
  readonly accessed: number;
  readonly dirty: number;
  readonly softDirty: number;
  readonly writable: number;
}

/** Of runs of entries: bits of the low word in which they agree, and the place of the frame in an entry. */
export interface EntryRuns {
  readonly kinds: number;
  /** There are loops in WebAssembly for these two. */
  readonly frameShift: 10 | 12;
}

export abstract class MarkedEntries extends Entries {
  protected abstract readonly marks: EntryMarks;
  protected abstract readonly runs: EntryRuns;
  /** The map words of the last run, and the loop over them. */
  private map: Int32Array | null = null;
  private loop: CopyLoop | null = null;
  /** Where the map words lie, and how many they are. V8 asks an array for both by a call. */
  private mapPlace = 0;
  private mapLength = 0;

  override makeClean(at: number): void {
    this.change(at, this.marks.dirty | this.marks.writable, 0);
  }

  override clearSoftDirty(at: number): number {
    return this.change(at, this.marks.softDirty | this.marks.writable, 0);
  }

  override makeOld(at: number): number {
    return this.change(at, this.marks.accessed, 0);
  }

  override makeOldAndClean(at: number): number {
    return this.change(at, this.marks.accessed | this.marks.dirty, 0);
  }

  override markTouched(at: number, write: boolean): void {
    const { accessed, dirty, softDirty, writable } = this.marks;
    this.change(at, 0, write ? accessed | dirty | softDirty | writable : accessed);
  }

  override markAccess(at: number, write: boolean): void {
    const { accessed, dirty } = this.marks;
    this.change(at, 0, write ? accessed | dirty : accessed);
  }

  override markDirty(at: number): void {
    this.change(at, 0, this.marks.dirty | this.marks.softDirty);
  }

  override moved(low: number): number {
    return low | this.marks.softDirty;
  }

  override lostByChild(isShared: boolean): number {
    const { accessed, dirty } = this.marks;
    return isShared ? accessed | dirty : accessed;
  }

  override copyRun(
    map: Int32Array,
    source: number,
    target: number,
    i: number,
    end: number,
    { lose }: EntryUpdate,
    childLose: number,
  ): number {
    const { kinds } = this.runs;
    const kind = this.words[source + i] & kinds;
    if (map !== this.map) this.findLoop(map);
    const loop = this.loop;
    if (loop === null || !this.isLong(source, i, end, kind)) {
      return this.copyPlain(map, source, target, i, end, kind, lose, childLose);
    }
    // Where one page is part of a large folio, more are: they end runs, and a call for each would cost too much.
    if (map[this.frameAt(source + i)] < 0) return i;
    const [from, to, bytes] = [4 * (source + i), 4 * (target + i), 4 * (end - i)];
    return i + loop(from, to, bytes, this.mapPlace, this.mapLength, kinds, kind, lose, childLose) / 4;
  }

  private isLong(source: number, i: number, end: number, kind: number): boolean {
    const last = i + SHORT_RUN;
    if (last >= end) return false;
    for (i += 2; i <= last; i += 2) if ((this.words[source + i] & this.runs.kinds) !== kind) return false;
    return true;
  }

  /** One pass over int32 words. Places are kept unsigned, because those of 16 GiB of RAM do not fit an int32. */
  private copyPlain(
    map: Int32Array,
    source: number,
    target: number,
    i: number,
    end: number,
    kind: number,
    lose: number,
    childLose: number,
  ): number {
    const { words } = this;
    const { kinds, frameShift } = this.runs;
    for (; i < end; i = (i + 2) | 0) {
      const at = (source + i) >>> 0;
      const low = words[at];
      if ((low & kinds) !== kind) break;
      const high = words[(at | 1) >>> 0];
      const frame = (low >>> frameShift) | (high << (32 - frameShift));
      const word = map[frame] & ~MAP_EXCLUSIVE;
      if (word < 0) break;
      map[frame] = (word + 1) | 0;
      const place = (target + i) >>> 0;
      words[(place | 1) >>> 0] = high;
      words[place] = low & ~lose & ~childLose;
      words[at] = low & ~lose;
    }
    return i;
  }

  /** Finds the loop in WebAssembly, where map words lie in one memory with RAM. */
  private findLoop(map: Int32Array): void {
    const hot = map.buffer === this.words.buffer ? this.memory.hot : null;
    const loops = (hot?.instantiate(FORK_MODULE) ?? null) as CopyLoops | null;
    this.loop = loops === null ? null : loops[`copyRun${this.runs.frameShift}`];
    this.map = map;
    this.mapPlace = map.byteOffset;
    this.mapLength = map.length;
  }
}
