/** A library of 2 MB, shared page by page: 512 entries a process; by one descriptor; by one large page. */

import { toHex } from '../../../../hw/base/address.js';
import { must } from '../../../kernel/abi/must.js';
import { PagedMachine } from '../../paged-machine.js';
import { SegmentMachine } from '../../segment-machine.js';
import type { Lab, Story } from '../../story.js';

const BYTES = 2 ** 21;
const PAGES = BYTES / 4096;
const FIRST_FRAME = 0x1000;
const IN_A = 0x7f000 * 4096;
const IN_B = 0x7e000 * 4096;
/** A page of each process's own data, before the library's, and its frames. */
const PRIVATE_PAGES = 2;
const PRIVATE_FRAMES = [
  [0x5000, 0x5001],
  [0x6000, 0x6001],
];
const PRIVATE_AT = 0x6000_0000;

function paged(story: Story): PagedMachine {
  const machine = new PagedMachine(0x8000 * 4096);
  story.on(machine);
  const frames = Array.from({ length: PAGES }, (_, i) => FIRST_FRAME + i);
  const library = machine.file('libc', BYTES, frames);
  const bases = [IN_A, IN_B];
  const processes = bases.map((at, i) => {
    const process = machine.spawn();
    machine.map(process, BYTES, { at, rights: 'r-x', file: library });
    machine.touch(process, at, PAGES);
    const last = at + BYTES - 4096;
    story.step(
      `Process ${'AB'[i]} maps the library on pages ${toHex(at / 4096)} to ${toHex(last / 4096)} and uses all of it.`,
      `page ${toHex(at / 4096)}: ${machine.entry(process, at)}`,
      `page ${toHex(last / 4096)}: ${machine.entry(process, last)}`,
    );
    return process;
  });
  const present = processes.map((process, i) => {
    return frames.filter((frame, page) => machine.frame(process, bases[i] + page * 4096) === frame).length;
  });
  const shared = frames.filter((frame) => machine.count(frame) === processes.length).length;
  processes.forEach((process, i) => {
    machine.map(process, PRIVATE_PAGES * 4096 + BYTES, { at: PRIVATE_AT });
    // The table of the data exists before its frames are chosen.
    machine.store(process, PRIVATE_AT + PRIVATE_PAGES * 4096, 0);
    machine.place(PRIVATE_FRAMES[i]);
    machine.fill(process, PRIVATE_AT, PRIVATE_PAGES);
    story.step(
      `${'AB'[i]}'s own data lies in frames of its own.`,
      ...[0, 1].map(
        (page) => `page ${toHex(PRIVATE_AT / 4096 + page)}: ${machine.entry(process, PRIVATE_AT + page * 4096)}`,
      ),
    );
    story.figure(
      `privateFrames${'AB'[i]}`,
      [0, 1].map((page) => toHex(machine.frame(process, PRIVATE_AT + page * 4096))).join(' '),
      PRIVATE_FRAMES[i].map(toHex).join(' '),
    );
  });
  story.figure('entriesPerProcess', Math.min(...present), PAGES);
  story.figure('sharedFrames', shared, PAGES);
  return machine;
}

function segmented(story: Story): SegmentMachine {
  const machine = new SegmentMachine(4 * BYTES);
  story.on(null);
  const [a, b] = [machine.spawn(), machine.spawn()];
  const library = machine.create(a, 'code', BYTES, 'libc');
  const inB = machine.share(a, library, b);
  for (let at = 0; at < BYTES; at += 4096) must(machine.load(a, library, at));
  for (let at = 0; at < BYTES; at += 4096) must(machine.load(b, inB, at));
  story.step(
    'By segments one descriptor a process says the same.',
    `A: ${machine.descriptor(a, library)}`,
    `B: ${machine.descriptor(b, inB)}`,
  );
  story.figure('descriptorsPerProcess', a.table.used.length, 1);
  return machine;
}

/** The library in one page of 2 MiB, as anonymous memory, shared by fork. */
function large(story: Story): void {
  const machine = new PagedMachine(8 * BYTES);
  story.on(machine);
  const a = machine.spawn();
  const at = machine.map(a, BYTES, { huge: true });
  machine.store(a, at, 1);
  const { counters } = machine.kernel;
  const before = counters.forkEntriesCopied;
  const b = machine.fork(a);
  const entries = counters.forkEntriesCopied - before;
  story.step(
    'By a page of 2 MiB one entry a process is enough, too.',
    `A and B: frame ${toHex(machine.frame(a, at))} and ${toHex(machine.frame(b, at))}, ${entries} entry each`,
  );
  story.figure('largeEntriesPerProcess', entries, 1);
}

export const libc: Lab = {
  name: 'libc',
  title: 'A 2 MB library shared by pages, by a segment, and by one large page',
  run(story) {
    const machine = paged(story);
    const segments = segmented(story);
    large(story);
    story.compare(segments.cost(), machine.cost());
  },
};
