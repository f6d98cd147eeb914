/** A library of 2 MB, shared page by page: 512 entries a process; by one descriptor; by one large page. */

import { toHex } from '../../../../hw/base/address.js';
import { must } from '../../../kernel/abi/must.js';
import type { Process } from '../../../kernel/space/process.js';
import { claims, says } from '../../chapter/words.js';
import { PagedMachine } from '../../paged-machine.js';
import { SegmentMachine } from '../../segment-machine.js';
import type { LabMapping } from '../../../report/results/lab-result.js';
import type { Lab, Story } from '../../story.js';

const BYTES = 2 ** 21;
const PAGES = BYTES / 4096;
const FIRST_FRAME = 0x1000;
const IN_A = 0x7f000 * 4096;
const IN_B = 0x7e000 * 4096;
const BASES = [IN_A, IN_B];
/** Pages of each process's own data, and their frames. */
const PRIVATE_PAGES = 2;
const PRIVATE_FRAMES = [
  [0x5000, 0x5001],
  [0x6000, 0x6001],
];
/** Private pages in the chapter's tables: the figure's key, the entry, and its frame. */
const PRIVATE_ENTRIES = [
  [
    ['privateFrameA0', '[0x10000] = { .frame = 0x5000, .present = 1, .rw = 1, .user = 1 }', '0x5000'],
    ['privateFrameA1', '[0x10001] = { .frame = 0x5001, .present = 1, .rw = 1, .user = 1 }', '0x5001'],
  ],
  [
    ['privateFrameB0', '[0x10000] = { .frame = 0x6000, .present = 1, .rw = 1, .user = 1 }', '0x6000'],
    ['privateFrameB1', '[0x10001] = { .frame = 0x6001, .present = 1, .rw = 1, .user = 1 }', '0x6001'],
  ],
] as const;
/** The first two pages and the last one of the library in both tables: process, page, entry, frame. */
const ENTRIES = [
  [0, '0x7F000', '[0x7F000] = { .frame = 0x1000, .present = 1, .rw = 0, .user = 1 }', '0x1000'],
  [0, '0x7F001', '[0x7F001] = { .frame = 0x1001, .present = 1, .rw = 0, .user = 1 }', '0x1001'],
  [0, '0x7F1FF', '[0x7F1FF] = { .frame = 0x11FF, .present = 1, .rw = 0, .user = 1 }', '0x11FF'],
  [1, '0x7E000', '[0x7E000] = { .frame = 0x1000, .present = 1, .rw = 0, .user = 1 }', '0x1000'],
  [1, '0x7E001', '[0x7E001] = { .frame = 0x1001, .present = 1, .rw = 0, .user = 1 }', '0x1001'],
  [1, '0x7E1FF', '[0x7E1FF] = { .frame = 0x11FF, .present = 1, .rw = 0, .user = 1 }', '0x11FF'],
] as const;
const PRIVATE_AT = 0x10000 * 4096;

/** The entries of both processes beside those of the chapter's tables. */
function tableFigures(story: Story, machine: PagedMachine, processes: readonly Process[]): void {
  ENTRIES.forEach(([process, page, entry, frame]) => {
    const owner = 'AB'[process];
    const found = toHex(machine.frame(processes[process], Number(page) * 4096));
    story.figure(
      `frame${owner}${page}`,
      `${owner}: frame of library page ${page.toLowerCase()}`,
      found,
      says(entry, frame),
    );
  });
  const atA = 'libc mapped at virtual address 0x7F000000';
  const atB = 'libc mapped at DIFFERENT virtual address 0x7E000000 (flexible!)';
  story.figure('addressInA', 'address of the library in A', toHex(IN_A), says(atA, '0x7F000000'));
  story.figure('addressInB', 'address of the library in B', toHex(IN_B), says(atB, '0x7E000000'));
  const [inA, inB] = BASES.map((at, i) => machine.frame(processes[i], at));
  story.figure(
    'differentAddresses',
    'one frame at two virtual addresses',
    inA === inB,
    claims('Paging allows different virtual addresses for same physical content', inA === inB),
  );
  const frames = Array.from({ length: PAGES }, (_, page) => FIRST_FRAME + page);
  const present = processes.map((process, i) => {
    return frames.filter((frame, page) => machine.frame(process, BASES[i] + page * 4096) === frame).length;
  });
  const entries = Math.min(...present);
  const shared = frames.filter((frame) => machine.count(frame) === processes.length).length;
  const needed = '512 page table entries needed to share 2MB of libc';
  story.figure('entriesPerProcess', 'page-table entries of a process for it', entries, says(needed, '512 page'));
  const size = 'libc.so size: 2MB (512 pages)';
  story.figure('sharedFrames', 'frames that both processes map', shared, says(size, '512 pages'));
  const rights = processes.every(
    (process, i) =>
      machine.entry(process, BASES[i]).endsWith('read-only') && machine.entry(process, PRIVATE_AT).endsWith('writable'),
  );
  story.figure(
    'rights',
    "library read-only, each one's own pages writable",
    rights,
    claims('But points to SAME physical frames!', rights && shared === PAGES),
    true,
  );
}

function paged(story: Story): PagedMachine {
  const machine = new PagedMachine(0x8000 * 4096);
  story.on(machine);
  const frames = Array.from({ length: PAGES }, (_, i) => FIRST_FRAME + i);
  const library = machine.file('libc', BYTES, frames);
  const mapped: LabMapping[] = [];
  const processes = BASES.map((at, i) => {
    const process = machine.spawn();
    machine.map(process, BYTES, { at, rights: 'r-x', file: library });
    machine.touch(process, at, PAGES);
    const last = at + BYTES - 4096;
    story.step(
      `Process ${'AB'[i]} maps the library on pages ${toHex(at / 4096)} to ${toHex(last / 4096)} and uses all of it.`,
      `page ${toHex(at / 4096)}: ${machine.entry(process, at)}`,
      `page ${toHex(last / 4096)}: ${machine.entry(process, last)}`,
    );
    mapped.push(
      machine.mapping(`${'AB'[i]}, first page`, process, at),
      machine.mapping(`${'AB'[i]}, last page`, process, last),
    );
    story.maps(...mapped);
    return process;
  });
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
    story.maps(...[0, 1].map((page) => machine.mapping('AB'[i], process, PRIVATE_AT + page * 4096)));
    PRIVATE_ENTRIES[i].forEach(([key, entry, words], page) => {
      const number = toHex(PRIVATE_AT / 4096 + page);
      const frame = toHex(machine.frame(process, PRIVATE_AT + page * 4096));
      story.figure(key, `frame of ${'AB'[i]}'s own page ${number}`, frame, says(entry, words));
    });
  });
  tableFigures(story, machine, processes);
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
  story.maps(machine.mapping('A', a, library), machine.mapping('B', b, inB));
  const descriptors = a.table.used.length;
  story.figure(
    'descriptorsPerProcess',
    'descriptors of a process for it',
    descriptors,
    claims('More overhead than one segment table entry', descriptors < PAGES),
    1,
  );
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
  story.maps(
    ...[a, b].map((process, i) => ({
      who: 'AB'[i],
      at: `${toHex(at)}, 2 MiB`,
      to: `frame ${toHex(machine.frame(process, at))}`,
      rights: 'read-only',
    })),
  );
  story.figure('largeEntriesPerProcess', 'entries of a process with a 2 MiB page', entries, 1);
}

export const libc: Lab = {
  name: 'libc',
  title: 'A 2 MB library shared by pages, by a segment, and by one large page',
  run(story) {
    const machine = paged(story);
    const segments = segmented(story);
    large(story);
    story.compare('Two processes map the library and read every page of it.', segments.cost(), machine.cost());
  },
};
