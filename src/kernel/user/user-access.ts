/** Running a process's accesses on the processor, and the entry for its exceptions. */

import { highWord, lowWord, toNumber } from '../../../hw/base/address.js';
import type { Exception } from '../../../hw/base/fault.js';
import type { AddressSpace } from '../space/model.js';
import { pageFault } from '../faults/fault.js';
import type { Memory } from '../space/memory.js';
import { NO_PAGE_FAULT } from '../tables/privileged.js';
import type { Processor } from '../tables/privileged.js';
import { SEGV_MAPERR } from '../abi/signal.js';

export class UserAccess {
  /** The value of the last load or fetch: its low and high word. */
  valueLo = 0;
  valueHi = 0;
  readonly #processor: Processor;
  readonly #memory: Memory;
  #running: AddressSpace | null = null;
  #signal = 0;

  constructor(processor: Processor, memory: Memory) {
    this.#processor = processor;
    this.#memory = memory;
    memory.privileged.startPaging(memory.tlb.idleRoot);
    processor.onException((exception) => this.#enter(exception));
  }

  /** Loads 1 to 8 bytes in user mode. Returns 0 or a signal of signal.ts. */
  load(space: AddressSpace, address: number, size: number): number {
    this.#begin(space);
    return this.#end(this.#processor.load(highWord(address), lowWord(address), size));
  }

  /** Stores 1 to 8 bytes in user mode. Returns 0 or a signal. */
  store(space: AddressSpace, address: number, size: number, valueHi: number, valueLo: number): number {
    this.#begin(space);
    return this.#end(this.#processor.store(highWord(address), lowWord(address), size, valueHi, valueLo));
  }

  /** Fetches 1 to 8 bytes of code in user mode. Returns 0 or a signal. */
  fetch(space: AddressSpace, address: number, size: number): number {
    this.#begin(space);
    return this.#end(this.#processor.fetch(highWord(address), lowWord(address), size));
  }

  #begin(space: AddressSpace): void {
    this.#memory.tlb.load(space);
    this.#running = space;
    this.#signal = 0;
    this.#processor.cpl = 3;
  }

  #end(status: number): number {
    this.#running = null;
    this.#processor.cpl = 0;
    this.valueLo = this.#processor.mmu.valueLo;
    this.valueHi = this.#processor.mmu.valueHi;
    return status >= 0 ? 0 : this.#signal;
  }

  /** The exception entry: true restarts the access. */
  #enter(exception: Exception): boolean {
    const cause = this.#memory.architecture.causeOf(exception);
    if (this.#running === null || cause === NO_PAGE_FAULT) {
      this.#signal = SEGV_MAPERR;
      return false;
    }
    const address = toNumber(exception.hi, exception.lo);
    const { journal } = this.#memory.ram;
    if (journal !== null) this.#memory.label('page fault', [address]);
    const result = pageFault(this.#memory, this.#running, address, cause);
    if (journal !== null) this.#memory.label('');
    this.#signal = Math.min(result, 0);
    if (result < 0) return false;
    this.#memory.privileged.invalidateFaulted(exception.hi, exception.lo);
    return true;
  }
}
