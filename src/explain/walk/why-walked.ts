/** Why the processor walks although the TLB has the page: it looks wrong to a beginner, and is right. */

import type { WalkResult } from './walk-result.js';

/** A sentence or two; undefined when nothing is odd. Source: Intel SDM vol. 3A, "Accessed and Dirty Flags". */
export function whyWalked({ tlb, levels, changes }: WalkResult): string | undefined {
  const read = levels.some(({ skipped }) => !skipped);
  if (!tlb.answer.endsWith('hit') || !read) return undefined;
  if (!changes.some(({ bits }) => bits.split(' ').includes('D'))) return undefined;
  return 'The TLB has the page, but not as dirty. The first write must set D in the entry in memory, so the processor walks to it once; later writes hit.';
}
