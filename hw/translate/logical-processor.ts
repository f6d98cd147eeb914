/**
 * One logical processor: accesses at a privilege level, and exceptions to their handler.
 *
 * When an access faults, the machine latches its cause and address, and the handler is entered at CPL 0. If the handler
 * says so, the access is made again from the start, as a real instruction is. The handler is the operating system.
 */

import { FETCH, READ, USER, WRITE } from '../base/access.js';
import { highWordOf, lowWordOf, toBigInt } from '../base/address.js';
import { checkChoice, checkKind, checkPlainAddress, checkValue, objectWith } from '../base/arguments.js';
import { GAVE_UP, OK } from '../base/fault.js';
import type { Exception, FaultRecord } from '../base/fault.js';

/** The machine behind a processor, as far as the processor needs it, of any architecture. */
export interface Translator {
  /** Details of the last fault. */
  readonly fault: FaultRecord;
  /** Result of the last load. */
  readonly valueLo: number;
  readonly valueHi: number;
  /** Loads 1 to 8 bytes into `valueLo` and `valueHi`: OK or a status. */
  read(hi: number, lo: number, size: number, access: number): number;
  /** Stores 1 to 8 bytes, all or nothing: OK or a status. */
  write(hi: number, lo: number, size: number, valueHi: number, valueLo: number, access: number): number;
  /** Fetches 1 to 8 bytes of code, as {@link Translator.read}. */
  fetch(hi: number, lo: number, size: number, access: number): number;
  /** One past the highest address of its accesses: a power of two. */
  readonly addressEnd: number;
  /** Takes note of an exception: its registers of cause and address, before any handler sees it. */
  latch(exception: Exception): void;
}

/** Deals with an exception; true restarts the access, false gives it up. */
export type HandlerOf<M extends Translator> = (exception: Exception, processor: LogicalProcessor<M>) => boolean;

/** An access restarted this often without completing is given up; a real processor would go on for ever. */
const MOST_RESTARTS = 1000;
const PLAIN_SIZES: readonly number[] = [1, 2, 4, 8];
/** Bytes of a plain access. */
export type PlainSize = 1 | 2 | 4 | 8;

const MACHINE = objectWith('read', 'an Mmu, a Hart or a Pe, such as new Mmu({ ram })');

/** One logical processor of any architecture: accesses at a privilege level, and exceptions to their handler. */
export class LogicalProcessor<M extends Translator> {
  readonly mmu: M;
  /** Current privilege level: 3 is user mode, below is supervisor mode. */
  cpl = 0;
  /** Exceptions delivered since the core was made. */
  exceptions = 0;
  private handler: HandlerOf<M> | null = null;

  /** @throws TypeError for anything but a machine */
  constructor(mmu: M) {
    checkKind('Core: mmu', mmu, MACHINE);
    this.mmu = mmu;
  }

  /** Installs the operating system's entry; null removes it, and then every fault ends its access. */
  onException(handler: HandlerOf<M> | null): void {
    this.handler = handler;
  }

  /** Loads 1 to 8 bytes into `mmu.valueLo` and `valueHi`. @returns OK, or the status of a fault not handled. */
  load(hi: number, lo: number, size: number): number {
    for (let tries = 0; ; tries++) {
      const status = this.mmu.read(hi, lo, size, this.as(READ));
      if (status >= 0) return status;
      const end = this.deliver(tries, this.mmu.fault);
      if (end < 0) return end;
    }
  }

  /** Stores 1 to 8 bytes of two words, all or nothing. @returns OK, or the status of a fault not handled. */
  store(hi: number, lo: number, size: number, valueHi: number, valueLo: number): number {
    for (let tries = 0; ; tries++) {
      const status = this.mmu.write(hi, lo, size, valueHi, valueLo, this.as(WRITE));
      if (status >= 0) return status;
      const end = this.deliver(tries, this.mmu.fault);
      if (end < 0) return end;
    }
  }

  /** Fetches 1 to 8 bytes of code into `mmu.valueLo` and `valueHi`. @returns OK, or a status. */
  fetch(hi: number, lo: number, size: number): number {
    for (let tries = 0; ; tries++) {
      const status = this.mmu.fetch(hi, lo, size, this.as(FETCH));
      if (status >= 0) return status;
      const end = this.deliver(tries, this.mmu.fault);
      if (end < 0) return end;
    }
  }

  /**
   * The unsigned value of 1, 2 or 4 bytes at a plain address, a bigint for 8, or `undefined` when the access ended in
   * a fault. Above 2^53 an address is a bigint.
   * @throws RangeError for an address or a size that is none
   */
  peek(address: number | bigint, size: 1 | 2 | 4): number | undefined;
  peek(address: number | bigint, size: 8): bigint | undefined;
  peek(address: number | bigint, size: PlainSize): number | bigint | undefined;
  peek(address: number | bigint, size: PlainSize): number | bigint | undefined {
    this.checkPlain(address, size);
    const status = this.load(highWordOf(address), lowWordOf(address), size);
    if (status < 0) return undefined;
    const { valueHi, valueLo } = this.mmu;
    return size === 8 ? toBigInt(valueHi, valueLo) : valueLo >>> 0;
  }

  /**
   * Stores 1, 2, 4 or 8 bytes at a plain address; false when the access ended in a fault.
   * @throws RangeError for an address or a size that is none, or a value that so many bytes do not hold
   */
  poke(address: number | bigint, size: PlainSize, value: number | bigint): boolean {
    this.checkPlain(address, size);
    checkValue('value', value, size);
    return this.store(highWordOf(address), lowWordOf(address), size, highWordOf(value), lowWordOf(value)) >= 0;
  }

  private checkPlain(address: number | bigint, size: number): void {
    checkPlainAddress('address', address, this.mmu.addressEnd);
    checkChoice('size', size, PLAIN_SIZES);
  }

  private as(access: number): number {
    return this.cpl === 3 ? access | USER : access;
  }

  /** Enters the handler for the fault just raised: OK to make the access again, or the status it ends with. */
  protected deliver(tries: number, fault: FaultRecord): number {
    const exception = fault.take();
    this.mmu.latch(exception);
    if (this.handler === null) return exception.status;
    if (tries >= MOST_RESTARTS) return fault.raise(GAVE_UP, 0, exception.hi, exception.lo);
    this.exceptions++;
    const { cpl } = this;
    this.cpl = 0;
    const restart = this.handler(exception, this);
    this.cpl = cpl;
    return restart ? OK : exception.status;
  }
}
