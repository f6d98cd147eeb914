import type { FaultRecord } from '../../base/fault.js';

/** Linear memory as the unit needs it; an Mmu is one. Words are int32, `access` is a set of access bits. */
export interface LinearMemory {
  readonly cr0: number;
  readonly efer: number;
  /** Details of the last status below 0. */
  readonly fault: FaultRecord;
  /** Value of the last good read. */
  valueLo: number;
  valueHi: number;
  /** Reads 1 to 8 bytes into `valueLo` and `valueHi`: OK or a status. */
  read(hi: number, lo: number, size: number, access: number): number;
  /** Writes 1 to 8 bytes, all or nothing: OK or a status. */
  write(hi: number, lo: number, size: number, valueHi: number, valueLo: number, access: number): number;
  /** Fetches 1 to 8 bytes of code, as {@link LinearMemory.read}. */
  fetch(hi: number, lo: number, size: number, access: number): number;
  /** The 4 KiB frame, or a status. */
  translate(hi: number, lo: number, access: number): number;
  /** Whether addresses with this high word are canonical. */
  isCanonical(hi: number): boolean;
}
