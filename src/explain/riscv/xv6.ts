/**
 * The first process of xv6 for RISC-V, as its page table stands when exec of init returns, in Sv39.
 *
 * Source: MIT 6.S081, fall 2020, "Lab: page tables", the output expected of vmprint. Pages from 0 on: text and data,
 * a guard page without U, the stack. Under the end of the address space: the trapframe, and the trampoline's code.
 */

import { toHex } from '../../../hw/base/address.js';
import type { Hart } from '../../../hw/riscv/hart.js';
import { RISCV_PTE_V } from '../../../hw/riscv/format.js';
import { buildHart, parseRiscvState } from './riscv-state.js';
import type { RiscvStateInput } from './riscv-state.js';
import { STATE_VERSION } from '../state-form.js';

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
const LEVELS = 3;

/** Addresses of the process to try, and what is there. */
export const XV6_ADDRESSES: readonly (readonly [address: string, about: string])[] = [
  ['0x24', 'code and data of init'],
  ['0x1008', 'the guard page: U = 0'],
  ['0x2ff8', 'the stack'],
  ['0x3000', 'an empty entry'],
  ['0x3fffffe000', 'the trapframe, for the kernel alone'],
  ['0x3ffffff000', 'the trampoline, code for the kernel alone'],
  ['0x8000000000', 'an address that is not valid'],
];

/**
 * The process in supervisor mode, satp loaded, as a state file. Hardware sets accessed and dirty bits (ADUE), as QEMU's
 * does for xv6.
 */
export const XV6_STATE: RiscvStateInput = {
  schemaVersion: STATE_VERSION,
  machine: 'riscv',
  about: "xv6's first process, when exec of init returns",
  tlb: '8x2+32x4+psc',
  csrs: { satp: '0x8000000000087f6e', menvcfg: '0x2000000000000000' },
  memory: ENTRIES.map(([table, index, entry]) => ({
    at: toHex(table * 4096 + index * 8),
    value: toHex(entry),
  })),
};

/** A hart in that state. */
export function xv6Hart(): Hart {
  return buildHart(parseRiscvState(XV6_STATE));
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
