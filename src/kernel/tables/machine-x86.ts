/** x86-64 as the kernel uses it: control registers, INVLPG, and the error code of a page fault. */

import { highWordOfFrame, lowWordOfFrame } from '../../../hw/base/address.js';
import { PAGE_FAULT } from '../../../hw/base/fault.js';
import { PF_FETCH, PF_WRITE } from '../../../hw/x86/exception.js';
import { CR0_PE, CR0_PG, CR0_WP, CR4_PAE, EFER_LME, EFER_NXE } from '../../../hw/x86/registers.js';
import { writeRegisters } from '../../../hw/x86/write-registers.js';
import { X86Entries } from './entries-x86.js';
import { CAUSE_FETCH, CAUSE_WRITE, NO_PAGE_FAULT } from './privileged.js';
import type { Architecture, Privileged, ProcessorMachine } from './privileged.js';

/** Privileged instructions of x86; {@link Mmu} has them. */
export interface X86Instructions extends ProcessorMachine {
  /** MOV to CR0: OK or a status. */
  writeCr0(value: number): number;
  /** MOV to CR3: sets the root of the page tables and drops every translation but global ones. */
  writeCr3(hi: number, lo: number): number;
  /** MOV to CR4: OK or a status. */
  writeCr4(value: number): number;
  /** WRMSR to IA32_EFER: OK or a status. */
  writeEfer(value: number): number;
  /** Drops the translation of one page, and all paging-structure caches. */
  invlpg(hi: number, lo: number): void;
}

class X86Operations implements Privileged {
  readonly setsMarks = true;

  constructor(private readonly machine: X86Instructions) {}

  /** 4-level paging with execute-disable and write protection. Source: Intel SDM vol. 3A, "Paging-Mode Enabling". */
  startPaging(root: number): void {
    writeRegisters(this.machine, {
      cr0: CR0_PE | CR0_WP | CR0_PG,
      cr3Hi: highWordOfFrame(root),
      cr3Lo: lowWordOfFrame(root),
      cr4: CR4_PAE,
      efer: EFER_LME | EFER_NXE,
    });
  }

  /** Without PCIDs, MOV to CR3 drops everything of the address space before. */
  loadRoot(root: number): void {
    this.machine.writeCr3(highWordOfFrame(root), lowWordOfFrame(root));
  }

  invalidatePage(hi: number, lo: number): void {
    this.machine.invlpg(hi, lo);
  }

  invalidateTables(): void {
    // INVLPG has dropped all paging-structure caches already. Source: Intel SDM vol. 3A,
    // "Operations that Invalidate TLBs and Paging-Structure Caches".
  }

  invalidateFaulted(): void {
    // The page fault itself has done so. Source: as above.
  }
}

/** x86-64 with 4-level paging. */
export const X86: Architecture<X86Instructions> = {
  entriesIn: (ram) => new X86Entries(ram),
  operationsOf: (machine) => new X86Operations(machine),
  causeOf: ({ status, errorCode }) => {
    if (status !== PAGE_FAULT) return NO_PAGE_FAULT;
    return ((errorCode & PF_WRITE) !== 0 ? CAUSE_WRITE : 0) | ((errorCode & PF_FETCH) !== 0 ? CAUSE_FETCH : 0);
  },
};
