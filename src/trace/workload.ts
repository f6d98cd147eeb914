/**
 * Generated workloads: access patterns with a known shape, for questions too pure for any recorded program. The same
 * options and seed give the same accesses on every machine. All accesses are 8 bytes, aligned, at addresses from {@link
 * WORKLOAD_BASE} on.
 */

import { checkObject, shown } from '../../hw/base/arguments.js';
import { highWord, lowWord, PAGE_BYTES } from '../../hw/base/address.js';
import { mix, Random } from '../../hw/base/random.js';
import {
  AccessBlock,
  AccessTally,
  BLOCK_ACCESSES,
  LOAD,
  MODIFY,
  STORE,
  type TraceCounts,
  type Trace,
} from './block.js';

/** 1 TiB: aligned for every page size, and far from real programs. */
export const WORKLOAD_BASE = 2 ** 40;
const WORD_BYTES = 8;
const LINE_BYTES = 64;
const MAX_FOOTPRINT = 2 ** 38;

/** Size and seed of a workload. */
export interface WorkloadOptions {
  /** Bytes touched by the workload: 4 KiB to 256 GiB, a multiple of 64. */
  readonly footprint: number;
  /** How many accesses it makes. */
  readonly accesses: number;
  /** Seed of `uniform`, `chase` and `zipf`. Default: 1. */
  readonly seed?: number;
  /** Bytes from one access of `stride` to the next: a multiple of 8, at most the footprint. Default: 4096. */
  readonly stride?: number;
}

/** A generator of accesses. */
export interface Workload {
  readonly name: string;
  /** A line about it for people. */
  readonly title: string;
  /** The kind of its accesses; all have 8 bytes. */
  readonly access: string;
  /** The pattern: the function returned adds one step to a block. @internal */
  readonly begin: (options: Required<WorkloadOptions>) => (block: AccessBlock) => void;
}

/** Every workload, in the order for people. */
export const WORKLOADS: readonly Workload[] = [
  {
    name: 'stream',
    title: 'copies one half of the memory to the other, word by word',
    access: 'a load, then a store',
    begin: stream,
  },
  { name: 'stride', title: 'loads one word every STRIDE bytes, around and around', access: 'a load', begin: stride },
  {
    name: 'uniform',
    title: 'modifies words anywhere, each as likely (GUPS)',
    access: 'a load-modify-store, which counts and is looked up as two',
    begin: uniform,
  },
  {
    name: 'chase',
    title: 'follows pointers through all cache lines in a random cycle',
    access: 'a load',
    begin: chase,
  },
  {
    name: 'zipf',
    title: 'loads words of items whose popularity follows Zipf, as a cache server does',
    access: 'a load',
    begin: zipf,
  },
];

/**
 * A workload as a trace.
 * @throws RangeError naming option, value and the allowed ones; TypeError without options
 */
export function openWorkload(name: string, options: WorkloadOptions): Trace {
  const workload = WORKLOADS.find((known) => known.name === name);
  if (workload === undefined) {
    throw new RangeError(`workload ${shown(name)} is unknown; choose from ${WORKLOADS.map((w) => w.name).join(', ')}`);
  }
  checkObject('openWorkload: options', options, 'footprint, accesses');
  const complete = { seed: 1, stride: PAGE_BYTES, ...options };
  checkWhole('footprint', complete.footprint, PAGE_BYTES, MAX_FOOTPRINT, LINE_BYTES);
  checkWhole('accesses', complete.accesses, 1, Number.MAX_SAFE_INTEGER, 1);
  checkWhole('seed', complete.seed, 0, 2 ** 32 - 1, 1);
  if (name === 'stride') checkWhole('stride', complete.stride, WORD_BYTES, complete.footprint, WORD_BYTES);
  return new WorkloadTrace(workload, complete);
}

function checkWhole(field: string, value: number, least: number, most: number, multiple: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most && value % multiple === 0) return;
  const unit = multiple === 1 ? 'a whole number' : `a multiple of ${multiple}`;
  throw new RangeError(`${field} ${shown(value)} cannot be; give ${unit} from ${least} to ${most}`);
}

class WorkloadTrace implements Trace {
  readonly name: string;
  readonly #workload: Workload;
  readonly #options: Required<WorkloadOptions>;
  #tally = new AccessTally();

  constructor(workload: Workload, options: Required<WorkloadOptions>) {
    this.name = workload.name;
    this.#workload = workload;
    this.#options = options;
  }

  get counts(): TraceCounts {
    return this.#tally.snapshot();
  }

  /** The blocks need no waiting; the promises are for having the shape of every trace. */
  [Symbol.asyncIterator](): AsyncIterator<AccessBlock> {
    const blocks = this.#blocks();
    return { next: () => Promise.resolve(blocks.next()), return: () => Promise.resolve(blocks.return(undefined)) };
  }

  *#blocks(): Generator<AccessBlock, undefined> {
    const tally = (this.#tally = new AccessTally());
    const block = new AccessBlock();
    const step = this.#workload.begin(this.#options);
    let left = this.#options.accesses;
    while (left > 0) {
      block.clear();
      const count = Math.min(left, BLOCK_ACCESSES);
      while (block.length < count) step(block);
      left -= count;
      tally.add(block);
      yield block;
    }
    return undefined;
  }
}

function push(block: AccessBlock, kind: number, offset: number): void {
  const address = WORKLOAD_BASE + offset;
  block.push(kind, highWord(address), lowWord(address), WORD_BYTES);
}

/** STREAM's copy: load a word of the lower half, store it to the upper half, go on to the next. */
function stream({ footprint }: Required<WorkloadOptions>): (block: AccessBlock) => void {
  const half = footprint / 2;
  let offset = 0;
  let loaded = false;
  return (block) => {
    push(block, loaded ? STORE : LOAD, loaded ? half + offset : offset);
    if (loaded) offset = offset + WORD_BYTES < half ? offset + WORD_BYTES : 0;
    loaded = !loaded;
  };
}

/** A load every `stride` bytes; past the end it begins again at the start. */
function stride({ footprint, stride: bytes }: Required<WorkloadOptions>): (block: AccessBlock) => void {
  let offset = 0;
  return (block) => {
    push(block, LOAD, offset);
    offset = offset + bytes < footprint ? offset + bytes : 0;
  };
}

/** GUPS (HPC Challenge RandomAccess): a read-modify-write of a word anywhere. */
function uniform({ footprint, seed }: Required<WorkloadOptions>): (block: AccessBlock) => void {
  const random = new Random(seed);
  const pages = Math.ceil(footprint / PAGE_BYTES);
  return (block) => {
    // Two draws, since a footprint can have more words than a draw has values. The last page may be a part only.
    let offset = footprint;
    while (offset >= footprint) {
      offset = random.below(pages) * PAGE_BYTES + random.below(PAGE_BYTES / WORD_BYTES) * WORD_BYTES;
    }
    push(block, MODIFY, offset);
  };
}

/**
 * A load in every cache line, in an order like a random one, closed to one cycle over all of them: as along a shuffled
 * linked list. The order is a seeded bijection of the line numbers, so no list has to be held.
 */
function chase({ footprint, seed }: Required<WorkloadOptions>): (block: AccessBlock) => void {
  const lines = footprint / LINE_BYTES;
  const place = shuffle(lines, seed);
  let position = 0;
  return (block) => {
    push(block, LOAD, place(position) * LINE_BYTES);
    position = position + 1 < lines ? position + 1 : 0;
  };
}

/** Zipf exponent: the one of the YCSB benchmarks. */
const ZIPF_EXPONENT = 0.99;

/**
 * A load of one word of an item of a cache line; the likelihood of the k-th most popular item goes with `k ** -0.99`.
 * Popular items lie anywhere, as a hash table would put them. Drawn by rejection-inversion (Hörmann and Derflinger,
 * "Rejection-inversion to generate variates from monotone discrete distributions"), without a table.
 */
function zipf({ footprint, seed }: Required<WorkloadOptions>): (block: AccessBlock) => void {
  const random = new Random(seed);
  const items = footprint / LINE_BYTES;
  const place = shuffle(items, seed);
  const rest = 1 - ZIPF_EXPONENT;
  const integral = (x: number): number => (x ** rest - 1) / rest;
  const inverse = (y: number): number => (1 + y * rest) ** (1 / rest);
  const low = integral(1.5) - 1;
  const high = integral(items + 0.5);
  return (block) => {
    for (;;) {
      const area = low + random.unit() * (high - low);
      const rank = Math.min(items, Math.max(1, Math.round(inverse(area))));
      if (area >= integral(rank + 0.5) - rank ** -ZIPF_EXPONENT) {
        push(block, LOAD, place(rank - 1) * LINE_BYTES);
        return;
      }
    }
  };
}

/**
 * A seeded bijection of 0 to `count - 1`: a Feistel network over the next even number of bits, walked on while it
 * leads outside (Black and Rogaway, "Ciphers with Arbitrary Finite Domains").
 */
function shuffle(count: number, seed: number): (value: number) => number {
  const halfBits = Math.max(1, Math.ceil(Math.ceil(Math.log2(count)) / 2));
  const half = 2 ** halfBits;
  const random = new Random(seed);
  const keys = Array.from({ length: 4 }, () => random.nextInt32());
  return (value) => {
    let place = value;
    do {
      let left = Math.floor(place / half);
      let right = place % half;
      for (const key of keys) {
        const swapped = left ^ (mix(right + key) & (half - 1));
        left = right;
        right = swapped;
      }
      place = left * half + right;
    } while (place >= count);
    return place;
  };
}
