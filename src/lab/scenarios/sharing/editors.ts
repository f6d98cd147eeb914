/** Two text editors share their code as one segment; so do N of them. */

import { formatCount } from '../../../report/output/units.js';
import { PagedMachine } from '../../paged-machine.js';
import { SegmentMachine } from '../../segment-machine.js';
import type { Lab, Story } from '../../story.js';

const CODE = { at: 0x1000_0000, bytes: 524288 };
const DATA_BYTES = 65536;
const STACK_BYTES = 16384;
const DATA_AT = [0x2000_0000, 0x2100_0000];
const STACK_AT = [0x3000_0000, 0x3100_0000];
const ARENA_BYTES = 0x3200_0000;
const MOST_EDITORS = 8;

/** The chapter's two editors, each segment in its place there. */
function pair(story: Story): SegmentMachine {
  const machine = new SegmentMachine(ARENA_BYTES);
  const [a, b] = [machine.spawn(), machine.spawn()];
  const code = machine.create(a, 'code', CODE.bytes, 'code', CODE.at);
  const codeInB = machine.share(a, code, b);
  story.step(
    'Both editors have a descriptor of one code segment: base 0x10000000, to be read and executed.',
    `A: ${machine.descriptor(a, code)}`,
    `B: ${machine.descriptor(b, codeInB)}`,
    `A limit counts from 0: ${formatCount(CODE.bytes)} bytes make the limit ${formatCount(CODE.bytes - 1)}, the last valid offset`,
  );
  const inside = machine.fetch(a, code, CODE.bytes - 1);
  const outside = machine.fetch(a, code, CODE.bytes);
  const written = machine.store(b, codeInB, 0, 1);
  story.step(
    'The processor checks every access against the descriptor.',
    `executing the last byte: ${inside === 0 ? 'done' : 'refused'}; one byte further: ${outside < 0 ? 'refused' : 'done'}`,
    `writing to the code: ${written < 0 ? 'refused' : 'done'}`,
  );
  [a, b].forEach((process, i) => {
    const data = machine.create(process, 'data', DATA_BYTES, `data ${'AB'[i]}`, DATA_AT[i]);
    const stack = machine.create(process, 'data', STACK_BYTES, `stack ${'AB'[i]}`, STACK_AT[i]);
    machine.store(process, data, 0, 65 + i);
    machine.store(process, stack, STACK_BYTES - 1, 1);
    story.step(
      `Editor ${'AB'[i]} has data and a stack of its own.`,
      `data: ${machine.descriptor(process, data)}`,
      `stack: ${machine.descriptor(process, stack)}`,
    );
  });
  story.figure('limitOfCode', machine.segment(a, code).bytes - 1, CODE.bytes - 1);
  story.figure('lastByteExecutes', inside === 0, true);
  story.figure('byteAfterRefused', outside < 0, true);
  return machine;
}

/** Bytes of `count` editors. */
function bytesOf(count: number, share: boolean): number {
  const machine = new SegmentMachine(count * (CODE.bytes + DATA_BYTES + STACK_BYTES));
  const first = machine.spawn();
  const code = machine.create(first, 'code', CODE.bytes, 'code');
  for (let i = 0; i < count; i++) {
    const process = i === 0 ? first : machine.spawn();
    if (i > 0 && share) machine.share(first, code, process);
    if (i > 0 && !share) machine.create(process, 'code', CODE.bytes, 'code');
    machine.create(process, 'data', DATA_BYTES, 'data');
    machine.create(process, 'data', STACK_BYTES, 'stack');
  }
  return machine.usedBytes;
}

/** The same two editors in pages. */
function paged(): PagedMachine {
  const machine = new PagedMachine(16 * 2 ** 20);
  const code = machine.file('editor', CODE.bytes);
  for (const letter of [0, 1]) {
    const process = machine.spawn();
    const at = machine.map(process, CODE.bytes, { rights: 'r-x', file: code });
    machine.fetch(process, at + CODE.bytes - 1);
    const data = machine.map(process, DATA_BYTES);
    machine.store(process, data, 65 + letter);
    machine.store(process, machine.map(process, STACK_BYTES) + STACK_BYTES - 1, 1);
  }
  return machine;
}

export const editors: Lab = {
  name: 'editors',
  title: 'Two text editors share their code by segments',
  run(story) {
    const machine = pair(story);
    const total = machine.usedBytes;
    const unshared = bytesOf(2, false);
    story.step(
      'What sharing saves: the second copy of the code.',
      `shared: ${formatCount(total)} bytes; each with its own code: ${formatCount(unshared)} bytes`,
    );
    story.figure('totalBytes', total, 688128);
    story.figure('unsharedBytes', unshared, 1212416);
    story.figure('savedBytes', unshared - total, 524288);
    const counts = Array.from({ length: MOST_EDITORS - 1 }, (_, i) => i + 2);
    const saved = counts.map((count) => bytesOf(count, false) - bytesOf(count, true));
    story.step(
      'With N editors all but one copy are saved: (N - 1) x 512 KB.',
      ...counts.map((count, i) => `${count} editors: ${formatCount(saved[i])} bytes saved`),
    );
    story.figure('savedBytesFor8', saved[saved.length - 1], (MOST_EDITORS - 1) * 524288);
    const pages = paged();
    story.on(pages);
    story.compare(machine.cost(), pages.cost());
  },
};
