/** One byte written to a large segment after a fork copies all of it; in pages, one page. */

import { claims, says } from '../../chapter/words.js';
import { PagedMachine } from '../../paged-machine.js';
import { SegmentMachine } from '../../segment-machine.js';
import type { Lab, Story } from '../../story.js';
import { formatBytes, formatCount } from '../../../report/output/units.js';

const MIB = 2 ** 20;
const BYTES = 10 * MIB;

/** Segments in the table, bytes. */
const SIZES = [64 * 2 ** 10, MIB, BYTES];

/** Bytes copied when a process with a segment of `bytes` forks, and the child writes one byte. */
function copiedOf(bytes: number): number {
  const machine = new SegmentMachine(3 * bytes);
  const owner = machine.spawn();
  const data = machine.create(owner, 'data', bytes, 'data');
  machine.store(machine.fork(owner), data, bytes - 1, 1);
  return machine.kernel.counters.bytesCopied;
}

/** The write in segments. */
function segmented(story: Story): SegmentMachine {
  const machine = new SegmentMachine(32 * MIB);
  const { process: parent, data } = machine.spawnWithData(BYTES);
  machine.restartMeter();
  const child = machine.fork(parent);
  machine.store(child, data, BYTES / 2, 1);
  story.step(
    'The child writes one byte: the segment is copied whole.',
    `${formatCount(machine.kernel.counters.bytesCopied)} bytes copied`,
  );
  story.maps(machine.mapping('parent', parent, data), machine.mapping('child', child, data));
  return machine;
}

/** The same write in pages. */
function paged(story: Story): PagedMachine {
  const machine = new PagedMachine(32 * MIB);
  story.on(machine);
  const { process: parent, at } = machine.spawnFilled(BYTES);
  machine.restartMeter();
  const child = machine.fork(parent);
  const written = at + BYTES / 2;
  machine.store(child, written, 1);
  story.step(
    'In pages the same write copies the page that holds the byte.',
    `${formatCount(machine.kernel.counters.bytesCopied)} bytes copied`,
  );
  story.maps(
    machine.mapping('parent', parent, written),
    machine.mapping('child', child, written),
    machine.mapping('parent, next page', parent, written + 4096),
    machine.mapping('child, next page', child, written + 4096),
  );
  return machine;
}

function segmentFigures(story: Story, bySegment: number): void {
  const whole = 'A 1-byte write to a 10MB segment copies all 10MB';
  story.figure('segmentBytesCopied', 'by segment: bytes copied', bySegment, says(whole, '10MB'), 10485760);
  story.figure(
    'wholeSegment',
    'by segment: no part of it stays shared',
    bySegment === BYTES,
    claims("Can't partially copy a segment", bySegment === BYTES),
  );
  const shared = BYTES - bySegment;
  story.figure(
    'bytesStillShared',
    'by segment: bytes that stay shared',
    shared,
    claims('No fine-grained optimization possible', shared === 0),
  );
}

/** @param copied bytes, for each of {@link SIZES} */
function growthFigures(story: Story, copied: readonly number[]): void {
  const entire = copied.every((bytes, i) => bytes === SIZES[i]);
  story.figure(
    'growsWithSegment',
    'by segment: the copy is as long as the segment',
    entire,
    claims('Variable and potentially huge (O(segment_size))', entire),
  );
  story.figure(
    'oneByteCopiesAll',
    'by segment: one byte is enough for that',
    entire,
    claims('Must copy ENTIRE segment - even if only 1 byte being written!', entire),
  );
  const longest = copied[copied.length - 1] / copied[0];
  story.figure(
    'longestCopy',
    'by segment: longest copy of the table, as a multiple of the shortest',
    longest,
    claims('Unpredictable latency', longest > 1),
  );
}

function pageFigures(story: Story, byPage: number, bySegment: number): void {
  story.figure('pageBytesCopied', 'by page: bytes copied', byPage, 4096);
  const one = 'always copy exactly one page per fault';
  story.figure('pagesCopied', 'by page: pages copied', byPage / 4096, says(one, 'one'));
  const ratio = bySegment / byPage;
  const wasteful = claims('Wasteful if only small portion modified', ratio > 1);
  story.figure('ratio', 'times as much by segment', ratio, wasteful, 2560);
}

export const segmentCow: Lab = {
  name: 'segment-cow',
  title: 'One byte written to a segment of 10 MB',
  run(story) {
    const segments = segmented(story);
    const pages = paged(story);
    const copied = SIZES.map((bytes) => copiedOf(bytes));
    story.on(null);
    story.table('A copy is as long as its segment, and so is the pause of the writer.', {
      head: ['segment', 'bytes copied by a write of one byte'],
      rows: SIZES.map((bytes, i) => [formatBytes(bytes), formatCount(copied[i])]),
      bars: copied,
    });
    const bySegment = segments.kernel.counters.bytesCopied;
    segmentFigures(story, bySegment);
    growthFigures(story, copied);
    pageFigures(story, pages.kernel.counters.bytesCopied, bySegment);
    story.compare('A process with 10 MB forks, and the child writes one byte.', segments.cost(), pages.cost());
  },
};
