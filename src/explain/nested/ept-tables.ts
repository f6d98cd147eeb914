/** EPT tables of 4 levels, as a hypervisor writes them. */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import { EPT_EXECUTE, EPT_MODES, EPT_PAGE, EPT_READ, EPT_WRITE } from '../../../hw/x86/nested/ept-format.js';
import { TableWriter } from '../table-writer.js';

const RIGHTS = BigInt(EPT_READ | EPT_WRITE | EPT_EXECUTE);
/** Memory type of a page, bits 5:3: write-back. */
const WRITE_BACK = 6n << 3n;

/** Every entry gives all rights, and pages are cached write-back. */
export class EptWriter extends TableWriter {
  /** Tables lie one after the other from the physical address `root` up. */
  constructor(root: bigint) {
    super(
      {
        levels: EPT_MODES.ept4.levels,
        entryBytes: 8,
        tableBytes: PAGE_BYTES,
        entryFor: (table) => table | RIGHTS,
        tableOf: (entry) => entry & ~0xfffn,
      },
      root,
    );
  }

  /** Maps the page of 2^shift bytes at a guest-physical address. */
  map(guestPhysical: bigint, physical: bigint, shift = 12): void {
    const size = shift === 12 ? 0n : BigInt(EPT_PAGE);
    this.set(guestPhysical, physical | RIGHTS | WRITE_BACK | size, shift);
  }
}
