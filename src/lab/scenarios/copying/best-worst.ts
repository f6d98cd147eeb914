/** Copy on write at its best, when the child execs at once, and at its worst, when both write everything. */

import { PagedMachine } from '../../paged-machine.js';
import { SegmentMachine } from '../../segment-machine.js';
import type { Lab } from '../../story.js';
import { formatCount } from '../../../report/output/units.js';

const MIB = 2 ** 20;
const BYTES = 4 * MIB;
const PAGES = BYTES / 4096;

function paged(worst: boolean): PagedMachine {
  const machine = new PagedMachine(32 * MIB);
  const parent = machine.spawn();
  const at = machine.map(parent, BYTES);
  machine.fill(parent, at, PAGES);
  machine.restartMeter();
  const child = machine.fork(parent);
  if (worst) machine.fill(child, at, PAGES, 2);
  else machine.exec(child);
  machine.fill(parent, at, PAGES, 3);
  return machine;
}

function segmented(worst: boolean): SegmentMachine {
  const machine = new SegmentMachine(32 * MIB);
  const parent = machine.spawn();
  const data = machine.create(parent, 'data', BYTES, 'data');
  machine.store(parent, data, 0, 1);
  machine.restartMeter();
  const child = machine.fork(parent);
  if (worst) machine.store(child, data, 0, 2);
  else machine.run((kernel) => kernel.remove(child, data));
  machine.store(parent, data, 0, 3);
  return machine;
}

export const bestWorst: Lab = {
  name: 'best-worst',
  title: 'Copy on write at its best and at its worst',
  run(story) {
    const good = paged(false);
    story.on(good);
    const best = good.kernel.counters;
    story.step(
      'Best: the child execs at once. Whatever the parent writes then is its own again.',
      `${formatCount(PAGES)} pages written by the parent: ${best.framesCopied} copied, ${formatCount(best.reuseFaults)} re-used`,
    );
    story.figure('bestCopies', best.framesCopied, 0);
    const machine = paged(true);
    story.on(machine);
    const worst = machine.kernel.counters;
    story.step(
      'Worst: child and parent write every page. One of the two needs a copy of each.',
      `${formatCount(worst.framesCopied)} pages copied, ${formatCount(worst.bytesCopied)} bytes; ${formatCount(worst.reuseFaults)} re-used`,
    );
    story.figure('pages', PAGES);
    story.figure('worstCopies', worst.framesCopied, PAGES);
    story.figure('copiesPerPage', worst.framesCopied / PAGES, 1);
    const segments = segmented(true);
    story.on(null);
    story.step(
      'By segments the worst case copies as much with one fault, and the best case nothing, too.',
      `worst: ${formatCount(segments.kernel.counters.bytesCopied)} bytes in ${segments.kernel.counters.cowFaults} fault`,
      `best: ${segmented(false).kernel.counters.bytesCopied} bytes`,
    );
    story.figure('segmentBestBytes', segmented(false).kernel.counters.bytesCopied, 0);
    story.figure('segmentWorstBytes', segments.kernel.counters.bytesCopied, BYTES);
    story.compare(segments.cost(), machine.cost());
  },
};
