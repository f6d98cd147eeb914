/** The names of those who store, for the journal of RAM: what the kernels label their stores with. */

import { toHex } from '../../../hw/base/address.js';
import type { Ram } from '../../../hw/memory/ram.js';

/** Names the maker of the stores that follow: a system call and its numbers, or nobody (''). Without a journal nothing is named. */
export function labelStores(ram: Ram, name: string, numbers: readonly number[] = []): void {
  if (ram.journal === null) return;
  ram.storeLabel = numbers.length === 0 ? name : `${name}(${numbers.map(toHex).join(', ')})`;
}
