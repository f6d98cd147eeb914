/**
 * Events: a processor's work on a translation, step by step and in order.
 *
 * Explanations, the checking mode and all others with an interest listen here: nobody has to guess the steps from
 * counters. An event is a plain object, and a listener may keep it. While nobody listens none is made: the listener is
 * null, and it is asked for only when a hit is checked already or a walk is to be made. A listener takes the machine on
 * the slower way, a step at a time, to the same answers and counts.
 *
 * A translation begins with `lookup`. Then there may be a `hit`. Or entries are read, and the walk ends with `walked` or
 * `fault`. A hit with reads after it is a store to a page not known to be dirty. An address refused before
 * any lookup is a `fault` alone.
 */

import type { Word64 } from '../../base/address.js';
import type { Exception } from '../../base/fault.js';
import type { DropEvent, FillEvent } from '../../tlb/events.js';
import type { WalkRead, WalkRecord } from './walk-record.js';

/** A linear address is looked up, for an access (access.ts) in an address space. */
export interface LookupEvent extends Word64 {
  readonly kind: 'lookup';
  readonly access: number;
  readonly space: number;
}

/** A TLB has it. Whether it allows the access is yet to be seen. */
export interface HitEvent extends Word64 {
  readonly kind: 'hit';
  /** The TLB's name, such as `L2 TLB`. */
  readonly where: string;
  /** 1 or 2; the soft TLB is of level 1. */
  readonly level: number;
  /** The 4 KiB frame of the address. */
  readonly frame: number;
  /** log2 of the bytes of the page it is kept as. */
  readonly shift: number;
  /** See permission.ts; absent in the soft TLB. */
  readonly rights?: number;
}

/** A walk cache leads past the upper levels: the walk begins at `level`, in the table of frame `table`. */
export interface WalkCacheHitEvent {
  readonly kind: 'walk cache hit';
  readonly where: string;
  readonly level: number;
  readonly table: number;
  readonly rights: number;
}

/**
 * The second stage's TLB or one of its walk caches has a guest-physical address: its page, or the table to go on with. No
 * entries, or fewer, are read for it.
 */
export interface SecondStageHitEvent extends Word64 {
  readonly kind: 'second-stage hit';
  readonly where: string;
  readonly holds: 'guest-physical page' | 'guest-physical table';
  /** The 4 KiB frame of the address, or the frame of the table. */
  readonly frame: number;
  /** log2 of the bytes covered by its entry. */
  readonly shift: number;
  /** The second stage's number of the virtual machine. */
  readonly space: number;
}

/** The processor read an entry; one kept in a register has no address. */
export interface ReadEvent extends Omit<WalkRead, 'address'> {
  readonly kind: 'read';
  readonly address: number | null;
}

/** The processor set a bit of an entry, or cleared it. */
export interface SetEvent {
  readonly kind: 'set';
  readonly bit: 'accessed' | 'dirty';
  /** Physical address of the entry, and the bit in its low word. */
  readonly address: number;
  readonly mask: number;
  readonly level: number;
  /** The bit was cleared: Arm marks a page dirty so. Absent: it was set. */
  readonly cleared?: boolean;
}

/** A walk found a page: the 4 KiB frame of the address, its rights (permission.ts), log2 of the bytes of the page. */
export interface WalkedEvent {
  readonly kind: 'walked';
  readonly frame: number;
  readonly rights: number;
  readonly shift: number;
}

/** The modelled cache of entries was asked for the entry at a physical address, after the walk with its read. */
export interface EntryCacheEvent {
  readonly kind: 'entry cache';
  readonly address: number;
  readonly hit: boolean;
}

/** An access ended in a fault, or the processor refused an instruction. */
export interface FaultEvent extends Exception {
  readonly kind: 'fault';
  /** Its origin: an address refused before any lookup, a walk, a TLB's entry, or the instruction. */
  readonly of: 'address' | 'walk' | 'hit' | 'instruction';
}

/** The processor executes an instruction with a possible change or drop of translations, given by its operand. */
export interface InstructionEvent extends Word64 {
  readonly kind: 'instruction';
  /** As the manual has it, such as `INVLPG`. */
  readonly name: string;
}

/** Translations are to be dropped; `drop` tells of those really gone, global ones among them or not. */
export interface InvalidateEvent extends Word64 {
  readonly kind: 'invalidate';
  /** `page` and `space` are of one address space, `spaces` of all of them, or of all of one virtual machine. */
  readonly scope: 'page' | 'space' | 'spaces' | 'everything';
  /** Its number; or EVERY_SPACE, or NO_SPACE for global translations alone: see tag.ts. */
  readonly space: number;
}

/** One step of a processor. */
export type TranslationEvent =
  | LookupEvent
  | HitEvent
  | WalkCacheHitEvent
  | SecondStageHitEvent
  | ReadEvent
  | SetEvent
  | WalkedEvent
  | EntryCacheEvent
  | FillEvent
  | DropEvent
  | FaultEvent
  | InstructionEvent
  | InvalidateEvent;

/** Hears every step, in order. It may look at the machine but not use it. */
export type TranslationListener = (event: TranslationEvent) => void;

/** Tells of the entries of a walk at its end: for walkers. Those before number `from` were told of. */
export function tellReads(listener: TranslationListener, record: WalkRecord, from = 0): void {
  for (const read of record.reads().slice(from)) listener({ kind: 'read', ...read });
}

/** The listeners of one processor. */
export class Listeners {
  readonly #all: TranslationListener[] = [];

  /** One listener to tell all of them; null when there is none. */
  get joined(): TranslationListener | null {
    const all = [...this.#all];
    if (all.length < 2) return all.at(0) ?? null;
    return (event) => {
      for (const listener of all) listener(event);
    };
  }

  add(listener: TranslationListener): void {
    this.#all.push(listener);
  }

  /** Takes a listener out, once if it listens twice. */
  remove(listener: TranslationListener): void {
    const at = this.#all.lastIndexOf(listener);
    if (at >= 0) this.#all.splice(at, 1);
  }
}
