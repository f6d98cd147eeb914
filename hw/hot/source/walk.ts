/** Walks of settled pages in 4-level tables: see x86/settled-walk.ts. An entry is one word of 64 bits here. */

import {
  ALIGN,
  BATCH,
  BATCH_BYTES,
  field,
  isCanonical,
  LARGE,
  NEEDED,
  NONE,
  PERMITTED,
  RAM_BYTES,
  RESERVED,
  RESERVED_1G,
  RESERVED_2M,
  ROOT,
} from './control';

export const PTE_FRAME: u64 = 0xf_ffff_ffff_f000;
export const PTE_PS: u64 = 0x80;
/** Present and accessed. */
export const SETTLED: u64 = 0x21;
export const IN_2M: u64 = 0x1f_ffff;
export const IN_1G: u64 = 0x3fff_ffff;

/** The entry selected by nine bits of an address, given as bits 11:3. */
export function entryIn(table: u64, index: u32): u64 {
  return load<u64>((<u32>table) | (index & 0xff8));
}

/** The frame of an address, or NONE when it is not settled. */
export function settled(control: u32, hi: u32, lo: u32): u32 {
  const end = <u64>field(control, RAM_BYTES);
  let entry = entryIn(field(control, ROOT), hi >>> 4);
  let all = entry;
  let any = entry;
  let within: u64 = 0;
  let table = entry & PTE_FRAME;
  if ((entry & PTE_PS) != 0 || table >= end) return NONE;
  entry = entryIn(table, ((hi << 2) | (lo >>> 30)) << 3);
  all &= entry;
  any |= entry;
  if ((entry & PTE_PS) != 0) {
    if (((<u32>entry) & field(control, RESERVED_1G)) != 0) return NONE;
    within = IN_1G;
  } else {
    table = entry & PTE_FRAME;
    if (table >= end) return NONE;
    entry = entryIn(table, lo >>> 18);
    all &= entry;
    any |= entry;
    if ((entry & PTE_PS) != 0) {
      if (((<u32>entry) & field(control, RESERVED_2M)) != 0) return NONE;
      within = IN_2M;
    } else {
      table = entry & PTE_FRAME;
      if (table >= end) return NONE;
      entry = entryIn(table, lo >>> 9);
      all &= entry;
      any |= entry;
    }
  }
  if ((all & SETTLED) != SETTLED || ((<u32>(any >>> 32)) & field(control, RESERVED)) != 0) return NONE;
  const code = ((<u32>all) & 6) | (<u32>(any >>> 63));
  if (((field(control, PERMITTED) >>> code) & 1) == 0 || (~(<u32>entry) & field(control, NEEDED)) != 0) return NONE;
  const address = (entry & PTE_FRAME & ~within) | ((<u64>lo) & within);
  if (address >= end) return NONE;
  if (within != 0) store<u32>(control + LARGE, 1);
  return <u32>(address >>> 12);
}

/** Translates addresses `from` to `to - 1` of the batch by walks alone. @returns the place of the stop, or `to` */
export function walk(control: u32, from: u32, to: u32): u32 {
  const align = field(control, ALIGN);
  const his = field(control, BATCH);
  const los = his + BATCH_BYTES;
  const results = los + BATCH_BYTES;
  let i = from << 2;
  for (const end = to << 2; i < end; i += 4) {
    const hi = load<u32>(his + i);
    const lo = load<u32>(los + i);
    if ((lo & align) != 0 || !isCanonical(control, hi)) break;
    const frame = settled(control, hi, lo);
    if (frame == NONE) break;
    store<u32>(results + i, frame);
  }
  return i >>> 2;
}
