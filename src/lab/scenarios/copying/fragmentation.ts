/** A copy fails although enough memory is free; and the four ends of such an allocation. */

import { errnoName } from '../../../kernel/abi/errno.js';
import { must } from '../../../kernel/abi/must.js';
import { externalFragmentation, largestHole } from '../../../segments/arena/arena.js';
import type { SegmentProcess } from '../../../segments/process.js';
import { useArena } from '../../arena-use.js';
import { claims, says } from '../../chapter/words.js';
import { PagedMachine } from '../../paged-machine.js';
import { SegmentMachine } from '../../segment-machine.js';
import type { Lab, Story } from '../../story.js';
import { formatCount, formatShare } from '../../../report/output/units.js';

const KIB = 1024;
const ARENA = 256 * KIB;
const SHARED_BYTES = 48 * KIB;
const PIECE = 16 * KIB;
/** Sharers of the segment in the measured move. */
const SHARERS = 8;

interface Scene {
  readonly machine: SegmentMachine;
  readonly parent: SegmentProcess;
  readonly child: SegmentProcess;
  readonly data: number;
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
  machine.restartMeter();
  return { machine, parent, child, data };
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
  story.figure(`${key}Audit`, `${key}: problems found by the audit`, machine.kernel.audit().length, 0);
  return status;
}

/** Too many small holes: seen, and then ended by compaction. */
function compactedExit(story: Story): Scene {
  const compacted = scene(0);
  const { arena } = compacted.machine.kernel.memory;
  story.draw(
    'The same write in a fragmented arena: no hole is large enough, although far more is free.',
    compacted.machine.drawing,
    `needed: ${formatCount(SHARED_BYTES)} bytes; free: ${formatCount(arena.free)}; largest hole: ${formatCount(largestHole(arena))}`,
    `external fragmentation: ${formatShare(externalFragmentation(arena))}`,
  );
  const scattered = arena.free >= SHARED_BYTES && largestHole(arena) < SHARED_BYTES;
  story.figure(
    'neededBytes',
    'bytes needed in one piece',
    SHARED_BYTES,
    claims('Must find contiguous hole for copied segment', scattered),
  );
  story.figure('freeBytes', 'bytes free', arena.free);
  const contiguous = claims('Need contiguous memory for new segment!', largestHole(arena) < SHARED_BYTES);
  story.figure('largestHole', 'bytes of the largest hole', largestHole(arena), contiguous);
  story.figure(
    'enoughButScattered',
    'enough is free, but in no hole',
    scattered,
    claims('External fragmentation may block COW', scattered),
    true,
  );
  writeByChild(
    story,
    compacted,
    'Second exit: compaction slides the segments together, and the copy succeeds.',
    'compaction',
  );
  const { compactions } = compacted.machine.kernel.counters;
  story.figure(
    'compactions',
    'compactions in the middle of the write',
    compactions,
    claims('May require compaction mid-operation', compactions === 1),
    1,
  );
  return compacted;
}

function exits(story: Story): SegmentMachine {
  const easy = scene(Infinity);
  easy.machine.run((kernel) => kernel.compact());
  writeByChild(story, easy, 'First exit: a hole is large enough, and the copy just succeeds.', 'direct');
  story.figure('directCopies', 'direct: segments copied', easy.machine.kernel.counters.segmentsCopied, 1);

  const compacted = compactedExit(story);
  const { compactions } = compacted.machine.kernel.counters;

  const swapped = scene(Infinity);
  occupy(swapped, PIECE);
  writeByChild(story, swapped, 'Third exit: too little is free; segments are swapped out until the copy fits.', 'swap');
  story.figure('swapOuts', 'segments swapped out', swapped.machine.kernel.counters.swapOuts);

  const failed = scene(0);
  occupy(failed, PIECE);
  const status = writeByChild(
    story,
    failed,
    'Fourth exit: nothing can be swapped out. The write fails, and nothing is lost.',
    'failure',
  );
  const ways = [
    compactions === 1,
    swapped.machine.kernel.counters.swapOuts > 0,
    failed.machine.kernel.counters.segmentsCopied === 0,
  ];
  const tried = ways.filter((way) => way).length;
  story.figure(
    'ways',
    'ways out of it that were taken: compaction, swapping, failure',
    tried,
    claims('Options: compaction, swap out other segments, or fail', tried === ways.length),
    ways.length,
  );
  story.figure(
    'failure',
    'result of the write when nothing helps',
    status < 0 ? 'ALLOCATION_FAILED' : 'none',
    says('return ALLOCATION_FAILED', 'ALLOCATION_FAILED'),
  );
  return compacted.machine;
}

/** Descriptors to be written when a segment with eight sharers moves. */
function descriptorsPerMove(master: boolean): number {
  const machine = new SegmentMachine(2 ** 20);
  const owner = machine.spawn();
  const below = machine.create(owner, 'data', PIECE, 'below');
  const local = machine.create(owner, 'data', PIECE, 'shared');
  const shared = master ? must(machine.kernel.publish(owner, local)) : local;
  for (let i = 1; i < SHARERS; i++) machine.share(owner, shared, machine.spawn());
  machine.run((kernel) => kernel.remove(owner, below));
  const { counters } = machine.kernel;
  const before = counters.descriptorsWritten;
  machine.run((kernel) => kernel.compact());
  return counters.descriptorsWritten - before;
}

function arenasInUse(story: Story): void {
  const fits = ['first', 'best', 'next', 'worst', 'buddy'] as const;
  const uses = fits.map(useArena);
  story.table("Knuth's fifty-percent rule: in the long run there are about half as many holes as segments.", {
    head: ['fit', 'holes for each segment'],
    rows: fits.map((fit, i) => [fit, uses[i].holesPerSegment.toFixed(2)]),
    bars: uses.map(({ holesPerSegment }) => holesPerSegment),
  });
  story.table(
    'What a fit wastes: inside of segments, where room comes in units, and between them, in holes other than the largest.',
    {
      head: ['fit', "inside, of the segments' room", 'between, of the free bytes'],
      rows: fits.map((fit, i) => [fit, formatShare(uses[i].inside), formatShare(uses[i].between)]),
    },
  );
  const [first, , , , buddy] = uses;
  story.figure('holesPerSegment', 'first fit: holes for each segment', Number(first.holesPerSegment.toFixed(3)));
  story.figure('fiftyPercentRule', 'first fit: about one half', Math.abs(first.holesPerSegment - 0.5) < 0.1, true);
  story.figure('insideFirstFit', 'first fit: wasted inside of segments', formatShare(first.inside));
  story.figure('insideBuddy', 'buddy: wasted inside of segments', formatShare(buddy.inside));
}

function movingShared(story: Story): void {
  const [each, one] = [descriptorsPerMove(false), descriptorsPerMove(true)];
  story.bars(
    `Moving a segment that ${SHARERS} processes share: each has a descriptor to be written again, unless all use one master descriptor, as on Burroughs machines.`,
    ['the processes have', 'descriptors written'],
    [
      ['a descriptor each', each],
      ['one master descriptor', one],
    ],
  );
  story.figure('descriptorsPerMove', 'descriptors written when a shared segment moves', each, SHARERS);
  story.figure('descriptorsPerMoveWithMaster', 'the same with a master descriptor', one, 1);
}

/** The same situation in pages: any free frame serves. */
function paged(): PagedMachine {
  const machine = new PagedMachine(4 * 2 ** 20);
  const { process: parent, at } = machine.spawnFilled(SHARED_BYTES);
  const child = machine.fork(parent);
  machine.restartMeter();
  machine.store(child, at, 43);
  return machine;
}

export const fragmentation: Lab = {
  name: 'fragmentation',
  title: 'A copy that finds no room, and what the kernel does',
  run(story) {
    const machine = exits(story);
    arenasInUse(story);
    movingShared(story);
    const pages = paged();
    story.on(pages);
    const taken = pages.kernel.counters.framesCopied;
    story.figure(
      'frameFound',
      'by page: frames taken for the same write',
      taken,
      claims('any free frame works', taken === 1),
      1,
    );
    story.compare(
      'A child writes one byte of 48 KB shared by fork; in the fragmented arena (second exit), and in pages.',
      machine.cost(),
      pages.cost(),
    );
  },
};
