/** Sizes in bytes to measure growth at: from `first` by factors of 4, and `most`. */
export function sizesUpTo(first: number, most: number): number[] {
  const sizes: number[] = [];
  for (let bytes = first; bytes < most; bytes *= 4) sizes.push(bytes);
  return [...sizes, most];
}
