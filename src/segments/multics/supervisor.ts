/**
 * What the supervisor of Multics keeps: the directory, the segments that each process knows, and its rings' tables.
 * Source: Organick, The Multics System (1972), chapter "Intersegment linking and addressing".
 */

import { EFAULT, EINVAL, ENOENT, ENOMEM } from '../../kernel/abi/errno.js';
import { swapIn } from '../arena/allocation.js';
import type { SegmentKernel } from '../kernel.js';
import type { SegmentProcess } from '../process.js';
import { NamedSegment } from './directory.js';
import type { Directory, SegmentDefinition } from './directory.js';
import { KnownSegment } from './process.js';
import type { MulticsProcess } from './process.js';
import { RINGS } from './rings.js';

const STACK_BYTES = 1024;

/** The selector of segment `number` in every ring of a process: an LDT entry, RPL 3. */
export function selectorOf(number: number): number {
  return (number << 3) | 7;
}

/** The supervisor that every process of a Multics system calls on. */
export class Supervisor {
  readonly directory: Directory = new Map<string, NamedSegment>();
  /** The process, and its ring, by table. */
  readonly owners = new Map<SegmentProcess, MulticsProcess>();
  readonly #storage: SegmentProcess;

  /** @throws RangeError when the kernel has no room for a single table */
  constructor(readonly kernel: SegmentKernel) {
    const storage = kernel.spawn();
    if (typeof storage === 'number') throw new RangeError('no room for the table of the storage system');
    this.#storage = storage;
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

  /** Makes a named segment known: gives it a number in this process. Returns the number, or ENOENT. */
  initiate(process: MulticsProcess, name: string): number {
    const number = process.numberOf(name);
    if (number !== undefined) return number;
    const named = this.directory.get(name);
    if (named === undefined) return ENOENT;
    return this.know(process, this.#storage, named.selector, named, named.brackets);
  }

  /** Enters a segment into the known-segment table under the next number. */
  private know(
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
}
