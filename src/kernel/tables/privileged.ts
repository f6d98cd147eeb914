/**
 * The kernel's needs of a processor, and all it may use: accesses in user mode, exceptions, and a few privileged
 * operations. Everything else the kernel does is stores to RAM; it never reaches into a TLB.
 *
 * The operations are said as the kernel means them. An {@link Architecture} turns them into its registers and instructions.
 */

import type { Exception } from '../../../hw/base/fault.js';
import type { Ram } from '../../../hw/memory/ram.js';
import type { Entries } from './entries.js';

/** The machine below a processor, as far as every architecture has the same. */
export interface ProcessorMachine {
  readonly ram: Ram;
  /** The value of the last load. */
  readonly valueLo: number;
  readonly valueHi: number;
}

/** One logical processor. The hardware's {@link Core} is one; several would be several of these. */
export interface Processor<M extends ProcessorMachine = ProcessorMachine> {
  readonly mmu: M;
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

/** The exception is no page fault. */
export const NO_PAGE_FAULT = -1;
/** The access was a write. */
export const CAUSE_WRITE = 1 << 0;
/** It fetched an instruction. */
export const CAUSE_FETCH = 1 << 1;

/** The privileged operations of one core. */
export interface Privileged {
  /** Whether the processor sets accessed and dirty bits itself, once paging is on; otherwise a page fault asks for them. */
  readonly setsMarks: boolean;
  /**
   * Sets the registers up and turns paging on. The supervisor obeys read-only entries, and pages can be not executable.
   * @param root frame of the topmost table
   */
  startPaging(root: number): void;
  /** Translates by other tables from here on, and drops all that is cached of the old ones, but global translations. */
  loadRoot(root: number): void;
  /** Drops the translation of one page, of any size. */
  invalidatePage(hi: number, lo: number): void;
  /** Drops all that is cached of tables, pages aside. It comes just after a call of {@link invalidatePage}. */
  invalidateTables(): void;
  /** A fault at the address is answered: drops all that a TLB may still hold of it, such as an older, stricter entry. */
  invalidateFaulted(hi: number, lo: number): void;
}

/** An architecture, as far as the kernel needs it. */
export interface Architecture<M extends ProcessorMachine = ProcessorMachine> {
  /** Its entries, in this RAM. */
  entriesIn(ram: Ram): Entries;
  /** Its privileged operations, on one core. */
  operationsOf(machine: M): Privileged;
  /** The cause of a process's exception: CAUSE_ bits, or {@link NO_PAGE_FAULT}. */
  causeOf(exception: Exception): number;
}
