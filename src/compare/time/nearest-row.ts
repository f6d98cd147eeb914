/** Which of several measured arrays stands for a program. */

/**
 * The row of the largest array within the memory of the program, or of the smallest array; undefined without rows.
 * @param bytes of the program in RAM
 */
export function nearestRow<Row extends { readonly bytes: number }>(
  rows: readonly Row[],
  bytes: number,
): Row | undefined {
  const sorted = [...rows].sort((one, other) => one.bytes - other.bytes);
  return sorted.filter((row) => row.bytes <= bytes).at(-1) ?? sorted.at(0);
}
