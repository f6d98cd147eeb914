/** Walks of any tables, from a walk cache or from the root, and what they leave in TLBs. */

import {
  allows,
  count,
  COUNTS,
  covers,
  ENTRY_SHIFT,
  field,
  FIRST_LEVEL,
  halfOf,
  INDEX_MASK,
  LARGE,
  LEVEL_BYTES,
  NONE,
  PAGE_SIZE,
  PASSED,
  RAM_BYTES,
  READS,
  ROOT,
  ROOT_LEVEL,
  ROOT_MASK,
  SECOND_LEVEL,
  SET_SIZE,
  SHIFT,
  SHORTENED,
  SIZE,
  SPACE,
  TABLE_ZEROS,
  WALK_CACHES,
  WALKS,
} from './control';
import {
  AARCH64,
  addressIn,
  isContiguous,
  isPage,
  machineOf,
  missing,
  pageRights,
  passRights,
  RISCV,
  rootRights,
  wrongIn,
  X86,
} from './machine';
import { arrayOf, fill, find, frameIn, insert, pageOf, rightsIn, tagOf, touch } from './tlb';

/** Paths as types, by their sizes: so a function is compiled for each. */
export type WithTlb = u8;
export type WithoutTlb = u16;

const X86_ROOT_LEVEL: u32 = 3;
const X86_INDEX_MASK: u32 = 511;

function levelShift(machine: u32, half: u32, level: u32): u32 {
  return machine == X86 ? 12 + 9 * level : load<u32>(half + level * LEVEL_BYTES, PAGE_SIZE + SHIFT);
}

function rootLevelOf(machine: u32, half: u32): u32 {
  return machine == X86 ? X86_ROOT_LEVEL : field(half, ROOT_LEVEL);
}

function walkCache(control: u32, level: u32): u32 {
  return load<u32>(control + (level << 2), WALK_CACHES - 4);
}

/**
 * Counts a walk from the table at `start` to the entry for a page at `level`, and keeps the page and the tables that it
 * passed. A type, for a copy where it is called. @returns the frame, or NONE, with nothing changed, if it cannot keep the page
 */
function keep<Machine>(
  control: u32,
  half: u32,
  linear: u64,
  start: u32,
  level: u32,
  entry: u64,
  rights: u32,
  frame: u32,
): u32 {
  const machine = machineOf<Machine>(control);
  const space = field(control, SPACE);
  const l1 = field(control, FIRST_LEVEL);
  const l2 = field(control, SECOND_LEVEL);
  let sized = half + level * LEVEL_BYTES + PAGE_SIZE;
  if (isContiguous(machine, entry)) {
    const set = half + level * LEVEL_BYTES + SET_SIZE;
    const inSet = (((<u64>1) << (<u64>field(set, SHIFT))) - 1) & (<u64>~0xfff);
    if (((((<u64>frame) << 12) ^ linear) & inSet) == 0) sized = set;
  }
  const size = field(sized, SIZE);
  const inPage = (1 << (field(sized, SHIFT) - 12)) - 1;
  if ((frame | inPage) >= field(control, RAM_BYTES) >>> 12) return NONE;
  if (arrayOf(l1, size) == 0 || arrayOf(l2, size) == 0) return NONE;

  const counts = field(control, COUNTS);
  count(counts, WALKS, 1);
  if (start < rootLevelOf(machine, half)) count(counts, SHORTENED, 1);
  for (let read = level; read <= start; read++) count(counts, READS + (read << 3), 1);
  for (let read = level + 1; read <= start; read++) {
    const cache = walkCache(control, read);
    if (cache == 0) continue;
    const page = pageOf(linear, levelShift(machine, half, read));
    const to = load<u32>(control + (read << 3), PASSED);
    const allowed = load<u32>(control + (read << 3), PASSED + 4);
    insert(cache, <u32>page, tagOf(page, space, 0), to, allowed);
  }
  fill(l1, linear, space, frame & ~inPage, rights, size);
  fill(l2, linear, space, frame & ~inPage, rights, size);
  return frame;
}

/**
 * The frame of an address, or NONE when it is not settled. With TLBs the walk begins at the deepest table in a walk cache,
 * and fills all.
 */
export function walkTables<Machine, Path>(control: u32, linear: u64): u32 {
  const machine = machineOf<Machine>(control);
  const hi = <u32>(linear >>> 32);
  const withTlb = sizeof<Path>() == sizeof<WithTlb>();
  const half = machine == X86 ? control : halfOf(control, hi);
  // What is canonical is covered by the tables of x86.
  if (machine != X86 && !covers(half, hi)) return NONE;
  const space = field(control, SPACE);
  const rootLevel = rootLevelOf(machine, half);
  const indexMask = machine == X86 ? X86_INDEX_MASK : field(half, INDEX_MASK);
  let mask = machine == X86 ? X86_INDEX_MASK : field(half, ROOT_MASK);
  let table = <u64>field(half, ROOT);
  let rights = rootRights(machine);
  let start = rootLevel;
  if (withTlb) {
    for (let level: u32 = 1; level <= rootLevel; level++) {
      const cache = walkCache(control, level);
      if (cache == 0) continue;
      const page = pageOf(linear, levelShift(machine, half, level));
      const cell = find(cache, <u32>page, tagOf(page, space, 0));
      if (cell == 0) continue;
      start = level - 1;
      table = (<u64>frameIn(cache, cell)) << 12;
      rights = rightsIn(cache, cell);
      mask = indexMask;
      // Rights taken away by tables are left to the plain path.
      if (machine == AARCH64 && rights != 0) return NONE;
      touch(cache, cell);
      break;
    }
  }

  const entryShift = machine == RISCV ? field(control, ENTRY_SHIFT) : 3;
  const end = <u64>field(control, RAM_BYTES);
  // Tables are as large as pages of the last level.
  const tableMask: u64 = machine == AARCH64 ? (<u64>-1) << (<u64>levelShift(machine, half, 0)) : ~0;
  let all: u64 = ~0;
  let any: u64 = 0;
  let entry: u64 = 0;
  let level = start;
  for (;;) {
    const index = (<u32>(linear >>> (<u64>levelShift(machine, half, level)))) & mask;
    const at = table | (<u64>(index << entryShift));
    if (at >= end) return NONE;
    entry = entryShift == 3 ? load<u64>(<u32>at) : <u64>load<u32>(<u32>at);
    rights = passRights(machine, rights, entry);
    if (level == 0 || isPage(machine, entry)) break;
    all &= entry;
    any |= entry;
    table = addressIn(machine, entry) & tableMask;
    mask = indexMask;
    if (withTlb) {
      store<u32>(control + (level << 3), <u32>(table >>> 12), PASSED);
      store<u32>(control + (level << 3), rights, PASSED + 4);
    }
    level--;
  }
  const wrong = (any & load<u64>(half, TABLE_ZEROS)) | wrongIn(half, level, entry);
  if ((missing(machine, all, entry, level == 0) | wrong) != 0) return NONE;
  rights |= pageRights(machine, control, entry);
  if (!allows(control, rights)) return NONE;
  const within = ((<u64>1) << (<u64>levelShift(machine, half, level))) - 1;
  const address = (addressIn(machine, entry) & ~within) | (linear & within);
  if (address >= end) return NONE;
  const frame = <u32>(address >>> 12);
  if (withTlb) return keep<Machine>(control, half, linear, start, level, entry, rights, frame);
  if (within >= 4096) store<u32>(field(control, LARGE), 1);
  return frame;
}
