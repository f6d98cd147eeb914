/** Soft TLBs with int32 addresses, different from the real one in one thing each. */

import * as address from '../../hw/base/address.js';
import type { Mmu } from '../../hw/x86/mmu.js';
import * as memory from '../../hw/memory/ram.js';
import { CHUNK } from '../native/workload.js';
import { ACCESS, found } from './loads.js';
import type { LoadChunk, LoadWork, Translate } from './loads.js';

const { PAGE_OFFSET_MASK } = address;
const { wordIndex } = memory;
const ENTRIES = 256;
const VALID = 4;
const PAGE_MASK = ~PAGE_OFFSET_MASK;

/** The first word of a page's entry of four words. */
function entryAt(lo: number): number {
  return (lo >>> 10) & ((ENTRIES - 1) << 2);
}

/** Tags, high words and frames in an array of their own each. */
export function parallelArrays(walk: Mmu, { chunks }: LoadWork): Translate {
  const tags = new Int32Array(ENTRIES);
  const highs = new Int32Array(ENTRIES);
  const held = new Int32Array(ENTRIES);
  function hits(his: Int32Array, los: Int32Array, from: number, to: number, frames: Int32Array): number {
    let i = from;
    for (; i < to; i++) {
      const lo = los[i];
      const at = (lo >>> 12) & (ENTRIES - 1);
      if (tags[at] !== ((lo & PAGE_MASK) | VALID) || highs[at] !== his[i]) break;
      frames[i] = held[at];
    }
    return i;
  }
  return (chunk, from, to, frames) => {
    const { his, los } = chunks[chunk];
    for (let i = hits(his, los, from, to, frames); i < to; i = hits(his, los, i, to, frames)) {
      const lo = los[i];
      const at = (lo >>> 12) & (ENTRIES - 1);
      held[at] = found(walk.translate(his[i], lo, ACCESS));
      tags[at] = (lo & PAGE_MASK) | VALID;
      highs[at] = his[i];
    }
  };
}

/** One loop for hits and misses: a miss makes its call inside it. */
export function callInside(walk: Mmu, { chunks }: LoadWork): Translate {
  const cells = new Int32Array(ENTRIES * 4);
  return (chunk, from, to, frames) => {
    const { his, los } = chunks[chunk];
    for (let i = from; i < to; i++) {
      const lo = los[i];
      const at = entryAt(lo);
      if (cells[at] !== ((lo & PAGE_MASK) | VALID) || cells[at | 1] !== his[i]) {
        cells[at | 2] = found(walk.translate(his[i], lo, ACCESS));
        cells[at] = (lo & PAGE_MASK) | VALID;
        cells[at | 1] = his[i];
      }
      frames[i] = cells[at | 2];
    }
  };
}

interface Translated {
  readonly status: number;
  readonly frame: number;
}

/** Every translation answers with an object. */
export function objectResults(walk: Mmu, { chunks }: LoadWork): Translate {
  const cells = new Int32Array(ENTRIES * 4);
  function miss(hi: number, lo: number, at: number): Translated {
    const frame = walk.translate(hi, lo, ACCESS);
    if (frame < 0) return { status: frame, frame: 0 };
    cells[at] = (lo & PAGE_MASK) | VALID;
    cells[at | 1] = hi;
    cells[at | 2] = frame;
    return { status: 0, frame };
  }
  function translate(hi: number, lo: number): Translated {
    const at = entryAt(lo);
    if (cells[at] !== ((lo & PAGE_MASK) | VALID) || cells[at | 1] !== hi) return miss(hi, lo, at);
    return { status: 0, frame: cells[at | 2] };
  }
  return (chunk, from, to, frames) => {
    const { his, los } = chunks[chunk];
    for (let i = from; i < to; i++) {
      const { status, frame } = translate(his[i], los[i]);
      frames[i] = found(status < 0 ? status : frame);
    }
  };
}

/** Each word is loaded as soon as its address is translated, one call a time. */
export function loadAtOnce(soft: Mmu, { ram, chunks }: LoadWork): LoadChunk {
  const { words } = ram;
  return (chunk, values) => {
    const { his, los } = chunks[chunk];
    for (let i = 0; i < CHUNK; i++) {
      const lo = los[i];
      values[i] = words[wordIndex(found(soft.translate(his[i], lo, ACCESS)), lo & PAGE_OFFSET_MASK)];
    }
  };
}
