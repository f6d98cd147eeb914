/**
 * What the kernel needs of a processor, and all it may use: control registers, invalidation, accesses in user mode,
 * and exceptions. Everything else the kernel does is stores to RAM; it never reaches into a TLB.
 * The hardware's {@link Core} is one; several processors would be several of these.
 */

import type { Exception } from '../../../hw/base/fault.js';
import type { Ram } from '../../../hw/memory/ram.js';

/** Privileged instructions and registers; {@link Mmu} has them. */
export interface Privileged {
  readonly ram: Ram;
  /** What the last load found. */
  readonly valueLo: number;
  readonly valueHi: number;
  /** MOV to CR0: OK or a status. */
  writeCr0(value: number): number;
  /** Sets the root of the page tables and drops every translation that is not global. */
  writeCr3(hi: number, lo: number): number;
  /** MOV to CR4: OK or a status. */
  writeCr4(value: number): number;
  /** WRMSR to IA32_EFER: OK or a status. */
  writeEfer(value: number): number;
  /** Drops the translation of one page, and all paging-structure caches. */
  invlpg(hi: number, lo: number): void;
}

/** One logical processor. */
export interface Processor {
  readonly mmu: Privileged;
  /** 3 while a process runs, 0 for the kernel. */
  cpl: number;
  /** Installs the entry for exceptions: true restarts the access. */
  onException(handler: ((exception: Exception) => boolean) | null): void;
  /** Accesses of 1 to 8 bytes; OK or a negative status. */
  load(hi: number, lo: number, size: number): number;
  /** Stores 1 to 8 bytes: OK or a status. */
  store(hi: number, lo: number, size: number, valueHi: number, valueLo: number): number;
  /** Fetches 1 to 8 bytes of code: OK or a status. */
  fetch(hi: number, lo: number, size: number): number;
}
