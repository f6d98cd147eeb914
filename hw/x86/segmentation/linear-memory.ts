import type { FaultRecord } from '../../base/fault.js';

/** Linear memory as the unit needs it: what an Mmu is. Words are int32, `access` is a set of access bits. */
export interface LinearMemory {
  readonly cr0: number;
  readonly efer: number;
  /** Details of the last status below 0. */
  readonly fault: FaultRecord;
  /** Value of the last read that returned OK. */
  valueLo: number;
  valueHi: number;
  read(hi: number, lo: number, size: number, access: number): number;
  write(hi: number, lo: number, size: number, valueHi: number, valueLo: number, access: number): number;
  fetch(hi: number, lo: number, size: number, access: number): number;
  translate(hi: number, lo: number, access: number): number;
  isCanonical(hi: number): boolean;
}
