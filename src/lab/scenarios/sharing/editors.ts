/** Two text editors share their code as one segment; so do N of them. */

import { formatCount } from '../../../report/output/units.js';
import { toHex } from '../../../../hw/base/address.js';
import { claims, says } from '../../chapter/words.js';
import { PagedMachine } from '../../paged-machine.js';
import { SegmentMachine } from '../../segment-machine.js';
import type { SegmentProcess } from '../../../segments/process.js';
import type { Segment } from '../../../segments/segment-table.js';
import type { Lab, Story } from '../../story.js';

const CODE = { at: 0x1000_0000, bytes: 524288 };
const DATA_BYTES = 65536;
const STACK_BYTES = 16384;
const DATA_AT = [0x2000_0000, 0x2100_0000];
const STACK_AT = [0x3000_0000, 0x3100_0000];
const ARENA_BYTES = 0x3200_0000;
const MOST_EDITORS = 8;

/** An editor, and its selector of the code. */
interface Editor {
  readonly process: SegmentProcess;
  readonly code: number;
}

/** The chapter's two editors, each segment in its place there. */
function pair(story: Story): SegmentMachine {
  const machine = new SegmentMachine(ARENA_BYTES);
  const both = shareCode(story, machine);
  const checks = checkCode(story, machine, both);
  codeFigures(story, machine, both);
  const own = both.map((editor, i) => giveOwnSegments(story, machine, editor, i));
  apartFigures(story, own);
  checkFigures(story, checks);
  return machine;
}

function shareCode(story: Story, machine: SegmentMachine): readonly [Editor, Editor] {
  const [a, b] = [machine.spawn(), machine.spawn()];
  const code = machine.create(a, 'code', CODE.bytes, 'code', CODE.at);
  const codeInB = machine.share(a, code, b);
  story.step(
    'Both editors have a descriptor of one code segment: base 0x10000000, to be read and executed.',
    `A: ${machine.descriptor(a, code)}`,
    `B: ${machine.descriptor(b, codeInB)}`,
    `A limit counts from 0: ${formatCount(CODE.bytes)} bytes make the limit ${formatCount(CODE.bytes - 1)}, the last valid offset`,
  );
  story.maps(machine.mapping('A', a, code), machine.mapping('B', b, codeInB));
  return [
    { process: a, code },
    { process: b, code: codeInB },
  ];
}

/** What the processor said to accesses of the code. */
interface CodeChecks {
  readonly lastByteExecutes: boolean;
  readonly nextRefused: boolean;
  readonly writeRefused: boolean;
}

function checkCode(story: Story, machine: SegmentMachine, [a, b]: readonly [Editor, Editor]): CodeChecks {
  const lastByteExecutes = machine.fetch(a.process, a.code, CODE.bytes - 1) === 0;
  const nextRefused = machine.fetch(a.process, a.code, CODE.bytes) < 0;
  const writeRefused = machine.store(b.process, b.code, 0, 1) < 0;
  const answer = (refused: boolean): string => (refused ? 'refused' : 'done');
  story.step(
    'The processor checks every access against the descriptor.',
    `executing the last byte: ${answer(!lastByteExecutes)}; one byte further: ${answer(nextRefused)}`,
    `writing to the code: ${answer(writeRefused)}`,
  );
  story.why(
    `The chapter writes the size into the limit, ${formatCount(CODE.bytes)}. The hardware's limit is the last valid offset, so it takes ${formatCount(CODE.bytes - 1)}: with ${formatCount(CODE.bytes)} the byte after the segment could be executed, too.`,
  );
  return { lastByteExecutes, nextRefused, writeRefused };
}

function checkFigures(story: Story, { lastByteExecutes, nextRefused, writeRefused }: CodeChecks): void {
  const readOnly = lastByteExecutes && writeRefused;
  story.figure(
    'codeReadOnly',
    'the code executes and refuses writes',
    readOnly,
    claims('Segment 0: Shared code (read-only, executable)', readOnly),
  );
  story.figure('lastByteExecutes', 'the last byte of the code executes', lastByteExecutes, true);
  story.figure('byteAfterRefused', 'the byte after it is refused', nextRefused, true);
}

/** Data and stack of one editor. */
type OwnSegments = Readonly<Record<'data' | 'stack', Segment>>;

function giveOwnSegments(
  story: Story,
  machine: SegmentMachine,
  { process, code }: Editor,
  editor: number,
): OwnSegments {
  const letter = 'AB'[editor];
  const data = machine.create(process, 'data', DATA_BYTES, `data ${letter}`, DATA_AT[editor]);
  const stack = machine.create(process, 'data', STACK_BYTES, `stack ${letter}`, STACK_AT[editor]);
  machine.store(process, data, 0, 65 + editor);
  machine.store(process, stack, STACK_BYTES - 1, 1);
  const own = { data: machine.segment(process, data), stack: machine.segment(process, stack) };
  privateFigures(story, own, editor);
  story.step(
    `Editor ${letter} has data and a stack of its own.`,
    `data: ${machine.descriptor(process, data)}`,
    `stack: ${machine.descriptor(process, stack)}`,
  );
  story.maps(
    machine.mapping(`${letter}: code`, process, code),
    machine.mapping(`${letter}: data`, process, data),
    machine.mapping(`${letter}: stack`, process, stack),
  );
  return own;
}

function apartFigures(story: Story, editorsOwn: readonly OwnSegments[]): void {
  const oneOwnerEach = editorsOwn.every(({ data, stack }) => data.references === 1 && stack.references === 1);
  (['data', 'stack'] as const).forEach((part, i) => {
    const [ofA, ofB] = editorsOwn.map((own) => own[part]);
    const apart = ofA.base !== ofB.base && oneOwnerEach;
    const sentence = (
      [
        'Segment 1: Private data (different physical location)',
        'Segment 2: Private stack (different physical location)',
      ] as const
    )[i];
    story.figure(
      `private${i}`,
      `the ${part} of A and B lie apart, each with one owner`,
      apart,
      claims(sentence, apart),
    );
  });
}

const CODE_ENTRY = '{ .base = 0x10000000, .limit = 524288, .perms = R_X, .shared = true }';

function codeFigures(story: Story, machine: SegmentMachine, both: readonly [Editor, Editor]): void {
  const [segment, ofB] = both.map(({ process, code }) => machine.segment(process, code));
  const [limit, limitInB] = both.map(({ process, code }) => machine.limit(process, code));
  story.figure('baseOfCodeA', 'base of the code in A', toHex(segment.base), says(CODE_ENTRY, '0x10000000'));
  story.figure('baseOfCodeB', 'base of the code in B', toHex(ofB.base), says(CODE_ENTRY, '0x10000000'));
  story.figure(
    'limitOfCode',
    'limit of the code',
    limit,
    says(
      CODE_ENTRY,
      '524288',
      'the chapter gives the size; the limit of the hardware is the last valid offset, one less',
    ),
    CODE.bytes - 1,
  );
  story.figure('bytesOfCode', 'bytes of the code', segment.bytes, says(CODE_ENTRY, '524288'));
  const shared = 'SHARED (1 copy, 2 references)';
  story.figure('copiesOfCode', 'copies of the code', new Set([segment, ofB]).size, says(shared, '1 copy'));
  story.figure('referencesToCode', 'processes that reach it', segment.references, says(shared, '2 references'));
  const same = segment.base === ofB.base && limit === limitInB;
  story.figure(
    'sameBaseAndLimit',
    'both descriptors have one base and limit',
    same,
    claims(
      "both processes' segment tables contain entries pointing to the same physical memory region with the same base and limit",
      same,
    ),
  );
}

/** The chapter's entries for data and stack of both editors: entry, base, bytes. */
const PRIVATE_ENTRIES = [
  {
    data: ['{ .base = 0x20000000, .limit = 65536, .perms = RW_, .shared = false }', '0x20000000', '65536'],
    stack: ['{ .base = 0x30000000, .limit = 16384, .perms = RW_, .shared = false }', '0x30000000', '16384'],
  },
  {
    data: ['{ .base = 0x21000000, .limit = 65536, .perms = RW_, .shared = false }', '0x21000000', '65536'],
    stack: ['{ .base = 0x31000000, .limit = 16384, .perms = RW_, .shared = false }', '0x31000000', '16384'],
  },
] as const;

function privateFigures(story: Story, own: OwnSegments, editor: number): void {
  const letter = 'AB'[editor];
  for (const part of ['data', 'stack'] as const) {
    const { base, bytes } = own[part];
    const [entry, at, size] = PRIVATE_ENTRIES[editor][part];
    const name = part === 'data' ? 'Data' : 'Stack';
    story.figure(`baseOf${name}${letter}`, `base of the ${part} of ${letter}`, toHex(base), says(entry, at));
    story.figure(`bytesOf${name}${letter}`, `bytes of the ${part} of ${letter}`, bytes, says(entry, size));
  }
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
    story.bars(
      'What sharing saves: the second copy of the code.',
      ['the code is', 'bytes of both'],
      [
        ['shared', total],
        ["each editor's own", unshared],
      ],
    );
    story.figure('totalBytes', 'bytes of both editors, code shared', total, 688128);
    story.figure('unsharedBytes', 'bytes with a copy of the code for each', unshared, 1212416);
    story.figure(
      'savedBytes',
      'bytes saved',
      unshared - total,
      says('Memory savings: 512 KB (one code copy instead of two)', '512 KB'),
    );
    const counts = Array.from({ length: MOST_EDITORS - 1 }, (_, i) => i + 2);
    const saved = counts.map((count) => bytesOf(count, false) - bytesOf(count, true));
    story.table('With N editors all but one copy are saved: (N - 1) x 512 KB.', {
      head: ['editors', 'bytes saved'],
      rows: counts.map((count, i) => [String(count), formatCount(saved[i])]),
      bars: saved,
    });
    story.figure(
      'savedBytesFor8',
      `bytes saved by ${MOST_EDITORS} editors`,
      saved[saved.length - 1],
      (MOST_EDITORS - 1) * 524288,
    );
    const pages = paged();
    story.on(pages);
    story.compare('Two editors start: code shared, data and stack their own.', machine.cost(), pages.cost());
  },
};
