/**
 * Dynamic linking and rings after Multics, on descriptors checked by the segmentation unit.
 *
 * The processor knows no brackets of eight rings, so each process has one descriptor segment per ring, with the rights
 * of that ring only, and every crossing faults into the gatekeeper: as Multics ran on the GE-645.
 * Source: Organick, The Multics System (1972), chapters "Intersegment linking and addressing", "Access control and
 * protection"; Daley and Dennis, "Virtual Memory, Processes, and Sharing in Multics" (1968).
 */

import { DS } from '../../../hw/x86/segmentation/register.js';
import type { SegmentKernel } from '../kernel.js';
import type { SegmentProcess } from '../process.js';
import { indexOf } from '../segment-table.js';
import { MulticsFaults } from './faults.js';
import { linkageFor, LINK_BYTES } from './linkage.js';
import { MulticsProcess } from './process.js';
import { RINGS } from './rings.js';
import { selectorOf, Supervisor } from './supervisor.js';

export class Multics extends Supervisor {
  /** @throws RangeError when the kernel has no room for a single table */
  constructor(kernel: SegmentKernel) {
    super(kernel);
    const faults = new MulticsFaults(this);
    kernel.intercept = (process, exception) => faults.handle(process, exception);
  }

  /** A process without code yet; or ENOMEM. */
  login(): MulticsProcess | number {
    const home = this.kernel.spawn();
    return typeof home === 'number' ? home : new MulticsProcess(home, RINGS);
  }

  /** Begins to execute the named procedure at its start in `ring`. Returns 0, ENOENT, ENOMEM or a signal. */
  start(process: MulticsProcess, name: string, ring: number): number {
    const number = this.initiate(process, name);
    if (number < 0) return number;
    process.ring = ring;
    process.procedure = number;
    process.offset = 0;
    process.gateFrames.length = 0;
    const table = this.enterRing(process, ring);
    return typeof table === 'number' ? table : this.kernel.fetch(table, selectorOf(number), 0, 1);
  }

  /** The running procedure calls through its link `link`. Returns 0, ENOENT (no such symbol), ENOMEM or a signal. */
  call(process: MulticsProcess, link: number): number {
    const linkage = linkageFor(this, process);
    if (linkage < 0) return linkage;
    return this.#run(process, () => this.kernel.memory.core.callThrough(selectorOf(linkage), link * LINK_BYTES));
  }

  /** The running procedure returns to its caller. */
  return(process: MulticsProcess): number {
    return this.#run(process, () => this.kernel.memory.core.farReturn());
  }

  /** Loads a byte as the process would in its ring; see `kernel.valueLo`. Returns 0, ENOENT, ENOMEM or a signal. */
  load(process: MulticsProcess, name: string, offset: number): number {
    return this.#access(process, name, (table, selector) => this.kernel.load(table, selector, offset, 1, DS));
  }

  store(process: MulticsProcess, name: string, offset: number, value: number): number {
    return this.#access(process, name, (table, selector) => this.kernel.store(table, selector, offset, 1, value, DS));
  }

  #access(process: MulticsProcess, name: string, access: (table: SegmentProcess, selector: number) => number): number {
    const number = this.initiate(process, name);
    if (number < 0) return number;
    const table = this.enterRing(process, process.ring);
    return typeof table === 'number' ? table : access(table, selectorOf(number));
  }

  /** Makes the processor run the process where it is: its ring's table, code and stack. Returns 0 or a signal. */
  resume(process: MulticsProcess): number {
    const { kernel } = this;
    const table = this.enterRing(process, process.ring);
    if (typeof table === 'number') return table;
    const code = selectorOf(process.procedure);
    const { core } = kernel.memory;
    if (kernel.memory.loaded !== table.table || core.unit.cs.selector !== code) {
      const entered = kernel.fetch(table, code, process.offset, 1);
      if (entered < 0) return entered;
    }
    kernel.switchTo(table);
    const stack = process.stacks[process.ring];
    core.setStack(selectorOf(stack.number), stack.pointer);
    return 0;
  }

  /** Runs an instruction of the process, and notes its new place. */
  #run(process: MulticsProcess, instruction: () => number): number {
    const resumed = this.resume(process);
    if (resumed < 0) return resumed;
    const { core } = this.kernel.memory;
    const result = this.kernel.finish(instruction());
    if (result < 0) return result;
    process.procedure = indexOf(core.unit.cs.selector);
    process.offset = core.unit.ipLo;
    process.stacks[process.ring].pointer = core.unit.spLo;
    return 0;
  }

  /** Ends the process; named segments stay. */
  logout(process: MulticsProcess): void {
    for (const table of process.rings) {
      if (table === null) continue;
      this.owners.delete(table);
      this.kernel.exit(table);
    }
    this.kernel.exit(process.home);
  }
}
