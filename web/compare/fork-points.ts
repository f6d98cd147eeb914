/** The later costs of a fork, by share of the memory written by the child: in pages, and in one segment. */

import { PAGE_BYTES } from '../../hw/base/address.js';
import { Mmu } from '../../hw/x86/mmu.js';
import { Ram } from '../../hw/memory/ram.js';
import { SegmentedCore } from '../../hw/x86/segmentation/core.js';
import { forkCost } from '../../src/compare/fork-cost.js';
import { SegmentKernel } from '../../src/segments/kernel.js';
import type { ForkPoint } from './messages.js';

/** The price is linear in the memory, so a little is enough. */
const RESIDENT = 8 * 2 ** 20;
const SHIFTS = [12, 21];

/** At one share: pages of 4 KiB, of 2 MiB, and a segment. */
export async function forkPoints(share: number): Promise<ForkPoint[]> {
  const { runs } = await forkCost({ resident: RESIDENT, pages: SHIFTS, touch: share, exec: false });
  const paged = runs.map(({ pages, bytesCopied }) => ({ share, scheme: `${pages} pages`, copied: bytesCopied }));
  return [...paged, { share, scheme: 'one segment', copied: segmentCopied(share) }];
}

function segmentCopied(share: number): number {
  const ram = new Ram({ bytes: 3 * RESIDENT });
  const kernel = new SegmentKernel({ core: new SegmentedCore(new Mmu({ ram })) });
  const parent = kernel.spawn();
  if (typeof parent === 'number') throw new Error('the segmented kernel has no room for a process');
  const selector = kernel.create(parent, { kind: 'data', bytes: RESIDENT });
  const child = kernel.fork(parent);
  if (typeof child === 'number') throw new Error('the segmented kernel has no room for a fork');
  for (let offset = 0; offset < share * RESIDENT; offset += PAGE_BYTES) kernel.store(child, selector, offset, 1, 1);
  return kernel.counters.bytesCopied;
}
