/**
 * Entries of each machine's tables, as one word of 64 bits. All of these are inlined; where `machine` is a constant, what
 * depends on it costs nothing.
 */

import {
  ALLOWED,
  allows,
  field,
  KEPT,
  KEYS,
  LEVEL_BYTES,
  MACHINE,
  NEEDED,
  PAGE_ZEROS,
  PERMITTED,
  RIGHTS,
} from './control';

export const X86: u32 = 1;
export const RISCV: u32 = 2;
export const AARCH64: u32 = 4;
/** The same as types, by their sizes: so a function is compiled for each. OfAny: the control block has it. */
export type OfX86 = u8;
export type OfRiscv = u16;
export type OfAArch64 = u32;
export type OfAny = u64;

/** x86: present and accessed; a page; writable and user. A third right, XD, is 0 at first. */
const PRESENT_ACCESSED: u64 = 0x21;
const PTE_PS: u64 = 0x80;
const WRITE_USER: u32 = 6;
const PTE_ADDRESS: u64 = 0xf_ffff_ffff_f000;
/** From a protection key's place in an entry to that in rights. */
const KEY_SHIFT = 47;

/** RISC-V: valid; valid, readable and accessed; readable, writable or executable. */
const V: u64 = 1;
const V_R_A: u64 = 0x43;
const RWX: u64 = 0xe;

/** AArch64: the type of a table, or of a page at the last level; valid and of that type; valid and accessed. */
const DESC_TABLE: u64 = 2;
const VALID_TABLE: u64 = 3;
const VALID_AF: u64 = 0x401;
const DESC_ADDRESS: u64 = 0xffff_ffff_f000;
const CONTIGUOUS: u64 = 1 << 52;

export function machineOf<Machine>(control: u32): u32 {
  return sizeof<Machine>() == sizeof<OfAny>() ? field(control, MACHINE) : <u32>sizeof<Machine>();
}

/** Whether an entry above the last level is of a page, if it is any. */
export function isPage(machine: u32, entry: u64): bool {
  if (machine == AARCH64) return (entry & DESC_TABLE) == 0;
  return (entry & (machine == X86 ? PTE_PS : RWX)) != 0;
}

/** The address in an entry. */
export function addressIn(machine: u32, entry: u64): u64 {
  return machine == AARCH64 ? entry & DESC_ADDRESS : (machine == RISCV ? entry << 2 : entry) & PTE_ADDRESS;
}

/** Bits of an entry for a page that are set, and are not in settled ones. */
export function wrongIn(half: u32, level: u32, entry: u64): u64 {
  return entry & load<u64>(half + level * LEVEL_BYTES, PAGE_ZEROS);
}

/** Bits missing in settled entries: in one for a page, of the last level or above, or in those for tables together. */
export function missing(machine: u32, tables: u64, page: u64, isLast: bool): u64 {
  if (machine == X86) return ~(tables & page) & PRESENT_ACCESSED;
  if (machine == RISCV) return (~tables & V) | (~page & V_R_A);
  return (~tables & VALID_TABLE) | (~page & (isLast ? VALID_AF | DESC_TABLE : VALID_AF));
}

export function rootRights(machine: u32): u32 {
  return machine == X86 ? WRITE_USER : 0;
}

/** Rights after one more entry. */
export function passRights(machine: u32, rights: u32, entry: u64): u32 {
  if (machine == X86) return (rights & (<u32>entry) & WRITE_USER) | ((rights | (<u32>(entry >>> 63))) & 1);
  return machine == RISCV ? rights | (((<u32>entry) & 0x20) << 3) : rights;
}

/** Rights for a page by its own entry alone. */
export function pageRights(machine: u32, control: u32, entry: u64): u32 {
  const low = <u32>entry;
  if (machine == X86) return (low & field(control, KEPT)) | ((<u32>(entry >>> KEY_SHIFT)) & field(control, KEYS));
  if (machine == RISCV) return ((low >>> 1) & 0x4f) | ((low << 1) & 0x10);
  const place = rightsPlace(entry) | ((low >>> 8) & 8);
  return load<u32>(control + (place << 2), RIGHTS);
}

/** AArch64: the place of a descriptor in tables of rights, but for nG. */
function rightsPlace(entry: u64): u32 {
  return ((<u32>(entry >>> 49)) & 0x34) | (((<u32>entry) >>> 6) & 3);
}

/** Whether an entry for a page allows the access without more ado, under those for tables: all of them, and any. */
export function entryAllows(machine: u32, control: u32, half: u32, all: u64, any: u64, entry: u64): bool {
  if (machine == AARCH64) return ((load<u64>(half, ALLOWED) >>> (<u64>rightsPlace(entry))) & 1) != 0;
  if (machine == RISCV) return allows(control, pageRights(machine, control, entry));
  const code = ((<u32>(all & entry)) & WRITE_USER) | (<u32>((any | entry) >>> 63));
  // One test for both.
  return ((~(field(control, PERMITTED) >>> code) & 1) | (~(<u32>entry) & field(control, NEEDED))) == 0;
}

/** Whether a page is one of a contiguous set. */
export function isContiguous(machine: u32, entry: u64): bool {
  return machine == AARCH64 && (entry & CONTIGUOUS) != 0;
}
