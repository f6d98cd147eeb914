/** Walks with other ways of reading entries than the real one. */

import * as address from '../../hw/base/address.js';
import { PTE_A, PTE_P, PTE_PS, PTE_US } from '../../hw/x86/format.js';
import { mmuFor } from '../native/workload.js';
import type { Contest } from './contest.js';
import { loader, realLoad, thenLoad } from './loads.js';
import type { LoadWork, Translate } from './loads.js';

const { frameOf } = address;
const NEEDED = PTE_P | PTE_A | PTE_US;
/** Address bits past RAM's 16 GiB, and the reserved ones. */
const NOT_RAM = 0xf_fffc;

/** The place of an entry in its table, from its level. */
function indexAt(hi: number, lo: number, level: number): number {
  return level === 3
    ? (hi >>> 7) & 511
    : level === 2
      ? ((hi << 2) | (lo >>> 30)) & 511
      : (lo >>> (12 + 9 * level)) & 511;
}

/** The 4 KiB frame; only for settled pages, and here all are. */
function walkAtomically(words: Int32Array, root: number, hi: number, lo: number): number {
  let table = root;
  for (let level = 3; ; level--) {
    const at = (table << 10) | (indexAt(hi, lo, level) << 1);
    const low = Atomics.load(words, at);
    const high = Atomics.load(words, at | 1);
    if ((low & NEEDED) !== NEEDED || (high & NOT_RAM) !== 0) throw new Error('a load faulted');
    const frame = frameOf(high, low);
    if (level === 0) return frame;
    if ((low & PTE_PS) !== 0) return frame | ((lo >>> 12) & ((1 << (9 * level)) - 1));
    table = frame;
  }
}

function atomicLoads({ ram, chunks }: LoadWork, root: number): Translate {
  const { words } = ram;
  return (chunk, from, to, frames) => {
    const { his, los } = chunks[chunk];
    for (let i = from; i < to; i++) frames[i] = walkAtomically(words, root, his[i], los[i]);
  };
}

export function walkContest(question: string, work: LoadWork): Contest {
  const walk = mmuFor('walk', work.ram);
  const root = walk.cr3Lo >>> 12;
  return {
    question,
    operations: work.loads,
    contenders: [
      loader('plain loads', 'an aligned word is never torn', work, realLoad(walk, work.chunks)),
      loader(
        'Atomics.load',
        'a call that orders all memory, where no order is needed',
        work,
        thenLoad(work, atomicLoads(work, root)),
      ),
    ],
  };
}
