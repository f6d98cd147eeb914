/** The soft TLB (tlb/soft.ts) before settled walks. A tag is one word of 64 bits with the high word of its address. */

import { ALIGN, BATCH, BATCH_BYTES, field, LOADS, MACHINE, NONE, PAGE_MASK, SOFT } from './control';
import { OfAArch64, OfRiscv, OfX86, RISCV, X86 } from './machine';
import { settled } from './walk';

/** Loads are made after so many translations, so that the host's cache misses overlap. */
const LOADS_AT_ONCE: u32 = 256;

function softOn<Machine>(control: u32, from: u32, to: u32): u32 {
  const align = field(control, ALIGN);
  const mask = PAGE_MASK | align;
  const cells = field(control, SOFT);
  const his = field(control, BATCH);
  const los = his + BATCH_BYTES;
  const results = los + BATCH_BYTES;
  const end = to << 2;
  for (let i = from << 2; i < end; i += 4) {
    let hi: u32 = 0;
    let lo: u32 = 0;
    let cell: u32 = 0;
    let tag: u64 = 0;
    // The loop of hits holds no call.
    for (; i < end; i += 4) {
      hi = load<u32>(his + i);
      lo = load<u32>(los + i);
      cell = cells + ((lo >>> 8) & 0xff0);
      tag = ((<u64>hi) << 32) | (lo & mask);
      if (load<u64>(cell) != tag) break;
      store<u32>(results + i, load<u32>(cell, 8));
    }
    if (i == end) break;
    if ((lo & align) != 0) return i >>> 2;
    const frame = settled<Machine>(control, hi, lo);
    if (frame == NONE) return i >>> 2;
    store<u64>(cell, tag);
    store<u32>(cell, frame, 8);
    store<u32>(results + i, frame);
  }
  return to;
}

/** Loads the words of addresses in the soft TLB. @returns the place of the first not in there, or `to` */
function loadHits(control: u32, from: u32, to: u32): u32 {
  const mask = PAGE_MASK | field(control, ALIGN);
  const cells = field(control, SOFT);
  const his = field(control, BATCH);
  const los = his + BATCH_BYTES;
  const results = los + BATCH_BYTES;
  let i = from << 2;
  for (const end = to << 2; i < end; i += 4) {
    const lo = load<u32>(los + i);
    const cell = cells + ((lo >>> 8) & 0xff0);
    if (load<u64>(cell) != (((<u64>load<u32>(his + i)) << 32) | (lo & mask))) break;
    store<u32>(results + i, load<u32>((load<u32>(cell, 8) << 12) | (lo & ~PAGE_MASK)));
  }
  return i >>> 2;
}

/**
 * Translates addresses `from` to `to - 1` of the batch by one bank, else by walks; or loads the words there, if the
 * control block says so. @returns the place of the stop, or `to`
 */
export function soft(control: u32, from: u32, to: u32): u32 {
  const machine = field(control, MACHINE);
  const loads = field(control, LOADS) != 0;
  const los = field(control, BATCH) + BATCH_BYTES;
  const results = los + BATCH_BYTES;
  while (from < to) {
    let most = to;
    if (loads) {
      from = loadHits(control, from, to);
      most = min(from + LOADS_AT_ONCE, to);
    }
    const start = from;
    if (machine == X86) from = softOn<OfX86>(control, start, most);
    else if (machine == RISCV) from = softOn<OfRiscv>(control, start, most);
    else from = softOn<OfAArch64>(control, start, most);
    for (let i = start << 2; loads && i < from << 2; i += 4) {
      store<u32>(results + i, load<u32>((load<u32>(results + i) << 12) | (load<u32>(los + i) & ~PAGE_MASK)));
    }
    if (from < most) return from;
  }
  return to;
}

function settleOn<Machine>(control: u32, hi: u32, lo: u32): u32 {
  const frame = settled<Machine>(control, hi, lo);
  if (frame == NONE) return NONE;
  const cell = field(control, SOFT) + ((lo >>> 8) & 0xff0);
  store<u64>(cell, ((<u64>hi) << 32) | (lo & PAGE_MASK));
  store<u32>(cell, frame, 8);
  return frame;
}

/** Walks for one address that its bank has not, and fills it. @returns the frame, or NONE */
export function settleX86(control: u32, hi: u32, lo: u32): u32 {
  return settleOn<OfX86>(control, hi, lo);
}

export function settleRiscv(control: u32, hi: u32, lo: u32): u32 {
  return settleOn<OfRiscv>(control, hi, lo);
}

export function settleAArch64(control: u32, hi: u32, lo: u32): u32 {
  return settleOn<OfAArch64>(control, hi, lo);
}
