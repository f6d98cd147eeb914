/**
 * The machines of the benchmark. Their tables have 512 entries on each of four levels, so that a walk reads as much as
 * x86's and the C reference's.
 */

import { lowWordOfFrame } from '../../hw/base/address.js';
import * as arm from '../../hw/aarch64/format.js';
import { Pe } from '../../hw/aarch64/pe.js';
import * as riscv from '../../hw/riscv/format.js';
import { Hart } from '../../hw/riscv/hart.js';
import type { MachineOptions } from '../../hw/translate/options.js';
import type { TranslatingMachine } from '../../hw/translate/machine.js';
import { PTE_P, PTE_PS, PTE_RW, PTE_US } from '../../hw/x86/format.js';
import { Mmu } from '../../hw/x86/mmu.js';
import type { MmuOptions } from '../../hw/x86/mmu.js';
import { CR0_PE, CR0_PG, CR4_PAE, EFER_LME } from '../../hw/x86/registers.js';
import { writeRegisters } from '../../hw/x86/write-registers.js';

/** Frame of the root table. */
export const ROOT = 1;

/** A machine of the benchmark: its entries' low words, of frames below 2^20, and its start. */
interface BenchMachine {
  /** Before the names of its rows. */
  readonly title: string;
  readonly table: (frame: number) => number;
  readonly page4K: (frame: number) => number;
  readonly page2M: (frame: number) => number;
  /** A processor with paging on, and its tables at {@link ROOT}. */
  readonly boot: (options: MachineOptions) => TranslatingMachine;
}

/** An MMU with 4-level paging turned on, and its tables at {@link ROOT}. */
export function pagingMmu(options: MmuOptions): Mmu {
  const mmu = new Mmu(options);
  const values = { cr0: CR0_PE | CR0_PG, cr3Hi: 0, cr3Lo: lowWordOfFrame(ROOT), cr4: CR4_PAE, efer: EFER_LME };
  if (writeRegisters(mmu, values) < 0) throw new Error('paging cannot be turned on');
  return mmu;
}

const USER_ENTRY = PTE_P | PTE_RW | PTE_US;

const X86: BenchMachine = {
  title: '',
  table: (frame) => lowWordOfFrame(frame) | USER_ENTRY,
  page4K: (frame) => lowWordOfFrame(frame) | USER_ENTRY,
  page2M: (frame) => lowWordOfFrame(frame) | USER_ENTRY | PTE_PS,
  boot: pagingMmu,
};

/** satp.MODE for Sv48, in the high word. */
const SV48 = 9 << 28;
const RISCV_PAGE =
  riscv.RISCV_PTE_V | riscv.RISCV_PTE_R | riscv.RISCV_PTE_W | riscv.RISCV_PTE_U | riscv.RISCV_PTE_A | riscv.RISCV_PTE_D;
const riscvPage = (frame: number): number => (frame << riscv.RISCV_PTE_PPN_SHIFT) | RISCV_PAGE;

const RISCV: BenchMachine = {
  title: 'RISC-V: ',
  table: (frame) => (frame << riscv.RISCV_PTE_PPN_SHIFT) | riscv.RISCV_PTE_V,
  page4K: riscvPage,
  page2M: riscvPage,
  boot: (options) => {
    const hart = new Hart(options);
    hart.setPrivilege('S');
    hart.writeSatp(SV48, ROOT);
    return hart;
  },
};

/** TCR_EL1: addresses of 48 bits, the granule of 4 KiB, no walks with TTBR1, physical addresses of 40 bits. */
const TCR = 16n | (1n << 23n) | (2n << 32n);
const ARM_BLOCK = arm.DESC_VALID | arm.DESC_EL0 | arm.DESC_AF | arm.DESC_NG;

const AARCH64: BenchMachine = {
  title: 'AArch64: ',
  table: (frame) => lowWordOfFrame(frame) | arm.DESC_VALID | arm.DESC_TABLE,
  page4K: (frame) => lowWordOfFrame(frame) | ARM_BLOCK | arm.DESC_TABLE,
  page2M: (frame) => lowWordOfFrame(frame) | ARM_BLOCK,
  boot: (options) => {
    const pe = new Pe(options);
    pe.writeRegister('TCR_EL1', TCR);
    pe.writeTtbr0(0, lowWordOfFrame(ROOT));
    pe.writeRegister('SCTLR_EL1', 1);
    return pe;
  },
};

export const BENCH_MACHINES = { x86: X86, riscv: RISCV, aarch64: AARCH64 } as const;
export type BenchMachineName = keyof typeof BENCH_MACHINES;
