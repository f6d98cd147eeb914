/**
 * Memory of a RAM as WebAssembly's, for the hot loops of batches (hot/), with room behind RAM for their arrays: they reach
 * nothing else. It is an ArrayBuffer as any other, and the host commits only what is touched.
 */

/** The used part of a global missing in the language's type library. */
declare const WebAssembly:
  | { readonly Memory: new (pages: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer } }
  | undefined;

/** WebAssembly counts memory in pages of its own, and ends at 4 GiB. */
const WASM_PAGE = 2 ** 16;
const MOST_BYTES = 2 ** 32;
/** Smaller RAMs are of demonstrations, and made by the thousand in tests. */
const LEAST_BYTES = 2 ** 23;
/** Behind RAM: enough for the TLBs of some 100 processors. */
const ROOM_BYTES = 2 ** 24;
/** A line of the host's cache; arrays begin with one. */
const LINE_WORDS = 16;

export class HotMemory {
  readonly buffer: ArrayBuffer;
  /** Shorter batches are not worth their copies. */
  leastBatch = 256;
  private taken: number;

  private constructor(
    /** A WebAssembly.Memory. */
    readonly memory: { readonly buffer: ArrayBuffer },
    /** RAM lies from 0 up to here. */
    readonly ramBytes: number,
  ) {
    this.buffer = memory.buffer;
    this.taken = ramBytes;
  }

  /** Memory for a RAM of `bytes`, or null where RAM is too small or too large, or the host has no WebAssembly. */
  static make(bytes: number): HotMemory | null {
    const pages = Math.ceil((bytes + ROOM_BYTES) / WASM_PAGE);
    if (bytes < LEAST_BYTES || pages * WASM_PAGE >= MOST_BYTES || typeof WebAssembly === 'undefined') return null;
    try {
      return new HotMemory(new WebAssembly.Memory({ initial: pages, maximum: pages }), bytes);
    } catch {
      // The host reserves more for it than for a plain buffer, and may refuse.
      return null;
    }
  }

  /** An array of zeros from the room behind RAM; null when none is left. Nothing is given back. */
  take(words: number): Int32Array | null {
    const start = this.taken;
    const end = start + 4 * LINE_WORDS * Math.ceil(words / LINE_WORDS);
    if (end > this.ramBytes + ROOM_BYTES) return null;
    this.taken = end;
    return new Int32Array(this.buffer, start, words);
  }
}
