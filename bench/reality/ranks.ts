/** Agreement of two orders. */

function ranks(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return values.map((value) => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2);
}

/** Spearman's rank correlation: Pearson's, of ranks. Null below three pairs. */
export function spearman(one: readonly number[], other: readonly number[]): number | null {
  if (one.length < 3) return null;
  const [x, y] = [ranks(one), ranks(other)];
  const mean = (one.length - 1) / 2;
  const sum = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((total, value, i) => total + (value - mean) * (b[i] - mean), 0);
  return sum(x, y) / Math.sqrt(sum(x, x) * sum(y, y));
}
