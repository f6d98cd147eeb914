/** The page tables of one address space, as the tables know them: a root, and how many hang below it. */

import { PAGE_BYTES } from '../../../hw/base/address.js';

export class TableRoot {
  /** Page tables linked, the root counted. */
  tables = 1;
  /** Tables kept for the day a huge entry must be split, so that splitting cannot fail; as Linux deposits them. */
  readonly deposit: number[] = [];

  /** @param root frame of the topmost table */
  constructor(readonly root: number) {}

  /** Bytes of page tables that translate now; {@link deposit} is apart. */
  get tableBytes(): number {
    return this.tables * PAGE_BYTES;
  }
}
