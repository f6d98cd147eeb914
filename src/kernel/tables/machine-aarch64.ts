/** AArch64 as the kernel uses it: TTBR0 with 4 levels of 4 KiB, TLBI, and the syndrome of an abort. */

import type { Word64 } from '../../../hw/base/address.js';
import { PAGE_FAULT } from '../../../hw/base/fault.js';
import { AArch64Entries } from './entries-aarch64.js';
import { CAUSE_FETCH, CAUSE_WRITE, NO_PAGE_FAULT } from './privileged.js';
import type { Architecture, Privileged, ProcessorMachine } from './privileged.js';

/**
 * TCR_EL1: addresses of 48 bits (T0SZ), tables of 4 KiB (TG0), no walks with TTBR1 (EPD1), physical addresses of 40 bits
 * (IPS).
 */
const TCR = 16n | (1n << 23n) | (2n << 32n);
/** And: hardware sets the access flag (HA) and the dirty state (HD). */
const TCR_HARDWARE_MARKS = (1n << 39n) | (1n << 40n);
/** Every attribute is normal memory with write-back caches: AttrIndx means nothing, and is the kernel's. */
const MAIR = 0xffff_ffff_ffff_ffffn;
/** SCTLR_EL1.M: translation is on. */
const SCTLR_M = 1n;

/** Privileged registers and instructions of AArch64; {@link Pe} has them. */
export interface AArch64Instructions extends ProcessorMachine {
  /** What the ID registers tell; of them ID_AA64MMFR1_EL1.HAFDBS. */
  readonly features: { readonly HAFDBS: boolean };
  /** MSR. */
  writeRegister(name: 'TCR_EL1' | 'MAIR_EL1' | 'SCTLR_EL1', value: number | bigint): void;
  /** MSR of TTBR0_EL1, as two words. */
  writeTtbr0(hi: number, lo: number): void;
  /** TLBI of everything at EL1, or of one address in the address space in use, whose ASID is 0. */
  tlbi(name: 'VMALLE1' | 'VAE1', address?: Word64): void;
}

class AArch64Operations implements Privileged {
  readonly setsMarks: boolean;

  constructor(private readonly machine: AArch64Instructions) {
    this.setsMarks = machine.features.HAFDBS;
  }

  startPaging(root: number): void {
    const { machine } = this;
    machine.writeRegister('MAIR_EL1', MAIR);
    machine.writeRegister('TCR_EL1', this.setsMarks ? TCR | TCR_HARDWARE_MARKS : TCR);
    this.loadRoot(root);
    machine.writeRegister('SCTLR_EL1', SCTLR_M);
  }

  /** A write of TTBR0 drops nothing. */
  loadRoot(root: number): void {
    this.machine.writeTtbr0(root >>> 20, root << 12);
    this.machine.tlbi('VMALLE1');
  }

  invalidatePage(hi: number, lo: number): void {
    this.machine.tlbi('VAE1', { hi, lo });
  }

  /** TLBI of one address is about the tables on its way alone. */
  invalidateTables(): void {
    this.machine.tlbi('VMALLE1');
  }

  invalidateFaulted(hi: number, lo: number): void {
    this.machine.tlbi('VAE1', { hi, lo });
  }
}

/** ESR_EL1: the exception class says a Data Abort; its bit is the one that an Instruction Abort has not. */
const DATA_ABORT = 1 << 28;
/** ESR_EL1.WnR of a Data Abort. */
const WRITE_NOT_READ = 1 << 6;

/** AArch64 with a granule of 4 KiB. */
export const AARCH64: Architecture<AArch64Instructions> = {
  entriesIn: (ram) => new AArch64Entries(ram),
  operationsOf: (machine) => new AArch64Operations(machine),
  causeOf: ({ status, errorCode }) => {
    if (status !== PAGE_FAULT) return NO_PAGE_FAULT;
    if ((errorCode & DATA_ABORT) === 0) return CAUSE_FETCH;
    return (errorCode & WRITE_NOT_READ) !== 0 ? CAUSE_WRITE : 0;
  },
};
