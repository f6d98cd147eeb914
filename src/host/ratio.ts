/** Ratios of paired measurements, with a range without any assumption about their distribution. */

/** The wanted chance of a range to hold the true median. */
const CONFIDENCE = 0.9;

export interface Ratio {
  readonly median: number;
  /** A range around the true median, with at least the chance of `confidence`. */
  readonly low: number;
  readonly high: number;
  readonly min: number;
  readonly max: number;
}

/** @param values at least one */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The chance of fewer than `few` heads in `count` tosses of a coin. */
function chanceOfFewer(few: number, count: number): number {
  let ways = 1;
  let sum = 0;
  for (let heads = 0; heads < few; heads++) {
    sum += ways;
    ways = (ways * (count - heads)) / (heads + 1);
  }
  return sum / 2 ** count;
}

/**
 * How many values are left out at each end of a range for the median, and its chance to hold the median. Each value
 * lies below the median as a coin falls, so the range errs when fewer than that many fall on one side (the sign test).
 * With few values nothing is left out, and the chance may be below 90 %.
 */
export function rangeOf(count: number): { leftOut: number; confidence: number } {
  let leftOut = 0;
  while (1 - 2 * chanceOfFewer(leftOut + 2, count) >= CONFIDENCE) leftOut++;
  return { leftOut, confidence: Math.max(0, 1 - 2 * chanceOfFewer(leftOut + 1, count)) };
}

/** Null if one of the values is none: a time of 0 was divided by, or there are no values. */
export function ratioOf(values: readonly number[]): Ratio | null {
  if (values.length === 0 || !values.every((value) => Number.isFinite(value) && value > 0)) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const { leftOut } = rangeOf(sorted.length);
  return {
    median: median(sorted),
    low: sorted[leftOut],
    high: sorted[sorted.length - 1 - leftOut],
    min: sorted[0],
    max: sorted[sorted.length - 1],
  };
}
