/** Fork and the first writes after it, step by step. */

import { toHex } from '../../../../hw/base/address.js';
import { PagedMachine } from '../../paged-machine.js';
import { SegmentMachine } from '../../segment-machine.js';
import type { Lab, Story } from '../../story.js';

const AT = 0x40_0000;
const SEGMENT_BYTES = 4096;

function paged(story: Story): PagedMachine {
  const machine = new PagedMachine(4 * 2 ** 20);
  story.on(machine);
  const { counters } = machine.kernel;
  const parent = machine.spawn();
  machine.map(parent, 4096, { at: AT });
  machine.store(parent, AT, 42);
  machine.restartMeter();
  story.step('A process has written to a page.', `entry: ${machine.entry(parent, AT)}`);

  const { invlpg } = counters;
  const child = machine.fork(parent);
  const frame = machine.frame(parent, AT);
  story.step(
    'It forks: both entries become read-only, the count of the frame goes up, and the old entry leaves the TLB.',
    `parent: ${machine.entry(parent, AT)}`,
    `child: ${machine.entry(child, AT)}`,
    `entries that map frame ${toHex(frame)}: ${machine.count(frame)}; pages dropped from the TLB: ${counters.invlpg - invlpg}`,
  );
  story.figure('countAfterFork', machine.count(frame), 2);
  story.figure('flushes', counters.invlpg - invlpg, 1);
  const before = machine.dataFrames;

  machine.store(child, AT, 43);
  const fault = machine.lastFault;
  story.step(
    'The child writes. The processor raises a page fault; the region may be written, so the kernel copies the page, and the write is made again.',
    fault,
    `child: ${machine.entry(child, AT)}, reads ${machine.load(child, AT)}`,
    `parent: ${machine.entry(parent, AT)}, reads ${machine.load(parent, AT)}`,
    `bytes copied: ${counters.bytesCopied}; entries that map frame ${toHex(frame)}: ${machine.count(frame)}`,
  );
  story.figure('framesBeforeWrite', before, 1);
  story.figure('framesAfterWrite', machine.dataFrames, 2);

  machine.store(parent, AT, 44);
  story.step(
    'The parent writes. It is the last owner of the old frame: the kernel makes the entry writable, and copies nothing.',
    `parent: ${machine.entry(parent, AT)}, reads ${machine.load(parent, AT)}; child reads ${machine.load(child, AT)}`,
  );
  story.figure('copies', counters.cowFaults, 1);
  story.figure('reuses', counters.reuseFaults, 1);
  return machine;
}

function segmented(story: Story): SegmentMachine {
  const machine = new SegmentMachine(2 ** 20);
  story.on(null);
  const { counters } = machine.kernel;
  const parent = machine.spawn();
  const data = machine.create(parent, 'data', SEGMENT_BYTES, 'data');
  machine.store(parent, data, 0, 42);
  machine.restartMeter();
  const child = machine.fork(parent);
  const protectedAs = machine.descriptor(parent, data);
  machine.store(child, data, 0, 43);
  machine.store(parent, data, 0, 44);
  story.step(
    'By segments the same: descriptors become read-only, the first writer copies the whole segment, the last owner re-uses it.',
    `after fork: ${protectedAs}`,
    `after both writes: parent ${machine.descriptor(parent, data)}, child ${machine.descriptor(child, data)}`,
  );
  story.figure('segmentCopies', counters.cowFaults, 1);
  story.figure('segmentReuses', counters.reuseFaults, 1);
  return machine;
}

export const fork: Lab = {
  name: 'fork',
  title: 'Fork, copy on write, and the last owner',
  run(story) {
    const machine = paged(story);
    story.compare(segmented(story).cost(), machine.cost());
  },
};
