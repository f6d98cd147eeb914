/** Programs of allocations, beside a plain list of the frames in use. */

import { FindingError } from './finding.js';
import type { BuddyProgram } from './program.js';
import type { Session } from './session.js';
import { World } from './world.js';

/** Blocks have 1 to 2^8 frames. */
export const MOST_ORDER = 8;

interface Block {
  readonly frame: number;
  readonly order: number;
}

/** The run of one program. */
class BuddyRun {
  private readonly world: World;
  private readonly first: number;
  /** The frame behind the allocator's last one. */
  private readonly end: number;
  /** By frame: 1 when it is in use. */
  private readonly used: Uint8Array;
  private readonly blocks = new Map<number, Block>();
  /** Blocks given back, by number: to be given back again. */
  private readonly gone = new Map<number, Block>();

  constructor(
    private readonly session: Session,
    private readonly program: BuddyProgram,
  ) {
    this.world = new World(program);
    this.first = program.first;
    this.end = program.first + program.count;
    this.used = new Uint8Array(this.end);
  }

  run(): void {
    const { session, world } = this;
    const { first, count, operations } = this.program;
    // They are the allocator's: it may keep its lists in them.
    world.label = 'the program';
    for (let frame = 2; frame < this.end; frame++) world.kernel.allocate();
    session.line = -1;
    session.call(world, 'buddyInit', `buddyInit(${first}, ${count})`, world.kernel, first, count);
    for (const [line, operation] of operations.entries()) {
      session.line = line;
      if (operation.do === 'allocate') this.allocate(operation.block, operation.order);
      else this.free(operation.block);
    }
    session.line = operations.length;
    this.finish();
  }

  /** With all given back, the largest blocks are whole again. */
  private finish(): void {
    for (const number of [...this.blocks.keys()]) this.free(number);
    let number = 0;
    for (let order = MOST_ORDER; order >= 0; order--) {
      // Counted before: where nothing is compared, wrong answers must not keep this loop going.
      for (let left = this.freeBlocks(order); left > 0; left--) this.allocate(--number, order);
    }
  }

  private isInside(frame: number, order: number): boolean {
    return frame >= this.first && frame + 2 ** order <= this.end;
  }

  private isFree(frame: number, order: number): boolean {
    return this.isInside(frame, order) && !this.used.subarray(frame, frame + 2 ** order).includes(1);
  }

  private freeBlocks(order: number): number {
    let found = 0;
    for (let frame = 0; frame < this.end; frame += 2 ** order) if (this.isFree(frame, order)) found++;
    return found;
  }

  private allocate(number: number, order: number): void {
    const { session, world, blocks } = this;
    if (blocks.has(number)) return;
    const text = `buddyAllocate(${order})`;
    const frame: unknown = session.call(world, 'buddyAllocate', text, world.kernel, order);
    if (typeof frame !== 'number' || !Number.isInteger(frame)) {
      throw new FindingError('bad answer', `${text} answered ${String(frame)}: the first frame, or -1`);
    }
    if (frame < 0) {
      const words = `${text} found no block, and ${2 ** order} free frames lie together at a multiple of ${2 ** order}`;
      session.expect(this.freeBlocks(order) === 0, 'bad answer', () => `${words}: were buddies joined?`);
      return;
    }
    this.checkBlock(text, frame, order);
    this.used.fill(1, frame, frame + 2 ** order);
    blocks.set(number, { frame, order });
    this.gone.delete(number);
  }

  /** Whether a block may be given out: at a multiple of its size, of free frames. */
  private checkBlock(text: string, frame: number, order: number): void {
    const { session } = this;
    session.expect(
      frame % 2 ** order === 0,
      'bad answer',
      () => `${text} answered frame ${frame}, no multiple of ${2 ** order}`,
    );
    session.expect(this.isFree(frame, order), 'bad answer', () => {
      const outside = `outside frames ${this.first} to ${this.end - 1}`;
      return `${text} answered frame ${frame}: ${this.isInside(frame, order) ? 'frames of this block are in use' : outside}`;
    });
  }

  private free(number: number): void {
    const { session, world, blocks, gone } = this;
    const block = blocks.get(number) ?? gone.get(number);
    if (block === undefined) return;
    const { frame, order } = block;
    const text = `buddyFree(${frame}, ${order})`;
    const right = blocks.has(number);
    // A block given back may lie within another one by now, or be allocated anew.
    if (!right && [...blocks.values()].some((other) => other.frame === frame)) return;
    const answer: unknown = session.call(world, 'buddyFree', text, world.kernel, frame, order);
    session.expect(answer === right, 'bad answer', () => {
      return `${text} answered ${String(answer)}, and the block is ${right ? 'allocated: true expected' : 'not allocated: false expected'}`;
    });
    if (!right) return;
    this.used.fill(0, frame, frame + 2 ** order);
    blocks.delete(number);
    gone.set(number, block);
  }
}

/** Runs it. @throws FindingError */
export function runBuddy(session: Session, program: BuddyProgram): void {
  new BuddyRun(session, program).run();
}
