/**
 * The form of accesses on their way from every trace and workload to a replay: blocks of typed arrays, one element an
 * access, never an object an access. A producer owns one block and fills it again and again, so a consumer must be done
 * with a block before it asks for the next.
 */

import { FETCH, READ, WRITE } from '../../hw/base/access.js';
import { checkKind } from '../../hw/base/arguments.js';
import type { Kind } from '../../hw/base/arguments.js';
import type { HotMemory } from '../../hw/memory/hot-memory.js';

/** The kinds of access, as the elements of {@link AccessBlock.kind}: its name in the hardware. */
export const LOAD = READ;
/** A store. */
export const STORE = WRITE;
export { FETCH };
/** A load and a store of the same bytes by one instruction (lackey's `M`). No access of the hardware has both bits. */
export const MODIFY = WRITE | FETCH;

/** Accesses in a full block: small enough to stay in a core's cache, large enough to make asking cheap. */
export const BLOCK_ACCESSES = 32768;

/** The largest access of a trace, in bytes; x86's largest, XSAVE's area, is below it. */
export const MAX_ACCESS_BYTES = 4096;

/**
 * An access is three words: bits 63 to 32 of the address of its first byte, bits 31 to 0, and its operation, which is
 * `kind | bytes << 2`. They stand in one array, since V8 checks each array of a loop anew in each round.
 */
export const ACCESS_WORDS = 3;
export const LOW_WORD = 1;
export const OPERATION_WORD = 2;
export const KIND_MASK = 3;
export const SIZE_SHIFT = 2;

/** Words of a whole block. */
export const BLOCK_WORDS = ACCESS_WORDS * BLOCK_ACCESSES;

const WORDS: Kind = { words: 'an Int32Array', fits: (value) => value instanceof Int32Array };

/** Up to `BLOCK_ACCESSES` (32,768) accesses in program order; words of accesses from `length` on are left over. */
export class AccessBlock {
  length = 0;
  /** How many of each kind there are, such as `kinds[FETCH]`: a writer of words must count them here. */
  readonly kinds = new Int32Array(KIND_MASK + 1);
  /** All of a block are of one process and one thread. Processes have numbers from 0, threads in their process too. */
  process = 0;
  thread = 0;
  /** Accesses of the run before the block's window. */
  window = 0;
  /** A part of the run before this window is not in the trace: its pages look as if never touched. */
  afterGap = false;
  /** The memory for loops in WebAssembly that the words lie in, with room for further ones; or null. @internal */
  memory: HotMemory | null = null;
  /** The accesses warm TLBs and caches up after a gap, and are not to be counted. */
  warmUp = false;

  /**
   * @param words room for `BLOCK_ACCESSES` accesses; its own when absent
   * @throws TypeError for another array
   */
  constructor(readonly words: Int32Array = new Int32Array(BLOCK_WORDS)) {
    checkKind('AccessBlock: words', words, WORDS);
  }

  /** Empties the block, its counts of kinds too. */
  clear(): void {
    this.length = 0;
    this.kinds.fill(0);
  }

  /**
   * The place of the words in bytes, where a loop with `copy` in its memory reaches them: their own if they lie in there, else
   * that of `copy`, which they are copied to.
   * @internal
   */
  placeBeside(copy: Int32Array): number {
    if (this.words.buffer === copy.buffer) return this.words.byteOffset;
    copy.set(this.words.subarray(0, ACCESS_WORDS * this.length));
    return copy.byteOffset;
  }

  /**
   * Adds an access of 1 to 4,096 bytes; the caller has made sure of room for it.
   * @throws RangeError for another kind or size
   */
  push(kind: number, addressHi: number, addressLo: number, size: number): void {
    if ((kind & KIND_MASK) !== kind || (size | 0) !== size || (size - 1) >>> 0 >= MAX_ACCESS_BYTES) {
      refuse(kind, size);
    }
    const at = ACCESS_WORDS * this.length++;
    this.words[at] = addressHi;
    this.words[at + LOW_WORD] = addressLo;
    this.words[at + OPERATION_WORD] = kind | (size << SIZE_SHIFT);
    this.kinds[kind]++;
  }

  /** Keeps accesses `from` to `to - 1`; they become the first. */
  keep(from: number, to: number): void {
    if (from === 0 && to === this.length) return;
    this.hold(this.words.subarray(ACCESS_WORDS * from, ACCESS_WORDS * to));
  }

  /** Has the accesses of `words` in place of its own: at most a block of them. */
  hold(words: Int32Array): void {
    this.words.set(words);
    this.length = words.length / ACCESS_WORDS;
    this.kinds.fill(0);
    for (let i = 0; i < this.length; i++) this.kinds[this.kind(i)]++;
  }

  /** Bits 63 to 32 of the address of access `i`, as int32. */
  addressHi(i: number): number {
    return this.words[ACCESS_WORDS * i];
  }

  /** Bits 31 to 0 of it. */
  addressLo(i: number): number {
    return this.words[ACCESS_WORDS * i + LOW_WORD];
  }

  /** {@link FETCH}, {@link LOAD}, {@link STORE} or {@link MODIFY}. */
  kind(i: number): number {
    return this.words[ACCESS_WORDS * i + OPERATION_WORD] & KIND_MASK;
  }

  /** Bytes. */
  size(i: number): number {
    return this.words[ACCESS_WORDS * i + OPERATION_WORD] >>> SIZE_SHIFT;
  }
}

function refuse(kind: number, size: number): never {
  if ((kind & KIND_MASK) === kind) {
    throw new RangeError(`access size ${size} must be a whole number of bytes from 1 to ${MAX_ACCESS_BYTES}`);
  }
  throw new RangeError(
    `access kind ${kind} must be LOAD (${LOAD}), STORE (${STORE}), FETCH (${FETCH}) or MODIFY (${MODIFY}): no USER with it`,
  );
}

/** Takes the instruction fetches out of a block, the rest closing up. */
export function dropFetches(block: AccessBlock): void {
  const { words, length, kinds } = block;
  if (kinds[FETCH] === 0) return;
  let kept = 0;
  for (let i = 0; i < length; i++) {
    if (block.kind(i) === FETCH) continue;
    const from = ACCESS_WORDS * i;
    const to = ACCESS_WORDS * kept++;
    words[to] = words[from];
    words[to + LOW_WORD] = words[from + LOW_WORD];
    words[to + OPERATION_WORD] = words[from + OPERATION_WORD];
  }
  block.length = kept;
  kinds[FETCH] = 0;
}

/**
 * The accesses of `blocks` after the first `skip`, at most `limit` of them; it asks for no block beyond those. Changes
 * the blocks on their way.
 */
export async function* windowOf(
  blocks: AsyncIterable<AccessBlock>,
  skip: number,
  limit: number,
): AsyncGenerator<AccessBlock> {
  let toSkip = skip;
  let toTake = limit;
  if (toTake === 0) return;
  for await (const block of blocks) {
    const start = Math.min(toSkip, block.length);
    const end = Math.min(block.length, start + toTake);
    toSkip -= start;
    toTake -= end - start;
    block.keep(start, end);
    if (block.length > 0) yield block;
    if (toTake === 0) return;
  }
}

/** The accesses delivered by a trace so far; after its last block, in all. */
export interface TraceCounts {
  /** `loads + stores + modifies + fetches`. */
  readonly accesses: number;
  readonly loads: number;
  readonly stores: number;
  readonly modifies: number;
  /** Instruction fetches delivered: 0 unless they were asked for. */
  readonly fetches: number;
  /** Instruction fetches in the trace, left out because nobody asked for them. */
  readonly droppedFetches: number;
  /** Malformed lines passed over in lenient reading. */
  readonly skippedLines: number;
}

/** A recorded program or a generated workload. It is read once, by one `for await`. */
export interface Trace extends AsyncIterable<AccessBlock> {
  /** The name for reports: a file's base name, or the workload's. */
  readonly name: string;
  readonly counts: TraceCounts;
}

/** Counts of the accesses gone by, kept by the producer of blocks. */
export class AccessTally implements TraceCounts {
  fetches = 0;
  loads = 0;
  stores = 0;
  modifies = 0;
  droppedFetches = 0;
  skippedLines = 0;

  add({ kinds }: AccessBlock): void {
    this.fetches += kinds[FETCH];
    this.loads += kinds[LOAD];
    this.stores += kinds[STORE];
    this.modifies += kinds[MODIFY];
  }

  /** All fetches of those added were left out. */
  dropFetches(): void {
    this.droppedFetches += this.fetches;
    this.fetches = 0;
  }

  get accesses(): number {
    return this.loads + this.stores + this.modifies + this.fetches;
  }

  /** A copy of the counts as they stand. */
  snapshot(): TraceCounts {
    const { accesses, loads, stores, modifies, fetches, droppedFetches, skippedLines } = this;
    return { accesses, loads, stores, modifies, fetches, droppedFetches, skippedLines };
  }
}
