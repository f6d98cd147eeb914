/**
 * The form in which accesses flow from every trace and workload to whoever replays them: blocks of typed arrays, one
 * element an access, never an object an access. A producer owns one block and fills it again and again, so a consumer
 * must be done with a block before it asks for the next.
 */

/** What an access does, as the elements of {@link AccessBlock.kind}. */
export const FETCH = 0;
export const LOAD = 1;
export const STORE = 2;
/** A load and a store of the same bytes by one instruction (lackey's `M`). */
export const MODIFY = 3;

/** Accesses in a full block: small enough to stay in a core's cache, large enough that asking costs nothing. */
export const BLOCK_ACCESSES = 16384;

/** The largest access that a trace may hold, in bytes; x86's largest, XSAVE's area, is below it. */
export const MAX_ACCESS_BYTES = 4096;

/** Up to {@link BLOCK_ACCESSES} accesses in program order; elements from `length` on are left over. */
export class AccessBlock {
  length = 0;
  /** Bits 63 to 32 of the address of the first byte, as int32. */
  readonly addressHi = new Int32Array(BLOCK_ACCESSES);
  /** Bits 31 to 0 of it. */
  readonly addressLo = new Int32Array(BLOCK_ACCESSES);
  /** Bytes, 1 to {@link MAX_ACCESS_BYTES}. */
  readonly size = new Int32Array(BLOCK_ACCESSES);
  /** {@link FETCH}, {@link LOAD}, {@link STORE} or {@link MODIFY}. */
  readonly kind = new Uint8Array(BLOCK_ACCESSES);

  /** Adds an access; the caller has made sure that there is room. */
  push(kind: number, addressHi: number, addressLo: number, size: number): void {
    const at = this.length++;
    this.addressHi[at] = addressHi;
    this.addressLo[at] = addressLo;
    this.size[at] = size;
    this.kind[at] = kind;
  }
}

/** Takes the instruction fetches out of a block, the rest closing up; returns how many there were. */
export function dropFetches(block: AccessBlock): number {
  const { addressHi, addressLo, size, kind, length } = block;
  const first = kind.indexOf(FETCH);
  if (first < 0 || first >= length) return 0;
  let kept = first;
  for (let i = first; i < length; i++) {
    if (kind[i] === FETCH) continue;
    addressHi[kept] = addressHi[i];
    addressLo[kept] = addressLo[i];
    size[kept] = size[i];
    kind[kept] = kind[i];
    kept++;
  }
  block.length = kept;
  return length - kept;
}

/**
 * The accesses of `blocks` after the first `skip`, at most `limit` of them; it asks for no block beyond those.
 * Changes the blocks that pass through it.
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
    if (start > 0) {
      for (const column of [block.addressHi, block.addressLo, block.size, block.kind]) {
        column.copyWithin(0, start, end);
      }
    }
    block.length = end - start;
    if (block.length > 0) yield block;
    if (toTake === 0) return;
  }
}

/** What a trace has delivered so far; after its last block, in all. */
export interface AccessCounts {
  /** `loads + stores + modifies + fetches`. */
  readonly accesses: number;
  readonly loads: number;
  readonly stores: number;
  readonly modifies: number;
  /** Instruction fetches delivered: 0 unless they were asked for. */
  readonly fetches: number;
  /** Instruction fetches in the trace that were left out because nobody asked for them. */
  readonly droppedFetches: number;
  /** Malformed lines passed over in lenient reading. */
  readonly skippedLines: number;
}

/** A recorded program or a generated workload. It is read once, by one `for await`. */
export interface Trace extends AsyncIterable<AccessBlock> {
  /** The name for reports: a file's base name, or the workload's. */
  readonly name: string;
  readonly counts: AccessCounts;
}

/** Counts of the accesses that went by, kept by whoever produces blocks. */
export class AccessTally implements AccessCounts {
  fetches = 0;
  loads = 0;
  stores = 0;
  modifies = 0;
  droppedFetches = 0;
  skippedLines = 0;

  add(block: AccessBlock): void {
    const { kind, length } = block;
    // A modify has both bits of a kind, a load the low one alone, a store the high one.
    let low = 0;
    let high = 0;
    let both = 0;
    for (let i = 0; i < length; i++) {
      const bits = kind[i];
      low += bits & 1;
      high += bits >> 1;
      both += bits & (bits >> 1);
    }
    this.loads += low - both;
    this.stores += high - both;
    this.modifies += both;
    this.fetches += length - low - high + both;
  }

  get accesses(): number {
    return this.loads + this.stores + this.modifies + this.fetches;
  }

  /** The counts as they stand, as an object that no longer changes. */
  snapshot(): AccessCounts {
    const { accesses, loads, stores, modifies, fetches, droppedFetches, skippedLines } = this;
    return { accesses, loads, stores, modifies, fetches, droppedFetches, skippedLines };
  }
}
