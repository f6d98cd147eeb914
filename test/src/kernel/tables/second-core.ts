/** A second core of a kernel. It makes accesses between any two stores of the kernel, as a core that runs at once may. */

import { USER, WRITE } from '../../../../hw/base/access.js';
import { highWord, lowWord } from '../../../../hw/base/address.js';
import { Random } from '../../../../hw/base/random.js';
import type { HeldEntry } from '../../../../hw/tlb/events.js';
import { Mmu } from '../../../../hw/x86/mmu.js';
import type { Kernel } from '../../../../src/kernel/kernel.js';
import type { Process } from '../../../../src/kernel/space/process.js';
import { X86 } from '../../../../src/kernel/tables/machine-x86.js';
import { TlbBatch } from '../../../../src/kernel/tables/tlb-batch.js';

const PAGE = 4096;

/** Tells when an invalidation is about to be made: until then the old entries are of use. */
class ToldMmu extends Mmu {
  beforeDrop: () => void = () => undefined;

  override invlpg(hi: number, lo: number): void {
    this.beforeDrop();
    super.invlpg(hi, lo);
  }

  override writeCr3(hi: number, lo: number): number {
    this.beforeDrop();
    return super.writeCr3(hi, lo);
  }
}

const keyOf = ({ where, holds, hi, lo, shift, space }: HeldEntry): string =>
  [where, holds, hi, lo, shift, space].join();

export class SecondCore {
  /** What was wrong: frames freed though an entry of this core leads there. */
  readonly reachable: string[] = [];
  /** The last value written to each page of a process, by its address. */
  readonly written = new Map<Process, Map<number, number>>();
  /** The entries of TLBs and walk caches, and their frames. */
  readonly #held = new Map<string, HeldEntry>();
  readonly #kernel: Kernel;
  readonly #mmu: ToldMmu;
  readonly #batch: TlbBatch;
  readonly #random: Random;
  #process: Process | null = null;
  #values = 1;
  /** At work already: its own stores make no turn. */
  #busy = false;

  /** It makes `accesses` to random pages of `[start, start + bytes)` at each turn. */
  constructor(
    kernel: Kernel,
    seed: number,
    readonly start: number,
    readonly bytes: number,
    readonly accesses: number,
  ) {
    const { memory } = kernel;
    this.#kernel = kernel;
    this.#random = new Random(seed);
    this.#mmu = new ToldMmu({ ram: memory.ram });
    const operations = X86.operationsOf(this.#mmu);
    operations.startPaging(memory.tlb.idleRoot);
    this.#batch = new TlbBatch(operations, memory.frames, memory.counters, memory.tlb.idleRoot, memory.cores);
    this.#mmu.listen((event) => {
      if (event.kind === 'fill') this.#held.set(keyOf(event), event);
      else if (event.kind === 'drop') this.#held.delete(keyOf(event));
    });
    this.#mmu.beforeDrop = () => {
      this.work();
    };
    memory.ram.keepJournal().listen(() => {
      this.work();
    });
    const release = memory.frames.release.bind(memory.frames);
    memory.frames.release = (head) => {
      this.#check(head);
      release(head);
    };
  }

  /** Goes on with a process. */
  run(process: Process): void {
    if (process.space === null) return;
    this.#batch.load(process.space);
    this.#process = process;
    if (!this.written.has(process)) this.written.set(process, new Map());
  }

  /** One turn: a write of a new value where there is the right to, else a read. */
  work(): void {
    const written = this.#process === null ? undefined : this.written.get(this.#process);
    if (this.#busy || written === undefined || this.#batch.loaded === null) return;
    this.#busy = true;
    for (let i = 0; i < this.accesses; i++) {
      const address = this.start + this.#random.below(this.bytes / PAGE) * PAGE;
      const [hi, lo] = [highWord(address), lowWord(address)];
      const value = this.#values++;
      if (this.#mmu.write(hi, lo, 4, 0, value, USER | WRITE) >= 0) written.set(address, value);
      else this.#mmu.read(hi, lo, 4, USER);
    }
    this.#busy = false;
  }

  /** Does `work` while this core rests. */
  apart<T>(work: () => T): T {
    this.#busy = true;
    try {
      return work();
    } finally {
      this.#busy = false;
    }
  }

  #check(head: number): void {
    const end = head + 2 ** this.#kernel.memory.frames.order[head];
    for (const { where, holds, frame, shift } of this.#held.values()) {
      const last = holds === 'table' ? frame : frame + 2 ** (shift - 12) - 1;
      if (frame < end && last >= head)
        this.reachable.push(`frame ${head} is freed, and the ${where} holds ${holds} ${frame}`);
    }
  }
}
