/** Page tables of RISC-V, as a kernel or a hypervisor writes them. */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import { RISCV_GUEST_MODES, RISCV_MODES, RISCV_PTE_V } from '../../../hw/riscv/format.js';
import { TableWriter } from '../table-writer.js';

const MODES = { ...RISCV_MODES, ...RISCV_GUEST_MODES };

/** The entry of a physical address: its frame number stands two bits lower there. */
const frameField = (physical: bigint): bigint => (physical >> 12n) << 10n;

export class RiscvTableWriter extends TableWriter {
  /** Tables lie one after the other from `root` up; the root of a mode of hgatp has four in a row. */
  constructor(mode: Exclude<keyof typeof MODES, 'bare'>, root: bigint) {
    const { levels, entryBytes } = MODES[mode];
    super(
      {
        levels,
        entryBytes,
        tableBytes: PAGE_BYTES,
        rootBytes: mode in RISCV_GUEST_MODES ? 4 * PAGE_BYTES : PAGE_BYTES,
        entryFor: (table) => frameField(table) | BigInt(RISCV_PTE_V),
        tableOf: (entry) => (entry >> 10n) << 12n,
      },
      root,
    );
  }

  /** Maps the page of 2^shift bytes at `linear` to `physical`, with V and `bits` of the entry besides. */
  map(linear: bigint, physical: bigint, bits: number, shift = 12): void {
    this.set(linear, frameField(physical) | BigInt(bits | RISCV_PTE_V), shift);
  }
}
