/** RISC-V as the kernel uses it: satp with Sv48, SFENCE.VMA, and the cause of a trap. */

import type { Word64 } from '../../../hw/base/address.js';
import { PAGE_FAULT } from '../../../hw/base/fault.js';
import { FETCH_PAGE_FAULT, STORE_PAGE_FAULT } from '../../../hw/riscv/exception.js';
import { RiscvEntries } from './entries-riscv.js';
import { CAUSE_FETCH, CAUSE_WRITE, NO_PAGE_FAULT } from './privileged.js';
import type { Architecture, Privileged, ProcessorMachine } from './privileged.js';

/** satp.MODE for Sv48, in the high word. */
const SV48 = 9 << 28;
/** menvcfg.ADUE: the hart sets accessed and dirty bits. Without Svadu it reads as 0. */
const ADUE = 1n << 61n;
/** Page faults go to supervisor mode. */
const PAGE_FAULTS = (1 << 12) | (1 << 13) | (1 << 15);

/** Privileged registers and instructions of RISC-V; {@link Hart} has them. */
export interface RiscvInstructions extends ProcessorMachine {
  /** Goes into a mode, as a return from a trap does. */
  setPrivilege(privilege: 'S'): void;
  /** CSRRW. */
  writeCsr(name: 'menvcfg' | 'medeleg', value: number | bigint): void;
  /** CSRR. */
  readCsr(name: 'menvcfg'): bigint;
  /** CSRRW of satp, as two words. */
  writeSatp(hi: number, lo: number): void;
  /** SFENCE.VMA of one address, or with null of all. */
  sfenceVma(address: Word64 | null): void;
}

class RiscvOperations implements Privileged {
  setsMarks = true;

  constructor(private readonly machine: RiscvInstructions) {}

  /** First the part of the firmware, in machine mode; then the kernel's own, in supervisor mode. */
  startPaging(root: number): void {
    const { machine } = this;
    machine.writeCsr('menvcfg', ADUE);
    this.setsMarks = (machine.readCsr('menvcfg') & ADUE) !== 0n;
    machine.writeCsr('medeleg', PAGE_FAULTS);
    machine.setPrivilege('S');
    this.loadRoot(root);
  }

  /** A write of satp drops nothing. Source: "Supervisor Address Translation and Protection (satp) Register". */
  loadRoot(root: number): void {
    this.machine.writeSatp(SV48, root);
    this.machine.sfenceVma(null);
  }

  invalidatePage(hi: number, lo: number): void {
    this.machine.sfenceVma({ hi, lo });
  }

  /** A fence of one address is about entries for pages alone. */
  invalidateTables(): void {
    this.machine.sfenceVma(null);
  }

  invalidateFaulted(hi: number, lo: number): void {
    this.machine.sfenceVma({ hi, lo });
  }
}

/** A cause is the low six bits of the error code. */
const CAUSE = 0x3f;

/** RISC-V with Sv48. */
export const RISCV: Architecture<RiscvInstructions> = {
  entriesIn: (ram) => new RiscvEntries(ram),
  operationsOf: (machine) => new RiscvOperations(machine),
  causeOf: ({ status, errorCode }) => {
    if (status !== PAGE_FAULT) return NO_PAGE_FAULT;
    const cause = errorCode & CAUSE;
    return cause === STORE_PAGE_FAULT ? CAUSE_WRITE : cause === FETCH_PAGE_FAULT ? CAUSE_FETCH : 0;
  },
};
