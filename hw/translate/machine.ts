/** The common part of the machines of all architectures: a data path over the walks of one, and its counts. */

import type { FaultRecord } from '../base/fault.js';
import type { Ram } from '../memory/ram.js';
import * as softTlb from '../tlb/soft.js';
import type { TlbHierarchy } from '../tlb/hierarchy.js';
import { Counters } from './counts/counters.js';
import { DataPath } from './path/data-path.js';
import type { TranslationListener } from './walk/events.js';
import { translationOptions } from './options.js';
import type { MachineOptions } from './options.js';
import type { StaleEntryChecker } from './path/stale-check.js';
import type { WalkRecord } from './walk/walk-record.js';
import type { Observer, Walks } from './walk/walks.js';

const { isSoftHit, NO_CELLS, softEntry, softFrameAt } = softTlb;

/** Translations, loads, stores and fetches of one processor. Addresses are two int32 words, `hi` and `lo`. */
export class TranslatingMachine {
  readonly ram: Ram;
  /** Translations, loads and stores: everything except the architecture's own. */
  readonly dataPath: DataPath;
  readonly counters: Counters;
  readonly tlb: TlbHierarchy;
  /** Details of the last fault. */
  readonly fault: FaultRecord;
  /** Checking mode: every hit is compared with a fresh walk. Null when off. */
  readonly checker: StaleEntryChecker | null;
  /** Result and reads of the last walk, for tools to show a walk. */
  readonly walkRecord: WalkRecord;
  /** Walks without any change, for tools to look. */
  readonly observer: Observer;
  /** Here as well as in the data path: on a hit even the way there counts. @internal */
  softCells = NO_CELLS;

  /** @throws RangeError for an impossible TLB shape, or a path that is none */
  constructor(walks: Walks, options: MachineOptions, counters = new Counters()) {
    this.ram = options.ram;
    this.dataPath = new DataPath(translationOptions(walks, options, counters, this));
    this.fault = walks.fault;
    this.walkRecord = walks.record;
    this.observer = walks.observer;
    this.counters = counters;
    this.tlb = this.dataPath.tlb;
    this.checker = this.dataPath.checker;
  }

  /** As {@link DataPath.listen}: `listener` hears each step of translations, and each instruction to drop some. */
  listen(listener: TranslationListener): () => void {
    return this.dataPath.listen(listener);
  }

  /** As {@link DataPath.translate}. */
  translate(hi: number, lo: number, access: number): number {
    const cells = this.softCells;
    const entry = softEntry(lo, access);
    if (isSoftHit(cells, entry, hi, lo)) return softFrameAt(cells, entry);
    return this.dataPath.translateMissed(hi, lo, access);
  }

  /** As {@link DataPath.translateMany}. */
  translateMany(
    his: Int32Array,
    los: Int32Array,
    length: number,
    access: number,
    frames: Int32Array,
    from = 0,
    align = 0,
  ): number {
    return this.dataPath.translateMany(his, los, length, access, frames, from, align);
  }

  /** As {@link DataPath.loadMany}. */
  loadMany(his: Int32Array, los: Int32Array, length: number, access: number, values: Int32Array): number {
    return this.dataPath.loadMany(his, los, length, access, values);
  }

  /** As {@link DataPath.locate}. */
  locate(hi: number, lo: number, size: number, access: number): number {
    return this.dataPath.locate(hi, lo, size, access);
  }

  /** As {@link DataPath.read}: loads 1 to 8 bytes into {@link valueLo} and {@link valueHi}. */
  read(hi: number, lo: number, size: number, access: number): number {
    return this.dataPath.read(hi, lo, size, access);
  }

  /** As {@link DataPath.write}: stores 1 to 8 bytes, all or nothing. */
  write(hi: number, lo: number, size: number, valueHi: number, valueLo: number, access: number): number {
    return this.dataPath.write(hi, lo, size, valueHi, valueLo, access);
  }

  /** As {@link DataPath.fetch}: fetches 1 to 8 bytes of code into {@link valueLo} and {@link valueHi}. */
  fetch(hi: number, lo: number, size: number, access: number): number {
    return this.dataPath.fetch(hi, lo, size, access);
  }

  /** The value of the last {@link read} or {@link fetch}, as two words; bytes past its size are 0. */
  get valueLo(): number {
    return this.dataPath.valueLo;
  }
  /** Segments put an access together here if it wraps at 4 GiB. */
  set valueLo(word: number) {
    this.dataPath.valueLo = word;
  }
  /** Its high word. */
  get valueHi(): number {
    return this.dataPath.valueHi;
  }
  /** As `valueLo`. */
  set valueHi(word: number) {
    this.dataPath.valueHi = word;
  }

  /** Frames of the last access located: of its first byte, and of its second page or -1. */
  get firstFrame(): number {
    return this.dataPath.firstFrame;
  }
  /** The frame of its second page, or -1. */
  get secondFrame(): number {
    return this.dataPath.secondFrame;
  }

  /** Page size (an index of {@link Regime.pageShifts}) of the last single translation on the modelled path. */
  get lastSize(): number {
    return this.dataPath.lastSize;
  }

  /** Whether the addresses with this high word are canonical in the current mode. */
  isCanonical(hi: number): boolean {
    return this.dataPath.regime.isCanonical(hi);
  }
}
