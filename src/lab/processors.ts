/** The processors of labs, and each one's names of registers, instructions and exceptions. */

import { formatHex } from '../../hw/base/address.js';
import { abortName, abortOf } from '../../hw/aarch64/exception.js';
import { Pe } from '../../hw/aarch64/pe.js';
import type { Exception } from '../../hw/base/fault.js';
import type { Ram } from '../../hw/memory/ram.js';
import { causeName, trapOf } from '../../hw/riscv/exception.js';
import { Hart } from '../../hw/riscv/hart.js';
import { LogicalProcessor } from '../../hw/translate/logical-processor.js';
import type { TranslatingMachine } from '../../hw/translate/machine.js';
import { Core } from '../../hw/x86/core.js';
import { describeException } from '../../hw/x86/describe-exception.js';
import { Mmu } from '../../hw/x86/mmu.js';
import type { KernelOptions } from '../kernel/kernel.js';
import type { LabMachine } from './lab-machines.js';

/** A processor of a lab. */
export interface LabProcessor {
  readonly processor: KernelOptions['processor'];
  readonly mmu: TranslatingMachine;
  /** Present on x86 alone: `pagewalk walk --lab` walks it. */
  readonly x86: Mmu | null;
  /** The register with the root of the tables, and its value now: `CR3 0x5000`. */
  readonly root: () => string;
  readonly describe: (exception: Exception) => string;
}

/** A processor of the machine with its memory. */
export function labProcessor(machine: LabMachine, ram: Ram): LabProcessor {
  if (machine === 'riscv') return hart(ram);
  return machine === 'aarch64' ? pe(ram) : core(ram);
}

function core(ram: Ram): LabProcessor {
  const mmu = new Mmu({ ram });
  return {
    processor: new Core(mmu),
    mmu,
    x86: mmu,
    root: () => `CR3 ${formatHex(mmu.cr3Hi, mmu.cr3Lo)}`,
    describe: describeException,
  };
}

function hart(ram: Ram): LabProcessor {
  const mmu = new Hart({ ram });
  return {
    processor: new LogicalProcessor(mmu),
    mmu,
    x86: null,
    root: () => `satp 0x${mmu.readCsr('satp').toString(16)}`,
    describe: (exception) => {
      const { cause, tval } = trapOf(exception);
      return `${causeName(cause)}, scause ${cause}, stval 0x${tval.toString(16)}`;
    },
  };
}

function pe(ram: Ram): LabProcessor {
  const mmu = new Pe({ ram });
  return {
    processor: new LogicalProcessor(mmu),
    mmu,
    x86: null,
    root: () => `TTBR0_EL1 0x${mmu.readRegister('TTBR0_EL1').toString(16)}`,
    describe: (exception) => {
      const { esr, far } = abortOf(exception);
      return `${abortName(esr)}, ESR_EL1 0x${esr.toString(16)}, FAR_EL1 0x${far.toString(16)}`;
    },
  };
}
