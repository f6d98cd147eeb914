/**
 * Streams: rows of misses to neighbouring lines, up or down. Hardware prefetchers see these and ask for the next line in
 * time, but stop at the end of a page of 4 KiB: the next page may lie anywhere. 32 streams at once, one a page, as Intel
 * optimization manual, "Data Prefetching", says of the prefetcher into L2; other makers' do no less.
 */

/** Streams are kept in sets, by page. */
const SETS_SHIFT = 3;
const WAYS_SHIFT = 2;
const WAYS = 1 << WAYS_SHIFT;
const STREAMS = 1 << (SETS_SHIFT + WAYS_SHIFT);
/** Spreads pages over the sets: arrays often lie a power of two apart. */
const SPREAD = 0x9e37_79b1;
/** log2 of the lines of a page of 4 KiB. */
const PAGE_LINES_SHIFT = 6;
const LAST_LINE = (1 << PAGE_LINES_SHIFT) - 1;
/** Of the lines of a page that a stream comes through, those that are expected. */
const EXPECTED_LINES = LAST_LINE - 1;

/** A hardware prefetcher would have asked for the line before. */
export const EXPECTED = 1;
/** The line is the first of a page, and a stream came to it from the page beside. */
export const PAGE_END = 4;
/** With {@link PAGE_END}: that stream made half of the expected misses meanwhile, or more. */
export const ALONE = 8;

/** Tells misses that a prefetcher had expected, and page ends of streams. */
export class Streams {
  /** By stream: its page, the last line to miss in it, and the step to there. */
  private readonly pages = new Int32Array(STREAMS).fill(-1);
  private readonly lines = new Int32Array(STREAMS);
  private readonly steps = new Int32Array(STREAMS);
  /** By stream: the misses before its last one, and the expected misses before its page began. */
  private readonly used = new Float64Array(STREAMS);
  private readonly begun = new Float64Array(STREAMS);
  private misses = 0;
  private expected = 0;

  /** Notes a miss. @returns {@link EXPECTED}, {@link PAGE_END} and {@link ALONE}, as far as they hold */
  note(line: number): number {
    const stream = this.find(line >>> PAGE_LINES_SHIFT);
    if (stream < 0) return this.begin(line);
    const step = line - this.lines[stream];
    const expected = step !== 0 && step === this.steps[stream];
    this.steps[stream] = step === 1 || step === -1 ? step : 0;
    this.lines[stream] = line;
    this.used[stream] = ++this.misses;
    if (!expected) return 0;
    this.expected++;
    return EXPECTED;
  }

  /** @returns the stream of a page, or -1 */
  private find(page: number): number {
    const first = (Math.imul(page, SPREAD) >>> (32 - SETS_SHIFT)) << WAYS_SHIFT;
    for (let stream = first; stream < first + WAYS; stream++) if (this.pages[stream] === page) return stream;
    return -1;
  }

  private begin(line: number): number {
    const place = line & LAST_LINE;
    const flags = place === 0 ? this.pageEnd(line - 1, 1) : place === LAST_LINE ? this.pageEnd(line + 1, -1) : 0;
    const page = line >>> PAGE_LINES_SHIFT;
    const stream = this.oldest(page);
    this.pages[stream] = page;
    this.lines[stream] = line;
    this.steps[stream] = 0;
    this.used[stream] = ++this.misses;
    this.begun[stream] = this.expected;
    return flags;
  }

  /** @param last the line before, if a stream came by this step */
  private pageEnd(last: number, step: number): number {
    const stream = this.find(last >>> PAGE_LINES_SHIFT);
    if (stream < 0 || this.lines[stream] !== last || this.steps[stream] !== step) return 0;
    return this.expected - this.begun[stream] < 2 * EXPECTED_LINES ? PAGE_END | ALONE : PAGE_END;
  }

  /** @returns the place of the page's set that was used longest ago */
  private oldest(page: number): number {
    const first = (Math.imul(page, SPREAD) >>> (32 - SETS_SHIFT)) << WAYS_SHIFT;
    let oldest = first;
    for (let stream = first + 1; stream < first + WAYS; stream++) {
      if (this.used[stream] < this.used[oldest]) oldest = stream;
    }
    return oldest;
  }
}
