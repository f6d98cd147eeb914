/** A copy that fails although enough memory is free, and the four ways such an allocation can end. */

import { Random } from '../../../hw/random.js';
import { errnoName } from '../../kernel/errno.js';
import type { Fit } from '../../segments/arena.js';
import { externalFragmentation, HoleArena, largestHole } from '../../segments/arena.js';
import type { SegmentProcess } from '../../segments/process.js';
import { PagedMachine } from '../paged-machine.js';
import { SegmentMachine } from '../segment-machine.js';
import type { Lab, Story } from '../story.js';
import { formatCount, formatShare } from '../../report/units.js';

const KIB = 1024;
const ARENA = 256 * KIB;
const SHARED_BYTES = 48 * KIB;
const PIECE = 16 * KIB;
/** The fifty-percent rule: how long the arena is used before and while holes are counted. */
const WARM_UP = 20_000;
const MEASURED = 40_000;

interface Scene {
  readonly machine: SegmentMachine;
  readonly parent: SegmentProcess;
  readonly child: SegmentProcess;
  readonly data: number;
  /** What is left of the small segments, every second one. */
  readonly rest: readonly number[];
}

/** An arena full of small segments, every second one removed, and a forked process with a larger segment. */
function scene(swapBytes: number): Scene {
  const machine = new SegmentMachine(ARENA, { swapBytes });
  const parent = machine.spawn();
  const data = machine.create(parent, 'data', SHARED_BYTES, 'D');
  machine.store(parent, data, 0, 42);
  const other = machine.spawn();
  const count = (ARENA - SHARED_BYTES) / PIECE;
  const small = Array.from({ length: count }, (_, i) =>
    machine.create(other, 'data', PIECE, String.fromCharCode(97 + i)),
  );
  small.forEach((selector, i) => machine.store(other, selector, 0, i + 1));
  const child = machine.fork(parent);
  small.filter((_, i) => i % 2 === 1).forEach((selector) => machine.run((kernel) => kernel.remove(other, selector)));
  return { machine, parent, child, data, rest: small };
}

/** Creates segments until less than `left` bytes of the arena are free. */
function occupy({ machine, parent }: Scene, left: number): void {
  const { arena } = machine.kernel.memory;
  while (arena.free - PIECE >= left) machine.create(parent, 'data', PIECE, '+');
}

function writeByChild(story: Story, at: Scene, text: string, key: string): number {
  const { machine, child, data, parent } = at;
  const { counters } = machine.kernel;
  const { segmentsMoved, swapOuts } = counters;
  const status = machine.store(child, data, 0, 43);
  story.draw(
    text,
    machine.drawing,
    `the write: ${status === 0 ? 'done' : `ALLOCATION_FAILED (${errnoName(status)})`}`,
    `segments moved: ${counters.segmentsMoved - segmentsMoved}, swapped out: ${counters.swapOuts - swapOuts}`,
    `parent reads ${machine.load(parent, data, 0)}, child ${machine.load(child, data, 0)}; audit: ${machine.kernel.audit().length} problems`,
  );
  story.figure(`${key}Audit`, machine.kernel.audit().length, 0);
  return status;
}

function exits(story: Story): SegmentMachine {
  const easy = scene(Infinity);
  easy.machine.run((kernel) => kernel.compact());
  writeByChild(story, easy, 'First exit: a hole is large enough, and the copy just succeeds.', 'direct');
  story.figure('directCopies', easy.machine.kernel.counters.segmentsCopied, 1);

  const compacted = scene(0);
  const { arena } = compacted.machine.kernel.memory;
  story.draw(
    'The same write in a fragmented arena: no hole is large enough, although far more is free.',
    compacted.machine.drawing,
    `needed: ${formatCount(SHARED_BYTES)} bytes; free: ${formatCount(arena.free)}; largest hole: ${formatCount(largestHole(arena))}`,
    `external fragmentation: ${formatShare(externalFragmentation(arena))}`,
  );
  story.figure('neededBytes', SHARED_BYTES);
  story.figure('freeBytes', arena.free);
  story.figure('largestHole', largestHole(arena));
  story.figure('enoughButScattered', arena.free >= SHARED_BYTES && largestHole(arena) < SHARED_BYTES, true);
  writeByChild(
    story,
    compacted,
    'Second exit: compaction slides the segments together, and the copy succeeds.',
    'compaction',
  );
  story.figure('compactions', compacted.machine.kernel.counters.compactions, 1);

  const swapped = scene(Infinity);
  occupy(swapped, PIECE);
  writeByChild(story, swapped, 'Third exit: too little is free; segments are swapped out until the copy fits.', 'swap');
  story.figure('swapOuts', swapped.machine.kernel.counters.swapOuts);

  const failed = scene(0);
  occupy(failed, PIECE);
  const status = writeByChild(
    story,
    failed,
    'Fourth exit: nothing can be swapped out. The write fails, and nothing is lost.',
    'failure',
  );
  story.figure('failure', status < 0 ? 'ALLOCATION_FAILED' : 'none', 'ALLOCATION_FAILED');
  return compacted.machine;
}

/** Holes for each segment, in an arena that is used at random for a long time. */
function holesPerSegment(fit: Fit): number {
  const random = new Random(1);
  const arena = new HoleArena(0x1000, 2 ** 20, fit);
  const live: { base: number; room: number }[] = [];
  let holes = 0;
  let segments = 0;
  for (let step = 0; step < WARM_UP + MEASURED; step++) {
    // Sizes seldom fit a hole exactly, which the rule assumes.
    const room = arena.roomFor(16 * (1 + random.below(512)));
    const grow = arena.free > arena.bytes / 4;
    const base = grow ? arena.allocate(room) : -1;
    if (base >= 0) live.push({ base, room });
    else {
      const [gone] = live.splice(random.below(live.length), 1);
      arena.release(gone.base, gone.room);
    }
    if (step < WARM_UP) continue;
    holes += arena.holes.length;
    segments += live.length;
  }
  return holes / segments;
}

/** The same situation in pages: any free frame serves. */
function paged(): PagedMachine {
  const machine = new PagedMachine(4 * 2 ** 20);
  const parent = machine.spawn();
  const at = machine.map(parent, SHARED_BYTES);
  machine.fill(parent, at, SHARED_BYTES / 4096);
  machine.store(machine.fork(parent), at, 43);
  return machine;
}

export const fragmentation: Lab = {
  name: 'fragmentation',
  title: 'A copy that finds no room, and what the kernel does',
  run(story) {
    const machine = exits(story);
    const fits: readonly Fit[] = ['first', 'best', 'next', 'worst'];
    const ratios = fits.map(holesPerSegment);
    story.step(
      "Knuth's fifty-percent rule: in the long run there are about half as many holes as segments.",
      ...fits.map((fit, i) => `${fit} fit: ${ratios[i].toFixed(2)} holes for each segment`),
    );
    story.figure('holesPerSegment', Math.round(ratios[0] * 100) / 100);
    story.figure('fiftyPercentRule', Math.abs(ratios[0] - 0.5) < 0.1, true);
    story.compare(machine.cost(), paged().cost());
  },
};
