/** One byte written to a large segment after a fork copies all of it; in pages, one page. */

import { PagedMachine } from '../../paged-machine.js';
import { SegmentMachine } from '../../segment-machine.js';
import type { Lab } from '../../story.js';
import { formatCount } from '../../../report/output/units.js';

const MIB = 2 ** 20;
const BYTES = 10 * MIB;

export const segmentCow: Lab = {
  name: 'segment-cow',
  title: 'One byte written to a segment of 10 MB',
  run(story) {
    const segments = new SegmentMachine(32 * MIB);
    const owner = segments.spawn();
    const data = segments.create(owner, 'data', BYTES, 'data');
    segments.store(owner, data, 0, 1);
    segments.restartMeter();
    segments.store(segments.fork(owner), data, BYTES / 2, 1);
    const bySegment = segments.kernel.counters.bytesCopied;
    story.step('The child writes one byte: the segment is copied whole.', `${formatCount(bySegment)} bytes copied`);

    const pages = new PagedMachine(32 * MIB);
    story.on(pages);
    const parent = pages.spawn();
    const at = pages.map(parent, BYTES);
    pages.fill(parent, at, BYTES / 4096);
    pages.restartMeter();
    pages.store(pages.fork(parent), at + BYTES / 2, 1);
    const byPage = pages.kernel.counters.bytesCopied;
    story.step('In pages the same write copies the page that holds the byte.', `${formatCount(byPage)} bytes copied`);

    story.figure('segmentBytesCopied', bySegment, 10485760);
    story.figure('pageBytesCopied', byPage, 4096);
    story.figure('ratio', bySegment / byPage, 2560);
    story.compare(segments.cost(), pages.cost());
  },
};
