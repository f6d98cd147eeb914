/**
 * The first process of xv6 for RISC-V, as its page table stands when exec of init returns, in Sv39.
 *
 * Source: MIT 6.S081, fall 2020, "Lab: page tables", the output expected of vmprint. Pages from 0 on: text and data,
 * a guard page without U, the stack. Under the end of the address space: the trapframe, and the trampoline's code.
 */

import { Ram } from '../../../hw/memory/ram.js';
import { Hart } from '../../../hw/riscv/hart.js';
import { RISCV_PTE_V } from '../../../hw/riscv/format.js';

/** RAM of QEMU's board "virt", as xv6 uses it. */
const RAM_RANGE = { base: 0x8000_0000, bytes: 128 << 20 };
const ROOT = 0x87f6e;
/** Frame of the table, index, entry. */
const ENTRIES: readonly (readonly [number, number, number])[] = [
  [ROOT, 0, 0x21fda801],
  [0x87f6a, 0, 0x21fda401],
  [0x87f69, 0, 0x21fdac1f],
  [0x87f69, 1, 0x21fda00f],
  [0x87f69, 2, 0x21fd9c1f],
  [ROOT, 255, 0x21fdb401],
  [0x87f6d, 511, 0x21fdb001],
  [0x87f6c, 510, 0x21fdd807],
  [0x87f6c, 511, 0x20001c0b],
];
const SV39 = 8n << 60n;
const ADUE = 1n << 61n;
const LEVELS = 3;

/** A hart with satp loaded, in supervisor mode. Hardware sets accessed and dirty bits, as QEMU's does for xv6. */
export function xv6Hart(): Hart {
  const ram = new Ram({ ranges: [RAM_RANGE] });
  for (const [table, index, entry] of ENTRIES) ram.write64(table * 4096 + index * 8, entry);
  const hart = new Hart({ ram });
  hart.writeCsr('menvcfg', ADUE);
  hart.writeCsr('satp', SV39 | BigInt(ROOT));
  hart.setPrivilege('S');
  return hart;
}

/** A page table as xv6's vmprint writes it: an entry a line, its depth in dots. */
export function vmprint({ ram }: Hart, root = ROOT): string {
  const hex = (value: number): string => `0x${value.toString(16).padStart(16, '0')}`;
  const below = (table: number, depth: number): string[] =>
    Array.from({ length: 512 }, (_, index) => ({ index, pte: Number(ram.read64(table * 4096 + index * 8)) })).flatMap(
      ({ index, pte }) => {
        if (pte % 2 !== RISCV_PTE_V) return [];
        const frame = Math.floor(pte / 1024);
        const line = `${Array<string>(depth).fill('..').join(' ')}${index}: pte ${hex(pte)} pa ${hex(frame * 4096)}`;
        return [line, ...(depth < LEVELS ? below(frame, depth + 1) : [])];
      },
    );
  return [`page table ${hex(root * 4096)}`, ...below(root, 1), ''].join('\n');
}
