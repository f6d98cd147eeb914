/** Times on the host, kept apart from everything counted by the model. */

/** Collects how long the blocks of a trace took, and tells the spread. */
export class HostTimer {
  readonly #samples: number[] = [];

  /** One measurement: `work` done in `milliseconds`; blocks without work say nothing. */
  add(milliseconds: number, work: number): void {
    if (work > 0) this.#samples.push((milliseconds * 1e6) / work);
  }

  /** Nanoseconds a unit of work at the 10th, 50th and 90th percentile of the blocks (0 when there are none). */
  spread(): { blocks: number; p10: number; median: number; p90: number } {
    const sorted = [...this.#samples].sort((a, b) => a - b);
    const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
    return { blocks: sorted.length, p10: at(0.1), median: at(0.5), p90: at(0.9) };
  }
}
