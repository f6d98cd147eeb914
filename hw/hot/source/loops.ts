/**
 * The hot loops of batches in AssemblyScript: WebAssembly over the memory of RAM, which begins at address 0 of it.
 *
 * They know the common case alone: a page in a TLB, or a settled one (x86/settled-walk.ts), whose walk changes no entry
 * and cannot fault. At any other address they stop and tell its place: the plain path, beside which a property test
 * holds them, decides there. An entry is one word of 64 bits here, and so is a tag of the soft TLB with the high word
 * of its address.
 */

/** Places in the control block of a processor, in bytes: see hot-loops.ts. */
const RAM_BYTES = 0;
const BATCH = 4;
const SOFT = 8;
const ROOT = 12;
const RESERVED = 16;
const PERMITTED = 20;
const NEEDED = 24;
const CANONICAL_SHIFT = 28;
const ALIGN = 32;
const RESERVED_2M = 36;
const RESERVED_1G = 40;
const LARGE = 44;

/** Addresses in a batch at most; its parts are high words, low words and results, one after the other. */
const BATCH_BYTES: u32 = 4 * 4096;
/** Loads are made after so many translations, so that the host's cache misses overlap. */
const LOADS_AT_ONCE: u32 = 256;

const PTE_FRAME: u64 = 0xf_ffff_ffff_f000;
const PTE_PS: u64 = 0x80;
const SETTLED: u64 = 0x21;
const IN_2M: u64 = 0x1f_ffff;
const IN_1G: u64 = 0x3fff_ffff;
const NONE: u32 = 0xffff_ffff;

const PAGE_MASK: u32 = 0xffff_f000;
const VALID: u32 = 4;

function field(control: u32, place: u32): u32 {
  return load<u32>(control + place);
}

/** The entry selected by nine bits of an address, given as bits 11:3. */
function entry(table: u64, index: u32): u64 {
  return load<u64>((<u32>table) | (index & 0xff8));
}

/** The frame of an address in 4-level tables, or NONE when it is not settled. */
function settled(control: u32, hi: u32, lo: u32): u32 {
  const end = <u64>field(control, RAM_BYTES);
  let low = entry(field(control, ROOT), hi >>> 4);
  let all = low;
  let any = low;
  let within: u64 = 0;
  let table = low & PTE_FRAME;
  if ((low & PTE_PS) != 0 || table >= end) return NONE;
  low = entry(table, ((hi << 2) | (lo >>> 30)) << 3);
  all &= low;
  any |= low;
  if ((low & PTE_PS) != 0) {
    if (((<u32>low) & field(control, RESERVED_1G)) != 0) return NONE;
    within = IN_1G;
  } else {
    table = low & PTE_FRAME;
    if (table >= end) return NONE;
    low = entry(table, lo >>> 18);
    all &= low;
    any |= low;
    if ((low & PTE_PS) != 0) {
      if (((<u32>low) & field(control, RESERVED_2M)) != 0) return NONE;
      within = IN_2M;
    } else {
      table = low & PTE_FRAME;
      if (table >= end) return NONE;
      low = entry(table, lo >>> 9);
      all &= low;
      any |= low;
    }
  }
  if ((all & SETTLED) != SETTLED || ((<u32>(any >>> 32)) & field(control, RESERVED)) != 0) return NONE;
  const code = ((<u32>all) & 6) | (<u32>(any >>> 63));
  if (((field(control, PERMITTED) >>> code) & 1) == 0 || (~(<u32>low) & field(control, NEEDED)) != 0) return NONE;
  const address = (low & PTE_FRAME & ~within) | ((<u64>lo) & within);
  if (address >= end) return NONE;
  if (within != 0) store<u32>(control + LARGE, 1);
  return <u32>(address >>> 12);
}

function isCanonical(control: u32, hi: u32): bool {
  return <u32>(((<i32>hi) >> field(control, CANONICAL_SHIFT)) + 1) <= 1;
}

/** Translates addresses `from` to `to - 1` of the batch by walks alone. @returns the place of the first not settled, or `to` */
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

/** The same with the soft TLB, one bank of it, before the walks. */
export function soft(control: u32, from: u32, to: u32): u32 {
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
      tag = ((<u64>hi) << 32) | ((lo & mask) | VALID);
      if (load<u64>(cell) != tag) break;
      store<u32>(results + i, load<u32>(cell, 8));
    }
    if (i == end) break;
    if ((lo & align) != 0 || !isCanonical(control, hi)) return i >>> 2;
    const frame = settled(control, hi, lo);
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
    if (load<u64>(cell) != (((<u64>load<u32>(his + i)) << 32) | ((lo & mask) | VALID))) break;
    store<u32>(results + i, load<u32>((load<u32>(cell, 8) << 12) | (lo & ~PAGE_MASK)));
  }
  return i >>> 2;
}

/** Loads the words at addresses `from` to `to - 1` of the batch. @returns the place of the first not settled, or `to` */
export function loads(control: u32, from: u32, to: u32): u32 {
  const los = field(control, BATCH) + BATCH_BYTES;
  const results = los + BATCH_BYTES;
  while (from < to) {
    const missed = loadHits(control, from, to);
    const most = min(missed + LOADS_AT_ONCE, to);
    from = soft(control, missed, most);
    for (let i = missed << 2; i < from << 2; i += 4) {
      store<u32>(results + i, load<u32>((load<u32>(results + i) << 12) | (load<u32>(los + i) & ~PAGE_MASK)));
    }
    if (from < most) return from;
  }
  return to;
}
