/** What the thread that reads a trace tells its readers, and where the blocks are. */

import { AccessBlock, BLOCK_WORDS, type TraceCounts } from '../../block.js';
import type { Coverage } from '../../coverage.js';
import type { TraceMetadata } from '../../packed/metadata.js';
import type { NamedTrace } from '../named.js';
import type { PackedError } from './thread-error.js';

/** Blocks on their way at once: enough for either side to be late once in a while. */
const SLOTS = 8;
export const RING_BYTES = SLOTS * BLOCK_WORDS * Int32Array.BYTES_PER_ELEMENT;

/** The fields of a block beside its words, which are in shared memory. A reader sends the number of the slot back. */
interface BlockNote extends Pick<AccessBlock, 'length' | 'process' | 'thread' | 'window' | 'afterGap' | 'warmUp'> {
  readonly slot: number;
  readonly kinds: readonly number[];
  /** Of a recording, as far as it is known. */
  readonly metadata: TraceMetadata | undefined;
}

/** All has been read. */
export interface EndNote {
  readonly counts: TraceCounts;
  readonly metadata: TraceMetadata | undefined;
  readonly coverage: Coverage | undefined;
}

export type Note = { readonly block: BlockNote } | { readonly end: EndNote } | { readonly failure: PackedError };

/** What the reading thread begins with. */
export interface RelayTask<Port> {
  readonly trace: NamedTrace;
  readonly ring: SharedArrayBuffer;
  /** One a reader. */
  readonly ports: readonly Port[];
}

/** The blocks of a ring, by slot. */
export function slotsOf(ring: SharedArrayBuffer): AccessBlock[] {
  return Array.from({ length: SLOTS }, (_, slot) => {
    const bytes = BLOCK_WORDS * Int32Array.BYTES_PER_ELEMENT;
    return new AccessBlock(new Int32Array(ring, slot * bytes, BLOCK_WORDS));
  });
}
