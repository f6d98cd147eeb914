/** Sharing some pages of a region, and why a segment cannot. */

import { claims } from '../../chapter/words.js';
import { SegmentMachine } from '../../segment-machine.js';
import { PagedMachine } from '../../paged-machine.js';
import type { Lab, Story } from '../../story.js';

const PAGES = 8;
const SHARED = [2, 3, 4];
const AT = 0x1000_0000;

function paged(story: Story): PagedMachine {
  const machine = new PagedMachine(16 * 2 ** 20);
  story.on(machine);
  const [a, b] = [machine.spawn(), machine.spawn()];
  const common = machine.kernel.files.open('common', 'shmem');
  machine.kernel.files.truncate(common, SHARED.length * 4096);
  for (const process of [a, b]) {
    const start = AT + SHARED[0] * 4096;
    const end = start + SHARED.length * 4096;
    machine.map(process, start - AT, { at: AT });
    machine.map(process, SHARED.length * 4096, { at: start, shared: true, file: common });
    machine.map(process, AT + PAGES * 4096 - end, { at: end });
    machine.fill(process, AT, PAGES, process.pid);
  }
  const same = Array.from({ length: PAGES }, (_, page) => {
    return machine.frame(a, AT + page * 4096) === machine.frame(b, AT + page * 4096);
  });
  story.table(
    `Both processes see ${PAGES} pages in a row; pages ${SHARED.join(', ')} are the same frames, the others are their own.`,
    {
      head: ['page', 'entry in A', 'entry in B', 'the frame is'],
      rows: same.map((shared, page) => {
        const at = AT + page * 4096;
        return [String(page), machine.entry(a, at), machine.entry(b, at), shared ? 'shared' : 'its own'];
      }),
    },
  );
  const shared = same.filter((one) => one).length;
  story.figure(
    'sharedPages',
    'pages of the region that are shared',
    shared,
    claims('Could share only some pages of a region if desired', shared > 0 && shared < PAGES),
    SHARED.length,
  );
  story.figure(
    'privatePages',
    'pages of it that are not',
    PAGES - shared,
    claims('But allows partial sharing (not all-or-nothing)', shared > 0 && shared < PAGES),
    PAGES - SHARED.length,
  );
  return machine;
}

/** A process takes the right to write from one page of a region: the others keep theirs. */
function independent(story: Story): void {
  const machine = new PagedMachine(16 * 2 ** 20);
  story.on(machine);
  const process = machine.spawn();
  machine.map(process, PAGES * 4096, { at: AT });
  machine.fill(process, AT, PAGES);
  const entries = (): string[] => Array.from({ length: PAGES }, (_, page) => machine.entry(process, AT + page * 4096));
  const before = entries();
  machine.protect(process, AT, 4096, 'r--');
  const after = entries();
  story.step(
    'Rights are as free as frames: a process takes the right to write from page 0, and the others stay as they are.',
    `page 0: ${after[0]}`,
    `page 1: ${after[1]}`,
  );
  story.maps(...[0, 1, 2].map((page) => machine.mapping(`page ${page}`, process, AT + page * 4096)));
  const changed = after.filter((entry, page) => entry !== before[page]).length;
  const alone = changed === 1;
  story.figure(
    'changedEntries',
    'entries changed to take a right from one page',
    changed,
    claims('Each page independently controlled', alone),
    1,
  );
}

function segmented(story: Story): SegmentMachine {
  const machine = new SegmentMachine(2 ** 20);
  story.on(null);
  const [a, b] = [machine.spawn(), machine.spawn()];
  const whole = machine.create(a, 'data', PAGES * 4096, 'region A');
  const inB = machine.share(a, whole, b);
  machine.store(a, whole, 0, 1);
  const leaked = machine.load(b, inB, 0);
  story.step(
    'A segment has one base, one limit and one set of rights: whoever has the descriptor has all of it.',
    `A writes 1 into page 0, which should be its own, and B reads ${leaked}`,
  );
  story.maps(machine.mapping('A', a, whole), machine.mapping('B', b, inB));
  machine.run((kernel) => kernel.remove(b, inB));
  const pieces = [SHARED[0], SHARED.length, PAGES - SHARED[0] - SHARED.length];
  const [, middle] = pieces.map((pages, i) => machine.create(a, 'data', pages * 4096, `piece ${i}`));
  machine.create(b, 'data', pieces[0] * 4096, 'B 0');
  const middleInB = machine.share(a, middle, b);
  machine.create(b, 'data', pieces[2] * 4096, 'B 2');
  machine.store(a, middle, 5, 9);
  const beyond = machine.load(a, middle, SHARED.length * 4096);
  story.step(
    'To share the middle the program must be cut into three segments, and its addresses with it.',
    `the middle: A ${machine.descriptor(a, middle)}, B reads ${machine.load(b, middleInB, 5)}`,
    `an array that runs from one piece into the next ends at the limit: ${beyond < 0 ? 'refused' : 'read'}`,
  );
  story.maps(machine.mapping('A', a, middle), machine.mapping('B', b, middleInB));
  story.figure(
    'wholeSegmentLeaks',
    'a shared segment shows all of it',
    leaked === 1,
    claims('whole logical units are shared between processes', leaked === 1),
    true,
  );
  story.figure('segmentsNeeded', 'segments to share the middle alone', b.table.used.length, 3);
  story.figure('runAcrossRefused', 'an array cannot run across them', beyond < 0, true);
  return machine;
}

export const partial: Lab = {
  name: 'partial',
  title: 'Sharing only some pages of a region',
  run(story) {
    const machine = paged(story);
    independent(story);
    story.compare(
      `Two processes share ${SHARED.length} of ${PAGES} pages: by pages, and by segments cut in three.`,
      segmented(story).cost(),
      machine.cost(),
    );
  },
};
