/** The chapter's four types of sharing: code, constants, writable data, and data until somebody writes. */

import { toHex } from '../../../../hw/base/address.js';
import { signalName } from '../../../kernel/abi/signal.js';
import type { Process } from '../../../kernel/space/process.js';
import { claims, says } from '../../chapter/words.js';
import { PagedMachine } from '../../paged-machine.js';
import { SegmentMachine } from '../../segment-machine.js';
import type { Lab, Story } from '../../story.js';

const MIB = 2 ** 20;
const CODE_IN_A = 0x0040_0000;
const CODE_IN_B = 0x0050_0000;
const CODE_FRAME = 0x12340;
const CONSTANTS = 0x0060_0000;
const DATA = 0x0070_0000;
const PRIVATE = 0x0080_0000;

type Pair = readonly [a: Process, b: Process];

function codeSharing(story: Story, machine: PagedMachine, [a, b]: Pair): void {
  const code = machine.file('editor', 4096, [CODE_FRAME]);
  machine.map(a, 4096, { at: CODE_IN_A, rights: 'r-x', file: code });
  machine.map(b, 4096, { at: CODE_IN_B, rights: 'r-x', file: code });
  const executed = machine.fetch(a, CODE_IN_A) === 0 && machine.fetch(b, CODE_IN_B) === 0;
  const [inA, inB] = [machine.physical(a, CODE_IN_A), machine.physical(b, CODE_IN_B)];
  const refused = machine.store(a, CODE_IN_A, 1);
  const fault = machine.lastFault;
  story.step(
    'Code sharing (shared libraries, common executables): A and B map the same page of a program, each at its own address, and execute it.',
    `A: virtual ${toHex(CODE_IN_A)} leads to physical ${toHex(inA)}`,
    `B: virtual ${toHex(CODE_IN_B)} leads to physical ${toHex(inB)}`,
    `a write by A: ${fault}: ${signalName(refused)}`,
  );
  story.maps(machine.mapping('A', a, CODE_IN_A), machine.mapping('B', b, CODE_IN_B));
  story.figure('virtualInA', 'virtual address of the code in A', toHex(CODE_IN_A), says('0x00400000', '0x00400000'));
  story.figure('virtualInB', 'virtual address of the code in B', toHex(CODE_IN_B), says('0x00500000', '0x00500000'));
  story.figure('physicalInA', 'physical address behind it in A', toHex(inA), says('0x12340000', '0x12340000'));
  story.figure('physicalInB', 'physical address behind it in B', toHex(inB), says('0x12340000', '0x12340000'));
  story.figure(
    'codeShared',
    'code: two addresses, one page in memory',
    inA === inB,
    claims('multiple virtual address mappings point to the same physical memory', inA === inB),
  );
  story.figure(
    'codeExecuted',
    'code: both processes execute it',
    executed,
    claims('Multiple processes execute the same instructions', executed),
  );
  story.figure('codeWriteRefused', 'code: a write is refused', refused < 0, true);
}

function constantSharing(story: Story, machine: PagedMachine, [a, b]: Pair): void {
  const constants = machine.file('messages', 4096);
  for (const process of [a, b]) {
    machine.map(process, 4096, { at: CONSTANTS, rights: 'r--', file: constants });
    machine.load(process, CONSTANTS);
  }
  const noExecute = machine.fetch(a, CONSTANTS);
  story.step(
    'Read-only data sharing (string literals, lookup tables): the same, to be read only.',
    `A: ${machine.entry(a, CONSTANTS)}`,
    `B: ${machine.entry(b, CONSTANTS)}`,
    `executing them in A: ${signalName(noExecute)}`,
  );
  story.maps(machine.mapping('A', a, CONSTANTS), machine.mapping('B', b, CONSTANTS));
  const frames = new Set([a, b].map((process) => machine.frame(process, CONSTANTS))).size;
  story.figure(
    'constantsFrames',
    'constants: pages in memory for two processes',
    frames,
    claims('Processes read the same constant data', frames === 1),
    1,
  );
}

function dataSharing(story: Story, machine: PagedMachine, [a, b]: Pair): void {
  const heap = machine.kernel.files.open('board', 'shmem');
  machine.kernel.files.truncate(heap, 4096);
  for (const process of [a, b]) machine.map(process, 4096, { at: DATA, shared: true, file: heap });
  machine.store(a, DATA + 10, 77);
  const seen = machine.load(b, DATA + 10);
  story.step(
    'Read-write data sharing (IPC shared memory, databases): A writes 77, and B reads what A wrote.',
    `B reads ${seen}`,
  );
  story.maps(machine.mapping('A', a, DATA), machine.mapping('B', b, DATA));
  story.figure(
    'sharedByteSeen',
    'writable data: what B reads after A wrote 77',
    seen,
    claims('Processes share mutable state', seen === 77),
    77,
  );
}

function copyOnWrite(story: Story, machine: PagedMachine, [a]: Pair): void {
  machine.map(a, 4096, { at: PRIVATE });
  machine.store(a, PRIVATE, 5);
  const child = machine.fork(a);
  const together = machine.frame(child, PRIVATE) === machine.frame(a, PRIVATE);
  machine.store(child, PRIVATE, 6);
  story.step(
    'Copy-on-write sharing (fork(), memory-mapped files): A forks; parent and child have one frame until the child writes 6.',
    `before the write one frame: ${together ? 'yes' : 'no'}`,
    `after it the parent reads ${machine.load(a, PRIVATE)}, the child ${machine.load(child, PRIVATE)}`,
  );
  story.maps(machine.mapping('parent', a, PRIVATE), machine.mapping('child', child, PRIVATE));
  const apart = machine.frame(child, PRIVATE) !== machine.frame(a, PRIVATE);
  story.figure('cowSharedBefore', 'copy on write: one page before the write', together, true);
  story.figure(
    'cowApartAfter',
    'copy on write: two pages after it',
    apart,
    claims('Sharing until modification triggers copy', together && apart),
    true,
  );
}

function paged(story: Story): PagedMachine {
  const machine = new PagedMachine((CODE_FRAME + 0x100) * 4096, story);
  story.on(machine);
  const pair = [machine.spawn(), machine.spawn()] as const;
  for (const type of [codeSharing, constantSharing, dataSharing, copyOnWrite]) type(story, machine, pair);
  return machine;
}

function segmented(story: Story): SegmentMachine {
  const machine = new SegmentMachine(MIB);
  story.on(null);
  const [a, b] = [machine.spawn(), machine.spawn()];
  const code = machine.create(a, 'code', 4096, 'code');
  const constants = machine.create(a, 'constants', 4096, 'constants');
  const data = machine.create(a, 'data', 4096, 'data');
  const [codeInB, constantsInB, dataInB] = [code, constants, data].map((selector) => machine.share(a, selector, b));
  machine.fetch(a, code, 0);
  machine.fetch(b, codeInB, 0);
  machine.load(a, constants, 0);
  machine.load(b, constantsInB, 0);
  machine.store(a, data, 10, 77);
  const seen = machine.load(b, dataInB, 10);
  const own = machine.create(a, 'data', 4096, 'own');
  machine.store(a, own, 0, 5);
  const child = machine.fork(a);
  machine.store(child, own, 0, 6);
  story.step(
    'By segments the same four kinds are four descriptors a process; rights stand in the type.',
    `code: ${machine.descriptor(a, code)}`,
    `constants: ${machine.descriptor(a, constants)}`,
    `data: ${machine.descriptor(a, data)}; B reads ${seen}`,
    `own data after fork and the child's write: parent ${machine.load(a, own, 0)}, child ${machine.load(child, own, 0)}`,
  );
  story.maps(
    machine.mapping('A', a, code),
    machine.mapping('B', b, codeInB),
    machine.mapping('A', a, constants),
    machine.mapping('B', b, constantsInB),
    machine.mapping('A', a, data),
    machine.mapping('B', b, dataInB),
    machine.mapping('A', a, own),
    machine.mapping("A's child", child, own),
  );
  story.figure('segmentSharedByteSeen', 'by segments: what B reads after A wrote 77', seen, 77);
  return machine;
}

export const kinds: Lab = {
  name: 'kinds',
  title: 'Four kinds of sharing: code, constants, writable data, copy on write',
  everywhere: true,
  run(story) {
    const pages = paged(story);
    story.compare(
      'Two processes share a page or segment of each type, and one forks and writes.',
      segmented(story).cost(),
      pages.cost(),
    );
  },
};
