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

/** Runs it. @throws FindingError */
export function runBuddy(session: Session, program: BuddyProgram): void {
  const world = new World(program);
  const { first, count, operations } = program;
  const used = new Uint8Array(first + count);
  const blocks = new Map<number, Block>();
  /** Blocks given back, by number: to be given back again. */
  const gone = new Map<number, Block>();

  const isFree = (frame: number, order: number): boolean =>
    frame >= first && frame + 2 ** order <= first + count && !used.subarray(frame, frame + 2 ** order).includes(1);
  const freeBlocks = (order: number): number => {
    let found = 0;
    for (let frame = 0; frame < first + count; frame += 2 ** order) if (isFree(frame, order)) found++;
    return found;
  };

  function allocate(number: number, order: number): void {
    if (blocks.has(number)) return;
    const text = `buddyAllocate(${order})`;
    const frame: unknown = session.call(world, 'buddyAllocate', text, world.kernel, order);
    if (typeof frame !== 'number' || !Number.isInteger(frame)) {
      throw new FindingError('bad answer', `${text} answered ${String(frame)}: the first frame, or -1`);
    }
    if (frame < 0) {
      const words = `${text} found no block, and ${2 ** order} free frames lie together at a multiple of ${2 ** order}`;
      session.expect(freeBlocks(order) === 0, 'bad answer', () => `${words}: were buddies joined?`);
      return;
    }
    session.expect(
      frame % 2 ** order === 0,
      'bad answer',
      () => `${text} answered frame ${frame}, no multiple of ${2 ** order}`,
    );
    session.expect(isFree(frame, order), 'bad answer', () => {
      const inside = frame >= first && frame + 2 ** order <= first + count;
      return `${text} answered frame ${frame}: ${inside ? 'frames of this block are in use' : `outside frames ${first} to ${first + count - 1}`}`;
    });
    used.fill(1, frame, frame + 2 ** order);
    blocks.set(number, { frame, order });
    gone.delete(number);
  }

  function free(number: number): void {
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
    used.fill(0, frame, frame + 2 ** order);
    blocks.delete(number);
    gone.set(number, block);
  }

  // They are the allocator's: it may keep its lists in them.
  world.label = 'the program';
  for (let frame = 2; frame < first + count; frame++) world.kernel.allocate();
  session.line = -1;
  session.call(world, 'buddyInit', `buddyInit(${first}, ${count})`, world.kernel, first, count);
  for (const [line, operation] of operations.entries()) {
    session.line = line;
    if (operation.do === 'allocate') allocate(operation.block, operation.order);
    else free(operation.block);
  }
  session.line = operations.length;
  // With all given back, the largest blocks are whole again.
  for (const number of [...blocks.keys()]) free(number);
  let number = 0;
  for (let order = MOST_ORDER; order >= 0; order--) {
    // Counted before: where nothing is compared, wrong answers must not keep this loop going.
    for (let left = freeBlocks(order); left > 0; left--) allocate(--number, order);
  }
}
