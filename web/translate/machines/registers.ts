/** The register bits with a part in translation, as switches. */

import type { Mmu } from '../../../hw/x86/mmu.js';
import * as reg from '../../../hw/x86/registers.js';

export type RegisterName = 'cr0' | 'cr4' | 'efer' | 'pkru' | 'rflags';

export interface RegisterBit {
  readonly register: RegisterName;
  readonly bit: number;
  readonly name: string;
  readonly meaning: string;
  /** When the processor refuses a change. */
  readonly refusal: string;
}

function bitOf(mask: number): number {
  return 31 - Math.clz32(mask);
}

function row(register: RegisterName, bit: number, name: string, meaning: string, refusal = ''): RegisterBit {
  return { register, bit, name, meaning, refusal };
}

const RFLAGS_AC = 18;
/** PKRU has two bits a key; the demonstration uses key 1. */
const PKRU_KEY_1 = 2;

/** Source: Intel SDM vol. 3A, "Control Registers", "Protection Keys". */
export const REGISTERS: readonly RegisterBit[] = [
  row('cr0', bitOf(reg.CR0_WP), 'WP', 'write protect: 1, the supervisor obeys R/W = 0 too'),
  row('cr0', bitOf(reg.CR0_PG), 'PG', 'paging', 'CR4.PCIDE must be 0 first.'),
  row('cr4', bitOf(reg.CR4_PSE), 'PSE', 'page size extensions: 4 MiB pages in 32-bit paging'),
  row('cr4', bitOf(reg.CR4_PAE), 'PAE', 'physical address extension', 'IA-32e mode needs PAE = 1.'),
  row('cr4', bitOf(reg.CR4_PGE), 'PGE', 'global pages: 1, G = 1 keeps a translation over a change of CR3'),
  row('cr4', bitOf(reg.CR4_SMEP), 'SMEP', 'supervisor mode execution prevention: no fetches from pages with U/S = 1'),
  row('cr4', bitOf(reg.CR4_SMAP), 'SMAP', 'supervisor mode access prevention: no data of pages with U/S = 1'),
  row('cr4', bitOf(reg.CR4_PKE), 'PKE', 'protection keys for user pages'),
  row('efer', bitOf(reg.EFER_NXE), 'NXE', 'no-execute: 1, XD counts; 0, XD is a reserved bit'),
  row('pkru', PKRU_KEY_1, 'AD1', 'key 1: no access'),
  row('pkru', PKRU_KEY_1 + 1, 'WD1', 'key 1: no writes'),
  row('rflags', RFLAGS_AC, 'AC', 'alignment check; with SMAP = 1 it lets the supervisor at user pages'),
];

/** Reads and flips register bits the way software does; PKRU and AC are remembered: hardware does not show them. */
export class RegisterFile {
  #pkru: number;
  #ac = false;

  constructor(
    readonly mmu: Mmu,
    pkru: number,
  ) {
    this.#pkru = pkru;
  }

  value(name: RegisterName): number {
    const { mmu } = this;
    if (name === 'pkru') return this.#pkru;
    if (name === 'rflags') return this.#ac ? 1 << RFLAGS_AC : 0;
    return name === 'cr0' ? mmu.cr0 : name === 'cr4' ? mmu.cr4 : mmu.efer;
  }

  bit(name: RegisterName, bit: number): number {
    return (this.value(name) >>> bit) & 1;
  }

  /** @returns OK, or the processor's status of refusal. */
  flip(name: RegisterName, bit: number): number {
    const { mmu } = this;
    const wanted = this.value(name) ^ (1 << bit);
    if (name === 'cr0') return mmu.writeCr0(wanted);
    if (name === 'cr4') return mmu.writeCr4(wanted);
    if (name === 'efer') return mmu.writeEfer(wanted);
    if (name === 'pkru') {
      this.#pkru = wanted;
      mmu.writePkru(wanted);
    } else {
      this.#ac = wanted !== 0;
      mmu.setAc(this.#ac);
    }
    return 0;
  }
}
