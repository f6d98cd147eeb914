/** Walks of settled pages: see settled-walk.ts of each machine. */

import {
  ALIGN,
  BATCH,
  BATCH_BYTES,
  covers,
  field,
  halfOf,
  IS_LONG,
  LARGE,
  linearOf,
  MACHINE,
  NONE,
  RAM_BYTES,
  ROOT,
  TABLE_ZEROS,
} from './control';
import {
  AARCH64,
  addressIn,
  entryAllows,
  isPage,
  machineOf,
  missing,
  OfAArch64,
  OfAny,
  OfRiscv,
  OfX86,
  RISCV,
  wrongIn,
  X86,
} from './machine';
import { walkTables, WithoutTlb } from './tables';

const IN_2M: u64 = 0x1f_ffff;
const IN_1G: u64 = 0x3fff_ffff;

/** The entry selected by nine bits of an address, given as bits 11:3. */
function entryIn(table: u64, index: u32): u64 {
  return load<u64>((<u32>table) | (index & 0xff8));
}

/** The frame of an address by four tables of 512 entries, or NONE when it is not settled. */
function long<Machine>(control: u32, half: u32, hi: u32, lo: u32): u32 {
  const machine = machineOf<Machine>(control);
  const end = <u64>field(control, RAM_BYTES);
  let entry = entryIn(field(half, ROOT), hi >>> 4);
  let all = entry;
  let any = entry;
  let within: u64 = 0;
  let table = addressIn(machine, entry);
  if (isPage(machine, entry)) return NONE;
  if (table >= end) return NONE;
  entry = entryIn(table, ((hi << 2) | (lo >>> 30)) << 3);
  if (isPage(machine, entry)) {
    if (wrongIn(half, 2, entry) != 0) return NONE;
    within = IN_1G;
  } else {
    all &= entry;
    any |= entry;
    table = addressIn(machine, entry);
    if (table >= end) return NONE;
    entry = entryIn(table, lo >>> 18);
    if (isPage(machine, entry)) {
      if (wrongIn(half, 1, entry) != 0) return NONE;
      within = IN_2M;
    } else {
      all &= entry;
      any |= entry;
      table = addressIn(machine, entry);
      if (table >= end) return NONE;
      entry = entryIn(table, lo >>> 9);
      // x86 has no others there than in tables.
      if (machine != X86 && wrongIn(half, 0, entry) != 0) return NONE;
    }
  }
  const wrong = (machine == X86 ? any | entry : any) & load<u64>(half, TABLE_ZEROS);
  if ((missing(machine, all, entry, within == 0) | wrong) != 0) return NONE;
  if (!entryAllows(machine, control, half, all, any, entry)) return NONE;
  const address = (addressIn(machine, entry) & ~within) | ((<u64>lo) & within);
  if (address >= end) return NONE;
  if (within != 0) store<u32>(field(control, LARGE), 1);
  return <u32>(address >>> 12);
}

/** The frame of an address, or NONE when it is not settled. */
export function settled<Machine>(control: u32, hi: u32, lo: u32): u32 {
  const machine = machineOf<Machine>(control);
  const half = machine == AARCH64 ? halfOf(control, hi) : control;
  if (!covers(half, hi)) return NONE;
  // x86 comes with no others.
  if (machine == X86 || field(half, IS_LONG) != 0) return long<Machine>(control, half, hi, lo);
  return walkTables<OfAny, WithoutTlb>(control, linearOf(hi, lo));
}

function walkOn<Machine>(control: u32, from: u32, to: u32): u32 {
  const align = field(control, ALIGN);
  const his = field(control, BATCH);
  let at = his + (from << 2);
  for (const end = his + (to << 2); at < end; at += 4) {
    const lo = load<u32>(at, BATCH_BYTES);
    if ((lo & align) != 0) break;
    const frame = settled<Machine>(control, load<u32>(at), lo);
    if (frame == NONE) break;
    store<u32>(at, frame, 2 * BATCH_BYTES);
  }
  return (at - his) >>> 2;
}

/** Translates addresses `from` to `to - 1` of the batch by walks alone. @returns the place of the stop, or `to` */
export function walk(control: u32, from: u32, to: u32): u32 {
  const machine = field(control, MACHINE);
  if (machine == X86) return walkOn<OfX86>(control, from, to);
  return machine == RISCV ? walkOn<OfRiscv>(control, from, to) : walkOn<OfAArch64>(control, from, to);
}
