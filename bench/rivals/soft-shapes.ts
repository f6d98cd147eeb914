/** Soft TLBs that keep int32 addresses and differ from the real one in one thing each. */

import * as memory from '../../hw/ram.js';
import type { Mmu } from '../../hw/mmu.js';
import { CHUNK } from '../native/workload.js';
import { ACCESS } from './loads.js';
import type { LoadChunk, LoadWork } from './loads.js';

const { wordIndex } = memory;
const ENTRIES = 256;
const VALID = 4;
const PAGE_MASK = ~4095;
const OFFSET = 4095;

/** Fails rather than load from nowhere: these loads do not fault. */
function walked(frame: number): number {
  if (frame < 0) throw new Error('a load faulted');
  return frame;
}

/** Tags, high words and frames in an array of their own each. */
export function parallelArrays(walk: Mmu, { ram, chunks }: LoadWork): LoadChunk {
  const { words } = ram;
  const tags = new Int32Array(ENTRIES);
  const highs = new Int32Array(ENTRIES);
  const frames = new Int32Array(ENTRIES);
  function hits(his: Int32Array, los: Int32Array, from: number, values: Int32Array): number {
    let i = from;
    for (; i < CHUNK; i++) {
      const lo = los[i];
      const at = (lo >>> 12) & (ENTRIES - 1);
      if (tags[at] !== ((lo & PAGE_MASK) | VALID) || highs[at] !== his[i]) break;
      values[i] = words[wordIndex(frames[at], lo & OFFSET)];
    }
    return i;
  }
  return (chunk, values) => {
    const { his, los } = chunks[chunk];
    for (let i = hits(his, los, 0, values); i < CHUNK; i = hits(his, los, i, values)) {
      const lo = los[i];
      const at = (lo >>> 12) & (ENTRIES - 1);
      frames[at] = walked(walk.translate(his[i], lo, ACCESS));
      tags[at] = (lo & PAGE_MASK) | VALID;
      highs[at] = his[i];
    }
  };
}

/** One loop for hits and misses: the call that a miss makes stands inside it. */
export function callInside(walk: Mmu, { ram, chunks }: LoadWork): LoadChunk {
  const { words } = ram;
  const cells = new Int32Array(ENTRIES * 4);
  return (chunk, values) => {
    const { his, los } = chunks[chunk];
    for (let i = 0; i < CHUNK; i++) {
      const lo = los[i];
      const at = (lo >>> 10) & ((ENTRIES - 1) << 2);
      if (cells[at] !== ((lo & PAGE_MASK) | VALID) || cells[at | 1] !== his[i]) {
        cells[at | 2] = walked(walk.translate(his[i], lo, ACCESS));
        cells[at] = (lo & PAGE_MASK) | VALID;
        cells[at | 1] = his[i];
      }
      values[i] = words[wordIndex(cells[at | 2], lo & OFFSET)];
    }
  };
}

interface Translated {
  readonly status: number;
  readonly frame: number;
  readonly offset: number;
}

class ObjectResultTlb {
  private readonly cells = new Int32Array(ENTRIES * 4);

  constructor(private readonly walk: Mmu) {}

  translate(hi: number, lo: number): Translated {
    const { cells } = this;
    const at = (lo >>> 10) & ((ENTRIES - 1) << 2);
    if (cells[at] !== ((lo & PAGE_MASK) | VALID) || cells[at | 1] !== hi) return this.miss(hi, lo, at);
    return { status: 0, frame: cells[at | 2], offset: lo & OFFSET };
  }

  private miss(hi: number, lo: number, at: number): Translated {
    const frame = this.walk.translate(hi, lo, ACCESS);
    if (frame < 0) return { status: frame, frame: 0, offset: 0 };
    this.cells[at] = (lo & PAGE_MASK) | VALID;
    this.cells[at | 1] = hi;
    this.cells[at | 2] = frame;
    return { status: 0, frame, offset: lo & OFFSET };
  }
}

/** Every translation answers with an object. */
export function objectResults(walk: Mmu, { ram, chunks }: LoadWork): LoadChunk {
  const { words } = ram;
  const tlb = new ObjectResultTlb(walk);
  return (chunk, values) => {
    const { his, los } = chunks[chunk];
    for (let i = 0; i < CHUNK; i++) {
      const { status, frame, offset } = tlb.translate(his[i], los[i]);
      if (status < 0) throw new Error('a load faulted');
      values[i] = words[wordIndex(frame, offset)];
    }
  };
}
