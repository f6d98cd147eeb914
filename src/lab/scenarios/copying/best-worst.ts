/** Copy on write at its best, when the child execs at once, and at its worst, when both write everything. */

import { claims } from '../../chapter/words.js';
import { PagedMachine } from '../../paged-machine.js';
import { SegmentMachine } from '../../segment-machine.js';
import type { Lab, Story } from '../../story.js';
import { formatCount, formatShare } from '../../../report/output/units.js';

const MIB = 2 ** 20;
const BYTES = 4 * MIB;
const PAGES = BYTES / 4096;

/** Model cycles of a fork with an exec after it, and nothing more. */
function forkAndExec(): number {
  const machine = new PagedMachine(32 * MIB);
  const { process: parent } = machine.spawnFilled(BYTES);
  machine.restartMeter();
  machine.exec(machine.fork(parent));
  return machine.cost().modelCycles;
}

function paged(worst: boolean): PagedMachine {
  const machine = new PagedMachine(32 * MIB);
  const { process: parent, at } = machine.spawnFilled(BYTES);
  machine.restartMeter();
  const child = machine.fork(parent);
  if (worst) machine.fill(child, at, PAGES, 2);
  else machine.exec(child);
  machine.fill(parent, at, PAGES, 3);
  return machine;
}

function segmented(worst: boolean): SegmentMachine {
  const machine = new SegmentMachine(32 * MIB);
  const { process: parent, data } = machine.spawnWithData(BYTES);
  machine.restartMeter();
  const child = machine.fork(parent);
  if (worst) machine.store(child, data, 0, 2);
  else machine.run((kernel) => kernel.remove(child, data));
  machine.store(parent, data, 0, 3);
  return machine;
}

/** @returns model cycles of it */
function atBest(story: Story): number {
  const good = paged(false);
  story.on(good);
  const best = good.kernel.counters;
  story.bars(
    'Best: the child execs at once. Whatever the parent writes then is its own again.',
    ['the kernel has', 'pages'],
    [
      ['copied', best.framesCopied],
      ['let the last owner re-use', best.reuseFaults],
    ],
    `pages written by the parent: ${formatCount(PAGES)}`,
  );
  story.figure(
    'bestCopies',
    'best: pages copied',
    best.framesCopied,
    claims('Almost no memory copied', best.framesCopied === 0),
    0,
  );
  story.figure(
    'bestCowFaults',
    'best: faults that copy a page',
    best.cowFaults,
    claims('Few or no COW faults', best.cowFaults === 0),
  );
  story.figure(
    'bestReuses',
    'best: faults of the last owner, without a copy',
    best.reuseFaults,
    claims('Most pages are never actually copied if child exec()s quickly', best.reuseFaults === PAGES),
  );
  return good.cost().modelCycles;
}

function atWorst(story: Story, bestCycles: number): PagedMachine {
  const machine = paged(true);
  story.on(machine);
  const worst = machine.kernel.counters;
  story.bars(
    'Worst: child and parent write every page. One of the two needs a copy of each.',
    ['the kernel has', 'pages'],
    [
      ['copied', worst.framesCopied],
      ['let the last owner re-use', worst.reuseFaults],
    ],
    `bytes copied: ${formatCount(worst.bytesCopied)}`,
  );
  story.figure('pages', 'pages of the process', PAGES);
  story.figure(
    'worstCopies',
    'worst: pages copied',
    worst.framesCopied,
    claims('Approaches full-copy cost', worst.framesCopied === PAGES),
    PAGES,
  );
  story.figure(
    'worstCowFaults',
    'worst: faults that copy a page',
    worst.cowFaults,
    claims('Many COW faults', worst.cowFaults === PAGES),
  );
  story.figure('copiesPerPage', 'worst: copies of each page', worst.framesCopied / PAGES, 1);
  const { modelCycles, faults } = machine.cost();
  story.figure(
    'worstTimesBest',
    'worst: model cycles, as a multiple of the best',
    Number((modelCycles / bestCycles).toFixed(2)),
    claims('Each fault has page-fault overhead', faults >= 2 * PAGES && modelCycles > bestCycles),
  );
  const share = forkAndExec() / modelCycles;
  story.figure(
    'forkAndExecShare',
    'fork and exec alone: of the model cycles of the worst case',
    formatShare(share),
    claims('fork() + exec() is nearly free!', share < 0.01),
  );
  return machine;
}

export const bestWorst: Lab = {
  name: 'best-worst',
  title: 'Copy on write at its best and at its worst',
  run(story) {
    const machine = atWorst(story, atBest(story));
    const segments = segmented(true);
    story.on(null);
    const best = segmented(false).kernel.counters.bytesCopied;
    const { bytesCopied: worst, cowFaults } = segments.kernel.counters;
    story.bars(
      'By segments the worst case copies as much with one fault, and the best case nothing, too.',
      ['case', 'bytes copied'],
      [
        ['best', best],
        ['worst', worst],
      ],
      `faults of the worst: ${cowFaults}`,
    );
    story.figure('segmentBestBytes', 'by segments, best: bytes copied', best, 0);
    story.figure('segmentWorstBytes', 'by segments, worst: bytes copied', worst, BYTES);
    story.compare(
      'The worst case: a process with 4 MiB forks, and both write everything.',
      segments.cost(),
      machine.cost(),
    );
  },
};
