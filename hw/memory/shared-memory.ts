/**
 * Memory of several workers: making it, attaching to it, and changes in a single step.
 *
 * Each worker is a processor of its own, with its own registers and TLBs. Nothing here reaches into another's TLB: as on
 * a real machine, after a change of an entry every processor with a copy of it, perhaps, must invalidate it (Intel SDM
 * vol. 3A, "Propagation of Paging-Structure Changes to Multiple Processors"). The operating system sees to it, by a
 * message to each worker and its answer.
 *
 * A word of 4 bytes is loaded and stored whole by plain accesses. Larger steps go through `Atomics`. Their order is
 * the one of the processor's locked instructions.
 */

import { fromBigInt, toBigInt } from '../base/address.js';
import type { Word64 } from '../base/address.js';
import { HotMemory } from './hot-memory.js';

/** Memory of a RAM and its ranges: options for another {@link Ram}, to be sent to a worker. */
export interface SharedRam {
  readonly buffer: SharedArrayBuffer;
  readonly ranges: readonly { readonly base: number; readonly bytes: number }[];
}

/** The result of share(); every refusal names it, because it is always the mend. */
const MEND = "pass the worker what the first RAM's share() gives, and make the second from it";

/** @throws RangeError for a buffer other than the memory of ranges up to `bytes`. */
function attached(buffer: SharedArrayBuffer, bytes: number): SharedArrayBuffer {
  if (!(buffer instanceof SharedArrayBuffer)) throw new RangeError(`RAM buffer is no SharedArrayBuffer: ${MEND}`);
  if (buffer.byteLength === bytes) return buffer;
  throw new RangeError(`RAM buffer has ${buffer.byteLength} bytes, but the ranges end at ${bytes}: ${MEND}`);
}

/** Chromium makes no ArrayBuffer of 2 GiB, but memory of WebAssembly has one. */
function plainMemory(bytes: number): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes);
  } catch (error) {
    const buffer = HotMemory.bufferOf(bytes);
    if (buffer === null) throw error;
    return buffer;
  }
}

/**
 * All of memory from address 0 to `bytes` or more, new or given.
 * @throws RangeError for options in contradiction, or a host without shared memory
 */
export function memoryFor(
  options: { readonly shared?: boolean; readonly buffer?: SharedArrayBuffer },
  bytes: number,
): ArrayBuffer | SharedArrayBuffer {
  const { shared, buffer } = options;
  if (buffer !== undefined) {
    if (shared === false) throw new RangeError('RAM shared false cannot go with buffer: leave one of them out');
    return attached(buffer, bytes);
  }
  if (shared !== true) return plainMemory(bytes);
  if (typeof SharedArrayBuffer === 'undefined') {
    throw new RangeError(
      'RAM shared true needs SharedArrayBuffer: serve the page cross-origin isolated, or leave it out',
    );
  }
  return new SharedArrayBuffer(bytes);
}

/** Stores an entry of 8 bytes whole: nobody sees one word of it without the other. */
export function storePair(pairs: BigUint64Array, index: number, high: number, low: number): void {
  Atomics.store(pairs, index >>> 1, toBigInt(high, low));
}

/** Loads an entry of 8 bytes whole. */
export function loadPair(pairs: BigUint64Array, index: number): Word64 {
  return fromBigInt(Atomics.load(pairs, index >>> 1));
}

/** Stores `newLow` if the entry still is `(high, low)`; whether it was. */
export function replacePair(pairs: BigUint64Array, index: number, high: number, low: number, newLow: number): boolean {
  const expected = toBigInt(high, low);
  return Atomics.compareExchange(pairs, index >>> 1, expected, toBigInt(high, newLow)) === expected;
}

/** Changes the bits of `mask` in a word, and no other; another processor may be changing those. */
export function mergeWord(words: Int32Array, index: number, mask: number, value: number): void {
  let expected = words[index];
  for (;;) {
    const found = Atomics.compareExchange(words, index, expected, (expected & ~mask) | (value & mask));
    if (found === expected) return;
    expected = found;
  }
}

/**
 * Whether another processor stored to the entry at `at` between the reads of its words, `low` first: they may then
 * belong to different entries. To be missed, it would have to store three entries, each between two neighbouring reads, on a
 * host with loads in order, as on x86; one without (ARM) may miss it sooner.
 */
export function isMixed(words: Int32Array, at: number, high: number, low: number): boolean {
  return words[at] !== low || words[at + 1] !== high;
}
