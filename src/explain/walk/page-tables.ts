/** Page tables of any mode of x86, written as a boot loader writes them. */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import { PTE_P, PTE_PS, PTE_RW, PTE_US, X86_MODES } from '../../../hw/x86/format.js';
import type { X86ModeName } from '../../../hw/x86/format.js';
import { TableWriter } from '../table-writer.js';

/** Everything is allowed by the tables above a page: so the page's own entry decides. */
const OPEN_TABLE = PTE_P | PTE_RW | PTE_US;

export class PageTableWriter extends TableWriter {
  /** Tables lie one after the other from the physical address `root` up. */
  constructor(
    readonly mode: Exclude<X86ModeName, 'none'>,
    root = 0x1000n,
  ) {
    const { levels, entryBytes } = X86_MODES[mode];
    super(
      {
        levels,
        entryBytes,
        tableBytes: PAGE_BYTES,
        // A PDPTE of PAE paging has no R/W and U/S: the bits are reserved.
        entryFor: (table, { shift }) => table | BigInt(mode === 'pae' && shift === 30 ? PTE_P : OPEN_TABLE),
        tableOf: (entry) => entry & ~0xfffn,
      },
      root,
    );
  }

  /** Maps the page of 2^shift bytes at `linear` to `physical`, with `bits` of the entry besides the address. */
  map(linear: bigint, physical: bigint, bits: number | bigint, shift = 12): void {
    const size = shift === 12 ? 0n : BigInt(PTE_PS);
    this.set(linear, physical | BigInt(bits) | size, shift);
  }
}
