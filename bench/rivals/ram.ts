/** The store of RAM's bytes: one Int32Array, or something else. Loads at physical addresses, already translated. */

import * as memory from '../../hw/memory/ram.js';
import { CHUNK, mmuFor } from '../native/workload.js';
import type { Contest } from './contest.js';
import { ACCESS, loader } from './loads.js';
import type { LoadChunk, LoadWork } from './loads.js';

const { wordIndex } = memory;
const OFFSET = 4095;

/** Chunks of 1 MiB. */
const CHUNK_SHIFT = 18;
const CHUNK_MASK = (1 << CHUNK_SHIFT) - 1;

type Frames = readonly Int32Array[];

function int32Words({ ram, chunks }: LoadWork, frames: Frames): LoadChunk {
  const { words } = ram;
  return (chunk, values) => {
    const { los } = chunks[chunk];
    const found = frames[chunk];
    for (let i = 0; i < CHUNK; i++) values[i] = words[wordIndex(found[i], los[i] & OFFSET)];
  };
}

function chunkTable({ ram, chunks }: LoadWork, frames: Frames): LoadChunk {
  const { words } = ram;
  const table = Array.from({ length: words.length >>> CHUNK_SHIFT }, (_, i) =>
    words.subarray(i << CHUNK_SHIFT, (i + 1) << CHUNK_SHIFT),
  );
  return (chunk, values) => {
    const { los } = chunks[chunk];
    const found = frames[chunk];
    for (let i = 0; i < CHUNK; i++) {
      const at = wordIndex(found[i], los[i] & OFFSET);
      values[i] = table[at >>> CHUNK_SHIFT][at & CHUNK_MASK];
    }
  };
}

function dataView({ ram, chunks }: LoadWork, frames: Frames): LoadChunk {
  const view = new DataView(ram.words.buffer);
  return (chunk, values) => {
    const { los } = chunks[chunk];
    const found = frames[chunk];
    for (let i = 0; i < CHUNK; i++) values[i] = view.getInt32(found[i] * 4096 + (los[i] & OFFSET), true);
  };
}

function bytes({ ram, chunks }: LoadWork, frames: Frames): LoadChunk {
  const all = new Uint8Array(ram.words.buffer);
  return (chunk, values) => {
    const { los } = chunks[chunk];
    const found = frames[chunk];
    for (let i = 0; i < CHUNK; i++) {
      const at = found[i] * 4096 + (los[i] & OFFSET);
      values[i] = all[at] | (all[at + 1] << 8) | (all[at + 2] << 16) | (all[at + 3] << 24);
    }
  };
}

export function ramContest(question: string, work: LoadWork): Contest {
  const mmu = mmuFor('walk', work.ram);
  const frames = work.chunks.map(({ his, los }) => {
    const found = new Int32Array(CHUNK);
    if (mmu.translateMany(his, los, CHUNK, ACCESS, found) !== CHUNK) throw new Error('a load faulted');
    return found;
  });
  return {
    question,
    operations: work.loads,
    contenders: [
      loader('one Int32Array', 'one load a word, and up to 16 GiB', work, int32Words(work, frames)),
      loader('chunk table', 'a second load that depends on the first', work, chunkTable(work, frames)),
      loader(
        'DataView',
        'as fast, but byte addresses pass an int32 and Atomics do not take it',
        work,
        dataView(work, frames),
      ),
      loader('Uint8Array', 'four loads a word, and no more than 4 GiB', work, bytes(work, frames)),
    ],
  };
}
