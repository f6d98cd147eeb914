/** Soft TLBs, walks included, with an address in one number: as float64, and as BigInt. */

import { toBigInt, toNumber } from '../../hw/base/address.js';
import type { Ram } from '../../hw/memory/ram.js';
import { PTE_A, PTE_P, PTE_PS, PTE_US } from '../../hw/x86/format.js';
import type { Addresses } from '../native/workload.js';
import type { LoadWork, Translate } from './loads.js';

const ENTRIES = 256;
const NEEDED = PTE_P | PTE_US;
/** Bytes of an entry of each level, page table first. */
const SPANS = [2 ** 12, 2 ** 21, 2 ** 30, 2 ** 39];

/** The value at each address, as one number. */
function each<T>({ his, los }: Addresses, join: (hi: number, lo: number) => T): T[] {
  return Array.from(los, (lo, i) => join(his[i], lo));
}

/** The physical address of the 4 KiB around an address; `root` is one too. */
function walkFloats({ words }: Ram, root: number, address: number): number {
  let table = root;
  for (let level = 3; ; level--) {
    const at = table / 4 + 2 * (Math.floor(address / SPANS[level]) % 512);
    const low = words[at];
    if ((low & NEEDED) !== NEEDED) throw new Error('a load faulted');
    if ((low & PTE_A) === 0) words[at] = low | PTE_A;
    const next = (words[at + 1] & 0xf_ffff) * 2 ** 32 + ((low & -4096) >>> 0);
    if (level === 0 || (low & PTE_PS) !== 0) return next + (address % SPANS[level]) - (address % 4096);
    table = next;
  }
}

export function floats(root: number, { ram, chunks }: LoadWork): Translate {
  const tags = new Float64Array(ENTRIES).fill(-1);
  const held = new Float64Array(ENTRIES);
  const addresses = chunks.map((chunk) => Float64Array.from(each(chunk, toNumber)));
  return (chunk, from, to, frames) => {
    const wanted = addresses[chunk];
    for (let i = from; i < to; i++) {
      const page = Math.floor(wanted[i] / 4096);
      const at = page % ENTRIES;
      if (tags[at] !== page) {
        held[at] = walkFloats(ram, root, wanted[i]) / 4096;
        tags[at] = page;
      }
      frames[i] = held[at];
    }
  };
}

const BIG_NEEDED = BigInt(NEEDED);
const BIG_A = BigInt(PTE_A);
const BIG_PS = BigInt(PTE_PS);
const BIG_FRAME = 0xf_ffff_ffff_f000n;

function walkBigInts(entries: BigUint64Array, root: bigint, address: bigint): bigint {
  let table = root;
  for (let shift = 39n; ; shift -= 9n) {
    const at = Number((table >> 3n) + ((address >> shift) & 511n));
    const entry = entries[at];
    if ((entry & BIG_NEEDED) !== BIG_NEEDED) throw new Error('a load faulted');
    if ((entry & BIG_A) === 0n) entries[at] = entry | BIG_A;
    if (shift === 12n || (entry & BIG_PS) !== 0n) {
      return (entry & BIG_FRAME) + (address & ((1n << shift) - 1n) & ~4095n);
    }
    table = entry & BIG_FRAME;
  }
}

export function bigInts(root: number, { ram, chunks }: LoadWork): Translate {
  const entries = new BigUint64Array(ram.words.buffer);
  const tags = new BigUint64Array(ENTRIES).fill(1n);
  const held = new BigUint64Array(ENTRIES);
  const addresses = chunks.map((chunk) => BigUint64Array.from(each(chunk, toBigInt)));
  return (chunk, from, to, frames) => {
    const wanted = addresses[chunk];
    for (let i = from; i < to; i++) {
      const page = wanted[i] & ~4095n;
      const at = Number((page >> 12n) & 255n);
      if (tags[at] !== page) {
        held[at] = walkBigInts(entries, BigInt(root), page) >> 12n;
        tags[at] = page;
      }
      frames[i] = Number(held[at]);
    }
  };
}
