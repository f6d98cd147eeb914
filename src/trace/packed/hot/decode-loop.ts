/**
 * The loop of the decoder in WebAssembly, for one decoder: with its tables, and copies of the columns of a block.
 *
 * V8 compiles such a loop at once. In TypeScript it is run for a while before it is fast, and a short trace is over by then.
 */

import { HotMemory } from '../../../../hw/memory/hot-memory.js';
import { ACCESS_WORDS, BLOCK_WORDS, KIND_MASK } from '../../block.js';
import * as format from '../packed-format.js';
import type { AccessModel } from '../packed-format.js';
import { DECODE_MODULE } from './module.js';

const { COLUMN_BYTES_PER_ACCESS, EXPLICIT_OPERATION, MODEL_WORDS, PACKED_BLOCK_ACCESSES } = format;

/** The control block, as source/index.ts has it in bytes. */
const KNOWN = 0;
const OPERATION_AT = 1;
const OPERATIONS_END = 2;
const DIFFERENCE_AT = 3;
const DIFFERENCES_END = 4;
const SECOND = 5;
const OPERATIONS = 6;
const OLDER_OPERATIONS = 7;
const LAST = 8;
const KINDS = 10;
const BY_NUMBER = 12;
const CONTROL_WORDS = BY_NUMBER + EXPLICIT_OPERATION + 1;

/** Columns stand side by side, with room behind them for a last difference that has no end. */
const MOST_COLUMNS = 3;
const COLUMNS_BYTES =
  PACKED_BLOCK_ACCESSES * COLUMN_BYTES_PER_ACCESS.slice(0, MOST_COLUMNS).reduce((sum, bytes) => sum + bytes, 0) + 64;
/** More than it needs: with room for loops of whoever takes the blocks. */
const MEMORY_BYTES = 2 ** 23;

/** Where a decoder is in its columns. */
export interface ColumnPlaces {
  operationAt: number;
  codeAt: number;
  differenceAt: number;
}

type Decode = (control: number, addresses: number, codes: number, words: number, count: number) => number;

export class DecodeLoop {
  /** Operations as blocks have them, by their number; and the addresses of the model. */
  readonly byNumber: Int32Array;
  readonly addresses: Int32Array;
  /** Room for the words of a block. */
  readonly block: Int32Array;
  private readonly columns: Uint8Array;
  /** Where the codes begin in {@link columns}, and the differences; and how many there are. */
  private codesStart = 0;
  private differencesStart = 0;
  private codes = 0;
  private differences = 0;

  private constructor(
    private readonly decode: Decode,
    readonly memory: HotMemory,
    private readonly control: Int32Array,
    addresses: Int32Array,
    block: Int32Array,
    columns: Int32Array,
  ) {
    this.byNumber = control.subarray(BY_NUMBER);
    this.addresses = addresses;
    this.block = block;
    this.columns = new Uint8Array(columns.buffer, columns.byteOffset, columns.byteLength);
  }

  /** A loop with memory of its own, or null where the host has no WebAssembly. */
  static make(): DecodeLoop | null {
    const words = [CONTROL_WORDS, MODEL_WORDS, BLOCK_WORDS, COLUMNS_BYTES / 4];
    const memory = HotMemory.withoutRam(MEMORY_BYTES);
    const made = memory === null ? null : HotMemory.makeLoop(memory, DECODE_MODULE, words);
    if (made === null) return null;
    const [control, addresses, block, columns] = made.arrays;
    const { decode } = made.functions as { readonly decode: Decode };
    return new DecodeLoop(decode, made.memory, control, addresses, block, columns);
  }

  /** Takes over the columns of a block, none longer than its accesses can need. */
  begin(operations: Uint8Array, codes: Uint8Array, differences: Uint8Array): void {
    this.codesStart = operations.length;
    this.differencesStart = this.codesStart + codes.length;
    this.codes = codes.length;
    this.differences = differences.length;
    this.columns.set(operations);
    this.columns.set(codes, this.codesStart);
    this.columns.set(differences, this.differencesStart);
  }

  /**
   * Decodes accesses `from` to `to - 1` of {@link block}, up to one that is for the plain path.
   * @param known operations that are known
   * @param kinds gets so many more of each kind
   * @returns the access it stopped at, or `to`; `places` and `model` have moved up to there
   */
  run(from: number, to: number, known: number, places: ColumnPlaces, model: AccessModel, kinds: Int32Array): number {
    const { control, columns } = this;
    const count = Math.min(to - from, this.codes - places.codeAt);
    if (count <= 0) return from;
    const start = columns.byteOffset;
    const differences = start + this.differencesStart;
    control[KNOWN] = known;
    control[OPERATION_AT] = start + places.operationAt;
    control[OPERATIONS_END] = start + this.codesStart;
    control[DIFFERENCE_AT] = differences + places.differenceAt;
    control[DIFFERENCES_END] = differences + this.differences;
    control[OPERATIONS] = model.operations;
    control[OLDER_OPERATIONS] = model.olderOperations;
    control[SECOND] = model.secondLo;
    control[LAST] = model.lastLo;
    control[LAST + 1] = model.lastHi;
    const codes = start + this.codesStart + places.codeAt;
    const words = this.block.byteOffset + 4 * ACCESS_WORDS * from;
    const done = this.decode(control.byteOffset, this.addresses.byteOffset, codes, words, count);
    places.operationAt = control[OPERATION_AT] - start;
    places.codeAt += done;
    places.differenceAt = control[DIFFERENCE_AT] - differences;
    model.operations = control[OPERATIONS];
    model.olderOperations = control[OLDER_OPERATIONS];
    model.secondLo = control[SECOND];
    model.lastLo = control[LAST];
    model.lastHi = control[LAST + 1];
    for (let kind = 0; kind <= KIND_MASK; kind++)
      kinds[kind] += (control[KINDS + (kind >> 1)] >>> ((kind & 1) << 4)) & 0xffff;
    return from + done;
  }
}
