/**
 * Streams: rows of misses to neighbouring lines, up or down, within a page of 4 KiB. Hardware prefetchers see these and
 * ask for the next line in time. 32 streams at once, one a page, as Intel optimization manual, "Data Prefetching", says
 * of the prefetcher into L2; other makers' do no less.
 */

const STREAMS = 32;
/** log2 of the lines of a page of 4 KiB. */
const PAGE_LINES_SHIFT = 6;

/** Tells misses that a prefetcher had expected. */
export class Streams {
  /** By stream: its page, the line that missed last in it, and the step that led there. */
  private readonly pages = new Int32Array(STREAMS).fill(-1);
  private readonly lines = new Int32Array(STREAMS);
  private readonly steps = new Int32Array(STREAMS);

  /** Notes a miss. @returns whether it goes on where two misses before it were leading */
  expects(line: number): boolean {
    const page = line >>> PAGE_LINES_SHIFT;
    const stream = page & (STREAMS - 1);
    const step = line - this.lines[stream];
    const expected = this.pages[stream] === page && step !== 0 && step === this.steps[stream];
    this.steps[stream] = this.pages[stream] === page && (step === 1 || step === -1) ? step : 0;
    this.pages[stream] = page;
    this.lines[stream] = line;
    return expected;
  }
}
