/** The order of writing control registers: each write is accepted then. */

import { OK } from '../base/fault.js';
import { CR4_PCIDE, EFER_LMA, PCID_MASK } from './registers.js';

/** The instructions for it; an {@link Mmu} has them. Each returns OK or a status. */
export interface RegisterWriter {
  writeCr0(value: number): number;
  writeCr3(hi: number, lo: number): number;
  writeCr4(value: number): number;
  writeEfer(value: number): number;
}

/** The values to be written, CR3 as two words; the high words of the others are reserved. */
export interface ControlRegisters {
  readonly cr0: number;
  readonly cr3Hi: number;
  readonly cr3Lo: number;
  readonly cr4: number;
  readonly efer: number;
}

/**
 * Writes EFER, CR4 and CR3, then CR0: paging begins with all the rest in place. PCIDE and bits 63:32 of CR3 can be
 * set in IA-32e mode alone: they come last. Paging must be off before.
 * Source: Intel SDM vol. 3A, "Paging-Mode Enabling"; vol. 2, "MOV - Move to/from Control Registers".
 * @returns OK, or the status of the first write to be refused; the ones after it are not made
 */
export function writeRegisters(processor: RegisterWriter, values: ControlRegisters): number {
  const { cr0, cr3Hi, cr3Lo, cr4, efer } = values;
  const pcide = cr4 & CR4_PCIDE;
  const steps = [
    () => processor.writeEfer(efer & ~EFER_LMA),
    () => processor.writeCr4(cr4 & ~pcide),
    () => processor.writeCr3(cr3Hi, pcide === 0 ? cr3Lo : cr3Lo & ~PCID_MASK),
    () => processor.writeCr0(cr0),
    () => (pcide === 0 ? OK : processor.writeCr4(cr4)),
    () => (pcide === 0 && cr3Hi === 0 ? OK : processor.writeCr3(cr3Hi, cr3Lo)),
  ];
  for (const step of steps) {
    const status = step();
    if (status < 0) return status;
  }
  return OK;
}
