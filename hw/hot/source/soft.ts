/** The soft TLB (tlb/soft.ts) before settled walks. A tag is one word of 64 bits with the high word of its address. */

import { ALIGN, BATCH, BATCH_BYTES, field, linearOf, LOADS, MACHINE, NONE, PAGE_MASK, SOFT } from './control';
import { OfAArch64, OfRiscv, OfX86, RISCV, X86 } from './machine';
import { settled } from './walk';

/** Loads are made after so many translations, so that the host's cache misses overlap. */
const LOADS_AT_ONCE: u32 = 256;

/** The place of a page's entry. */
function cellOf(cells: u32, lo: u32): u32 {
  return cells + ((lo >>> 8) & 0xff0);
}

function keep(cells: u32, hi: u32, lo: u32, frame: u32): void {
  const cell = cellOf(cells, lo);
  store<u64>(cell, linearOf(hi, lo & PAGE_MASK));
  store<u32>(cell, frame, 8);
}

/** Translates the addresses of a batch from the one at `at` on. @returns the first not in the soft TLB, or `end` */
function hitsFrom(cells: u32, at: u32, end: u32, mask: u32): u32 {
  for (; at < end; at += 4) {
    const lo = load<u32>(at, BATCH_BYTES);
    const cell = cellOf(cells, lo);
    if (load<u64>(cell) != linearOf(load<u32>(at), lo & mask)) break;
    store<u32>(at, load<u32>(cell, 8), 2 * BATCH_BYTES);
  }
  return at;
}

function softOn<Machine>(control: u32, from: u32, to: u32): u32 {
  const align = field(control, ALIGN);
  const cells = field(control, SOFT);
  const his = field(control, BATCH);
  const end = his + (to << 2);
  for (let at = his + (from << 2); at < end; at += 4) {
    at = hitsFrom(cells, at, end, PAGE_MASK | align);
    if (at == end) break;
    const hi = load<u32>(at);
    const lo = load<u32>(at, BATCH_BYTES);
    const frame = (lo & align) != 0 ? NONE : settled<Machine>(control, hi, lo);
    if (frame == NONE) return (at - his) >>> 2;
    keep(cells, hi, lo, frame);
    store<u32>(at, frame, 2 * BATCH_BYTES);
  }
  return to;
}

/** The same, but loads the words of the addresses. */
function loadsFrom(cells: u32, at: u32, end: u32, mask: u32): u32 {
  for (; at < end; at += 4) {
    const lo = load<u32>(at, BATCH_BYTES);
    const cell = cellOf(cells, lo);
    if (load<u64>(cell) != linearOf(load<u32>(at), lo & mask)) break;
    store<u32>(at, wordAt(load<u32>(cell, 8), lo), 2 * BATCH_BYTES);
  }
  return at;
}

function wordAt(frame: u32, lo: u32): u32 {
  return load<u32>((frame << 12) | (lo & ~PAGE_MASK));
}

/**
 * Translates addresses `from` to `to - 1` of the batch by one bank, else by walks; or loads the words there, if the
 * control block says so. @returns the place of the stop, or `to`
 */
export function soft(control: u32, from: u32, to: u32): u32 {
  const machine = field(control, MACHINE);
  const loads = field(control, LOADS) != 0;
  const cells = field(control, SOFT);
  const mask = PAGE_MASK | field(control, ALIGN);
  const his = field(control, BATCH);
  const end = his + (to << 2);
  while (from < to) {
    let most = to;
    if (loads) {
      from = (loadsFrom(cells, his + (from << 2), end, mask) - his) >>> 2;
      most = min(from + LOADS_AT_ONCE, to);
    }
    let at = his + (from << 2);
    if (machine == X86) from = softOn<OfX86>(control, from, most);
    else if (machine == RISCV) from = softOn<OfRiscv>(control, from, most);
    else from = softOn<OfAArch64>(control, from, most);
    for (const done = his + (from << 2); loads && at < done; at += 4) {
      store<u32>(at, wordAt(load<u32>(at, 2 * BATCH_BYTES), load<u32>(at, BATCH_BYTES)), 2 * BATCH_BYTES);
    }
    if (from < most) return from;
  }
  return to;
}

function settleOn<Machine>(control: u32, hi: u32, lo: u32): u32 {
  const frame = settled<Machine>(control, hi, lo);
  if (frame == NONE) return NONE;
  keep(field(control, SOFT), hi, lo, frame);
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
