/** Fork and the first writes after it, step by step. */

import { toHex } from '../../../../hw/base/address.js';
import type { Process } from '../../../kernel/space/process.js';
import { claims } from '../../chapter/words.js';
import { PagedMachine } from '../../paged-machine.js';
import { SegmentMachine } from '../../segment-machine.js';
import type { Lab, Story } from '../../story.js';

const AT = 0x40_0000;
const SEGMENT_BYTES = 4096;

/** The process forks: what the entries, the count of the frame and the TLB are then. */
function forked(story: Story, machine: PagedMachine, parent: Process): Process {
  const { counters } = machine.kernel;
  const { invlpg } = counters;
  let child = parent;
  const instructions = machine.executed(() => {
    child = machine.fork(parent);
  });
  const frame = machine.frame(parent, AT);
  story.step(
    'It forks: both entries become read-only, the count of the frame goes up, and the old entry leaves the TLB.',
    `parent: ${machine.entry(parent, AT)}`,
    `child: ${machine.entry(child, AT)}`,
    `entries that map frame ${toHex(frame)}: ${machine.count(frame)}; pages dropped from the TLB: ${counters.invlpg - invlpg}`,
    `executed: ${instructions.join(', ')}`,
  );
  story.maps(machine.mapping('parent', parent, AT), machine.mapping('child', child, AT));
  story.why(
    'Both may write their memory, and both entries are read-only: the right of the region stays, and only the entry is taken back, so that the first write reaches the kernel.',
  );
  const readOnly = [parent, child].every((process) => machine.entry(process, AT).endsWith('read-only'));
  story.figure(
    'readOnlyInBoth',
    'both entries are read-only after fork',
    readOnly,
    claims('Mark all writable pages as read-only + COW flag', readOnly),
  );
  const same = machine.frame(child, AT) === frame;
  story.figure('sameFrame', 'both lead to one frame', same, claims('Both point to SAME physical frame!', same));
  story.figure(
    'countAfterFork',
    'entries that map the frame after fork',
    machine.count(frame),
    claims('Increment reference count for this frame frame_ref_count[pte.frame]++', machine.count(frame) === 2),
    2,
  );
  story.figure(
    'flushes',
    'pages dropped from the TLB by fork',
    counters.invlpg - invlpg,
    claims('Flush TLB entries for affected pages', counters.invlpg > invlpg),
    1,
  );
  return child;
}

/** The child writes: a fault, and a copy of the page for it alone. */
function copied(story: Story, machine: PagedMachine, parent: Process, child: Process): void {
  const frame = machine.frame(parent, AT);
  const before = machine.dataFrames;
  machine.store(child, AT, 43);
  const fault = machine.lastFault;
  story.step(
    'The child writes. The processor raises a page fault; the region may be written, so the kernel copies the page, and the write is made again.',
    fault,
    `child: ${machine.entry(child, AT)}, reads ${machine.load(child, AT)}`,
    `parent: ${machine.entry(parent, AT)}, reads ${machine.load(parent, AT)}`,
    `bytes copied: ${machine.kernel.counters.bytesCopied}; entries that map frame ${toHex(frame)}: ${machine.count(frame)}`,
  );
  story.maps(machine.mapping('parent', parent, AT), machine.mapping('child', child, AT));
  const [left, restarted] = [machine.count(frame), machine.load(child, AT) === 43];
  story.figure(
    'countAfterWrite',
    'entries that map the old frame after the write',
    left,
    claims('frame_ref_count[old_frame]--', left === 1),
    1,
  );
  story.figure(
    'restarted',
    'the write is made again, and succeeds',
    restarted,
    claims('Restart the faulting instruction', restarted),
  );
  story.figure(
    'framesBeforeWrite',
    'frames of data before the write',
    before,
    claims('Copy page table structure (NOT the actual pages)', before === 1),
    1,
  );
  story.figure('framesAfterWrite', 'frames of data after it', machine.dataFrames, 2);
}

/** The parent writes as the last owner: nothing is copied. */
function reused(story: Story, machine: PagedMachine, parent: Process, child: Process): void {
  const { counters } = machine.kernel;
  machine.store(parent, AT, 44);
  story.step(
    'The parent writes. It is the last owner of the old frame: the kernel makes the entry writable, and copies nothing.',
    `parent: ${machine.entry(parent, AT)}, reads ${machine.load(parent, AT)}; child reads ${machine.load(child, AT)}`,
  );
  story.maps(machine.mapping('parent', parent, AT), machine.mapping('child', child, AT));
  story.figure(
    'copies',
    'write faults that copied the page',
    counters.cowFaults,
    claims('Multiple users - must copy', counters.cowFaults === 1),
    1,
  );
  story.figure(
    'reuses',
    'write faults of the last owner, without a copy',
    counters.reuseFaults,
    claims("We're the only user - no copy needed!", counters.reuseFaults === 1),
    1,
  );
}

function paged(story: Story): PagedMachine {
  const machine = new PagedMachine(4 * 2 ** 20, story);
  story.on(machine);
  const parent = machine.spawn();
  machine.map(parent, 4096, { at: AT });
  machine.store(parent, AT, 42);
  machine.restartMeter();
  story.step('A process has written to a page.', `entry: ${machine.entry(parent, AT)}`, `its tables: ${machine.root}`);
  story.maps(machine.mapping('parent', parent, AT));
  const child = forked(story, machine, parent);
  copied(story, machine, parent, child);
  reused(story, machine, parent, child);
  return machine;
}

function segmented(story: Story): SegmentMachine {
  const machine = new SegmentMachine(2 ** 20);
  story.on(null);
  const { counters } = machine.kernel;
  const { process: parent, data } = machine.spawnWithData(SEGMENT_BYTES, 42);
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
  story.maps(machine.mapping('parent', parent, data), machine.mapping('child', child, data));
  story.figure('segmentCopies', 'by segments: faults that copied', counters.cowFaults, 1);
  story.figure('segmentReuses', 'by segments: faults of the last owner', counters.reuseFaults, 1);
  return machine;
}

export const fork: Lab = {
  name: 'fork',
  title: 'Fork, copy on write, and the last owner',
  everywhere: true,
  run(story) {
    const machine = paged(story);
    story.compare(
      'A process with 4 KiB of data forks; the child writes, then the parent.',
      segmented(story).cost(),
      machine.cost(),
    );
  },
};
