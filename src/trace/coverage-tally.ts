/** Follows a trace on its way: its share of the run, and the accesses for warming up only. */

import { ACCESS_WORDS, type AccessBlock } from './block.js';
import type { Coverage, ProcessShare, RecordedWindow } from './coverage.js';
import type { TraceFacts, TraceMetadata } from './packed/metadata.js';
import { warmUpOf } from './windows.js';

interface Window {
  readonly position: number;
  /** Start of its last piece: a window of the recording. */
  last: number;
  accesses: number;
}

export class CoverageTally {
  metadata: TraceMetadata | undefined = undefined;
  facts: TraceFacts | undefined = undefined;
  /** Mixed processes, if the reader of the accesses knows it. */
  mixed = 0;
  readonly #windows: Window[] = [];
  /** Accesses by process. */
  readonly #recorded: number[] = [];
  #warmUp = 0;
  /** Accesses still to warm up. */
  #toWarm = 0;

  /**
   * Counts a block and delivers it as one or two: the part to warm up, and the part to count. Both have the block's
   * place in the run set.
   */
  *warmedUp(block: AccessBlock): Generator<AccessBlock> {
    const { length } = block;
    const window = this.#windowOf(block);
    window.accesses += length;
    this.#recorded[block.process] = (this.#recorded[block.process] ?? 0) + length;
    block.afterGap = this.#windows.length > 1 || window.position > 0;
    const warming = Math.min(this.#toWarm, length);
    this.#toWarm -= warming;
    this.#warmUp += warming;
    block.warmUp = warming > 0;
    if (warming === 0 || warming === length) {
      yield block;
      return;
    }
    // The taker of the first piece may change it.
    const words = block.words.slice(0, ACCESS_WORDS * length);
    block.keep(0, warming);
    yield block;
    block.words.set(words);
    block.length = length;
    block.keep(warming, length);
    block.warmUp = false;
    yield block;
  }

  /** The window of a block, without gaps. */
  #windowOf({ window: position }: AccessBlock): Window {
    const length = this.metadata?.window;
    const last = this.#windows.at(-1);
    const start = position || (this.metadata?.skip ?? 0);
    if (last !== undefined && (length === undefined || start - last.last <= length)) {
      last.last = start;
      return last;
    }
    const window = { position: start, last: start, accesses: 0 };
    this.#windows.push(window);
    this.#toWarm = length === undefined || start === 0 ? 0 : warmUpOf(length);
    return window;
  }

  /** The facts after everything has been read. */
  coverage(): Coverage {
    const { facts, metadata } = this;
    return {
      windows: this.#windows.map((window) => this.#recordedWindow(window)),
      warmUp: this.#warmUp,
      accesses: this.#windows.reduce((sum, { accesses }) => sum + accesses, 0),
      runAccesses: facts?.accesses,
      instructions: facts?.instructions ?? metadata?.instructions,
      processes: (facts?.processes ?? []).map((process, i): ProcessShare => {
        return { ...process, recorded: this.#recorded[i] ?? 0 };
      }),
      mixed: this.mixed || (facts?.mixed ?? metadata?.processes ?? 0),
      unseen: [...(facts?.unseen ?? []), ...Array.from({ length: metadata?.unseen ?? 0 }, () => 'a program')],
      ending: facts?.ending,
    };
  }

  #recordedWindow({ position, last, accesses }: Window): RecordedWindow {
    const length = this.metadata?.window;
    const run = this.facts?.accesses;
    const end = length === undefined ? Infinity : last + length;
    const known = Math.min(end, run ?? Infinity);
    return { position, accesses, span: known === Infinity ? accesses : Math.max(accesses, known - position) };
  }
}
