/** The page tables of one address space, as the tables know them: a root, and how many hang below it. */

import { PAGE_BYTES } from '../../../hw/base/address.js';

export class TableRoot {
  /** Page tables linked, the root counted. */
  tables = 1;
  /** Tables set aside for splitting huge entries, so a split cannot fail; Linux deposits them likewise. */
  readonly deposit: number[] = [];

  /** @param root frame of the topmost table */
  constructor(readonly root: number) {}

  /** Bytes of page tables in use; {@link deposit} is apart. */
  get tableBytes(): number {
    return this.tables * PAGE_BYTES;
  }
}
