/**
 * Dynamic linking and rings after Multics, on descriptors that the segmentation unit checks.
 *
 * The processor knows no brackets of eight rings, so each process has one descriptor segment per ring, with the rights
 * of that ring only, and every crossing faults into the gatekeeper: as Multics ran on the GE-645.
 * Source: Organick, The Multics System (1972), chapters "Intersegment linking and addressing", "Access control and
 * protection"; Daley and Dennis, "Virtual Memory, Processes, and Sharing in Multics" (1968).
 */

import { DS } from '../../../hw/x86/segmentation/register.js';
import { EFAULT, EINVAL, ENOENT, ENOMEM } from '../../kernel/abi/errno.js';
import { swapIn } from '../allocation.js';
import type { SegmentKernel } from '../kernel.js';
import type { SegmentProcess } from '../process.js';
import { indexOf } from '../segment-table.js';
import { NamedSegment } from './directory.js';
import type { Directory, SegmentDefinition } from './directory.js';
import { MulticsFaults } from './faults.js';
import { linkageFor, LINK_BYTES } from './linkage.js';
import { KnownSegment, MulticsProcess } from './process.js';
import { RINGS } from './rings.js';

const STACK_BYTES = 1024;

/** The selector of segment `number` in every ring of a process: an LDT entry, RPL 3. */
export function selectorOf(number: number): number {
  return (number << 3) | 7;
}

export class Multics {
  readonly directory: Directory = new Map<string, NamedSegment>();
  /** Which process, and which of its rings, a table belongs to. */
  readonly owners = new Map<SegmentProcess, MulticsProcess>();
  readonly #storage: SegmentProcess;
  readonly #faults: MulticsFaults;

  /** @throws RangeError when the kernel has no room for a single table */
  constructor(readonly kernel: SegmentKernel) {
    const storage = kernel.spawn();
    if (typeof storage === 'number') throw new RangeError('no room for the table of the storage system');
    this.#storage = storage;
    this.#faults = new MulticsFaults(this);
    kernel.intercept = (process, exception) => this.#faults.handle(process, exception);
  }

  /** Puts a segment of zeros into the directory. Returns 0, EINVAL (brackets that do not rise from 0 to 7) or ENOMEM. */
  define(definition: SegmentDefinition): number {
    const [r1, r2, r3] = definition.brackets;
    if (!(r1 >= 0 && r1 <= r2 && r2 <= r3 && r3 < RINGS)) return EINVAL;
    const kind = definition.kind === 'procedure' ? 'code' : 'data';
    const selector = this.kernel.create(this.#storage, { kind, bytes: definition.bytes });
    if (selector < 0) return selector;
    this.directory.set(definition.name, new NamedSegment(definition.name, definition.kind, selector, definition));
    return 0;
  }

  /** A process that runs nothing yet; or ENOMEM. */
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

  /** The procedure that runs calls through its link `link`. Returns 0, ENOENT (no such symbol), ENOMEM or a signal. */
  call(process: MulticsProcess, link: number): number {
    const linkage = linkageFor(this, process);
    if (linkage < 0) return linkage;
    return this.#run(process, () => this.kernel.memory.core.callThrough(selectorOf(linkage), link * LINK_BYTES));
  }

  /** The procedure that runs returns to its caller. */
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

  /** Makes a named segment known: gives it a number in this process. Returns the number, or ENOENT. */
  initiate(process: MulticsProcess, name: string): number {
    const number = process.numberOf(name);
    if (number !== undefined) return number;
    const named = this.directory.get(name);
    if (named === undefined) return ENOENT;
    return this.know(process, this.#storage, named.selector, named, named.brackets);
  }

  /** Enters a segment into the known-segment table under the next number. */
  know(
    process: MulticsProcess,
    holder: SegmentProcess,
    selector: number,
    named: NamedSegment | null,
    brackets: KnownSegment['brackets'],
  ): number {
    const number = process.known.length;
    process.known.push(new KnownSegment(number, holder, selector, named, brackets));
    return number;
  }

  /** A data segment of the process's own for `ring`. Returns its number or ENOMEM. */
  makeOwn(process: MulticsProcess, ring: number, bytes: number): number {
    const selector = this.kernel.create(process.home, { kind: 'data', bytes });
    if (selector < 0) return selector;
    return this.know(process, process.home, selector, null, { r1: ring, r2: ring, r3: ring });
  }

  /** Stores two words into a segment of the process's own, as the supervisor. Returns 0, EFAULT or ENOMEM. */
  writePair(process: MulticsProcess, number: number, offset: number, first: number, second: number): number {
    const known = process.known.at(number);
    const segment = known?.holder.entry(known.selector)?.segment;
    if (segment === undefined || offset < 0) return EFAULT;
    const { memory } = this.kernel;
    const brought = swapIn(memory, segment);
    return brought < 0 ? brought : memory.ram.store64(0, segment.base + offset, second, first);
  }

  /** The descriptor segment of `ring`, with a stack; or ENOMEM. */
  enterRing(process: MulticsProcess, ring: number): SegmentProcess | number {
    const existing = process.rings[ring];
    if (existing !== null) return existing;
    const stack = this.makeOwn(process, ring, STACK_BYTES);
    if (stack < 0) return stack;
    const table = this.kernel.spawn();
    if (typeof table === 'number') return ENOMEM;
    process.rings[ring] = table;
    process.stacks[ring] = { number: stack, pointer: STACK_BYTES };
    this.owners.set(table, process);
    return table;
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

  /** Runs an instruction of the process, and notes where it went. */
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
