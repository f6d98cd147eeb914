/** Data of two processes and constants on one page: whoever writes copies all of it. And four remedies, measured. */

import { toHex } from '../../../../hw/base/address.js';
import { signalName } from '../../../kernel/abi/signal.js';
import { claims, says } from '../../chapter/words.js';
import { PagedMachine } from '../../paged-machine.js';
import { SegmentMachine } from '../../segment-machine.js';
import type { Sentence } from '../../chapter/sentences.js';
import type { Lab, Story } from '../../story.js';
import { countOf, formatCount } from '../../../report/output/units.js';

const MIB = 2 ** 20;
const PAGE = 4096;
const AT = 0x4000_0000;
/** The owner of a byte. */
const CONSTANTS = 0;
const A = 1;
const B = 2;
const PADDING = 3;
/** The chapter's page: constants, A's data, B's data, constants; each part from its start to the next one's. */
const PARTS = [
  { start: 0, end: 1000, owner: CONSTANTS },
  { start: 1000, end: 2000, owner: A },
  { start: 2000, end: 3000, owner: B },
  { start: 3000, end: PAGE, owner: CONSTANTS },
];
/** The chapter's words for each part. */
const PART_SENTENCES = [
  'Offset 0-1000: Shared read-only constants',
  'Offset 1000-2000: Process A private data',
  'Offset 2000-3000: Process B private data',
  'Offset 3000-4096: More shared constants',
] as const;
const WRITTEN = 1500;
/** The remedies are measured on a program with so many of these parts. */
const RECORDS = 100;

/** Owners of the bytes when the parts follow one another as in the chapter, record after record. */
function interleaved(records: number): Uint8Array {
  const owners = new Uint8Array(records * PAGE);
  for (let record = 0; record < records; record++) {
    for (const { start, end, owner } of PARTS) owners.fill(owner, record * PAGE + start, record * PAGE + end);
  }
  return owners;
}

/** The same bytes, sorted by owner; each owner begins at a multiple of `align`. */
function grouped(records: number, align: number, owners: readonly number[]): Uint8Array {
  const all = interleaved(records);
  let length = 0;
  const starts = owners.map((owner) => {
    const start = Math.ceil(length / align) * align;
    length = start + all.filter((byte) => byte === owner).length;
    return start;
  });
  const result = new Uint8Array(Math.ceil(length / PAGE) * PAGE).fill(PADDING);
  owners.forEach((owner, i) => result.fill(owner, starts[i], starts[i] + all.filter((byte) => byte === owner).length));
  return result;
}

interface Measured {
  readonly bytesCopied: number;
  /** Bytes among them of B, or constants. */
  readonly foreign: number;
  /** Pages made read-only by fork. */
  readonly protectedPages: number;
}

/** A process with these bytes forks, and writes to every page with bytes of A. */
function measure(owners: Uint8Array, huge: boolean): Measured {
  const machine = new PagedMachine(32 * MIB);
  const a = machine.spawn();
  const page = huge ? 2 * MIB : PAGE;
  machine.map(a, Math.ceil(owners.length / page) * page, { at: AT, huge });
  for (let at = 0; at < owners.length; at += page) machine.store(a, AT + at, 1);
  machine.fork(a);
  const { counters } = machine.kernel;
  let foreign = 0;
  for (let at = 0; at < owners.length; at += PAGE) {
    const offset = owners.subarray(at, at + PAGE).indexOf(A);
    if (offset < 0) continue;
    const before = counters.bytesCopied;
    machine.store(a, AT + at + offset, 2);
    if (counters.bytesCopied === before) continue;
    const start = at - (at % page);
    foreign += owners.subarray(start, start + page).filter((owner) => owner === B || owner === CONSTANTS).length;
  }
  return { bytesCopied: counters.bytesCopied, foreign, protectedPages: counters.forkEntriesProtected };
}

/** What the write copied: `count` gives the bytes of an owner among it. */
function copiedFigures(story: Story, bytesCopied: number, count: (owner: number) => number): void {
  story.figure('written', 'offset of the write', WRITTEN, says('If Process A writes to offset 1500:', '1500'));
  PARTS.forEach(({ start, end }, i) => {
    const sentence = PART_SENTENCES[i];
    story.figure(
      `part${i}`,
      `bytes of the part from ${start} on`,
      end - start,
      claims(sentence, sentence.startsWith(`Offset ${start}-${end}`)),
    );
  });
  story.figure(
    'bytesCopied',
    'bytes copied by the write',
    bytesCopied,
    claims('If COW, entire page is copied', bytesCopied === PAGE),
    4096,
  );
  story.figure(
    'bytesOfB',
    "of them B's private data",
    count(B),
    claims("Including Process B's private data (wrong!)", count(B) > 0),
    1000,
  );
  story.figure(
    'bytesOfConstants',
    'of them constants',
    count(CONSTANTS),
    claims('Including the shared constants (wasteful)', count(CONSTANTS) > 0),
    2096,
  );
}

function onePage(story: Story): PagedMachine {
  const machine = new PagedMachine(16 * MIB);
  story.on(machine);
  const a = machine.spawn();
  machine.map(a, PAGE, { at: AT });
  machine.store(a, AT, 1);
  for (const { start, end, owner } of PARTS) {
    machine.kernel.copyOut(a, AT + start, new Uint8Array(end - start).fill(10 + owner));
  }
  const b = machine.fork(a);
  const readOnlyInBoth = [a, b].every((process) => machine.entry(process, AT).endsWith('read-only'));
  machine.store(a, AT + WRITTEN, 99);
  const fault = machine.lastFault;
  const { bytesCopied } = machine.kernel.counters;
  const copied = new Uint8Array(PAGE);
  machine.kernel.copyIn(a, AT, copied);
  const count = (owner: number): number => copied.filter((byte) => byte === 10 + owner).length;
  story.step(
    `A and B share a page after a fork. A writes its byte ${WRITTEN}: all of the page is copied, B's data and the constants with it.`,
    fault,
    `bytes copied: ${bytesCopied}; of them B's: ${count(B)}, constants: ${count(CONSTANTS)}`,
    `A: ${machine.entry(a, AT)}, reads ${machine.load(a, AT + WRITTEN)}; B: ${machine.entry(b, AT)}, reads ${machine.load(b, AT + WRITTEN)}`,
  );
  story.maps(machine.mapping('A', a, AT), machine.mapping('B', b, AT));
  story.figure(
    'readOnlyInBoth',
    'the page is read-only in A and B before',
    readOnlyInBoth,
    claims('Page is marked read-only (for sharing)', readOnlyInBoth),
  );
  copiedFigures(story, bytesCopied, count);

  const readOnly = machine.map(a, PAGE, { rights: 'r--' });
  machine.load(a, readOnly);
  const refused = machine.store(a, readOnly, 1);
  const violation = machine.lastFault;
  story.step(
    'The processor reports a real violation with the same error code. The kernel tells them apart by the region: may it be written at all?',
    `copy on write: ${fault}`,
    `violation:     ${violation}`,
    `region ${toHex(AT)} is rw-: copied; region ${toHex(readOnly)} is r--: ${signalName(refused)}`,
  );
  const code = (text: string): string => /error code (\w+)/.exec(text)?.[1] ?? text;
  const [same, faulted] = [code(fault) === code(violation), fault.startsWith('#PF')];
  const protection = claims('Write causes protection fault', faulted);
  story.figure('writeFaults', 'the write raised a fault', faulted, protection);
  story.figure(
    'sameErrorCode',
    'copy on write and violation have one error code',
    same,
    claims('Is this a COW situation? - Or a genuine protection violation?', same),
    true,
  );
  story.figure('violationRefused', 'the violation is refused', refused < 0, true);
  return machine;
}

interface Remedy {
  readonly key: string;
  readonly text: string;
  readonly measured: Measured;
  readonly chapter?: Sentence;
  /** Why it does not help here. */
  readonly because?: string;
}

function remedies(story: Story): void {
  const as = interleaved(RECORDS);
  const before = measure(as, false);
  // In a section of their own the constants are mapped read-only, and no fork ever copies them.
  const rows: readonly Remedy[] = [
    { key: 'interleaved', text: 'none: one after the other', measured: before },
    {
      key: 'layout',
      text: 'layout: sorted by who writes',
      measured: measure(grouped(RECORDS, 1, [CONSTANTS, A, B]), false),
      chapter: 'Careful memory layout to avoid mixing',
    },
    {
      key: 'alignment',
      text: 'alignment: and from a page on',
      measured: measure(grouped(RECORDS, PAGE, [CONSTANTS, A, B]), false),
      chapter: 'Align shared regions to page boundaries',
    },
    {
      key: 'largerPages',
      text: 'larger pages: 2 MiB',
      measured: measure(as, true),
      chapter: 'Use larger pages for homogeneous data',
      because: 'this data is not homogeneous, so a larger page only copies more; on homogeneous data it saves entries',
    },
    {
      key: 'sections',
      text: 'linker: constants read-only',
      measured: measure(grouped(RECORDS, PAGE, [A, B]), false),
      chapter: 'Compiler/linker awareness of sharing',
    },
  ];
  story.table(
    `The remedies, for ${RECORDS} times this data; A writes all that is its own (${formatCount(RECORDS * 1000)} bytes). Counted are bytes copied, those of B or constants among them, and pages made read-only by fork.`,
    {
      head: ['remedy', 'bytes copied', "B's, constants", 'made read-only'],
      rows: rows.map(({ text, measured: { bytesCopied, foreign, protectedPages } }) => [
        text,
        formatCount(bytesCopied),
        formatCount(foreign),
        countOf(protectedPages, 'page'),
      ]),
    },
  );
  for (const { key, text, measured, chapter, because } of rows) {
    const [name] = text.split(':');
    const helps = measured.foreign < before.foreign;
    const words = chapter === undefined ? [] : [claims(chapter, helps, because)];
    story.figure(`${key}BytesCopied`, `remedy ${name}: bytes copied`, measured.bytesCopied);
    story.figure(`${key}ForeignBytes`, `remedy ${name}: of them B's or constants`, measured.foreign, ...words);
    story.figure(`${key}ProtectedPages`, `remedy ${name}: pages made read-only by fork`, measured.protectedPages);
  }
}

/** A segment is as long as its contents: the parts are apart from the start. */
function segmented(story: Story): SegmentMachine {
  const machine = new SegmentMachine(MIB);
  story.on(null);
  const a = machine.spawn();
  const [constants, ofA] = PARTS.map(({ start, end, owner }) => {
    return machine.create(a, owner === CONSTANTS ? 'constants' : 'data', end - start, `part ${start}`);
  });
  machine.store(a, ofA, 0, 1);
  const child = machine.fork(a);
  machine.store(a, ofA, WRITTEN - 1000, 99);
  const { bytesCopied } = machine.kernel.counters;
  story.step(
    'By segments each part is a segment of its own: A copies its own bytes only.',
    `${bytesCopied} bytes copied`,
  );
  story.maps(
    machine.mapping("A: A's data", a, ofA),
    machine.mapping("child: A's data", child, ofA),
    machine.mapping('A: constants', a, constants),
    machine.mapping('child: constants', child, constants),
  );
  story.figure(
    'segmentBytesCopied',
    'by segments: bytes copied',
    bytesCopied,
    claims('A segment-based system would never mix private data', bytesCopied === 1000),
    1000,
  );
  return machine;
}

export const falseSharing: Lab = {
  name: 'false-sharing',
  title: 'False sharing: what else lies on the page',
  run(story) {
    const machine = onePage(story);
    remedies(story);
    story.compare(
      "After a fork A writes a byte of its own data, which lies beside B's and constants.",
      segmented(story).cost(),
      machine.cost(),
    );
  },
};
