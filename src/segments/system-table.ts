/** The kernel's own descriptors, and the privileged instructions to load tables. */

import { CR0_ET, CR0_PE } from '../../hw/x86/registers.js';
import type { SegmentedCore } from '../../hw/x86/segmentation/core.js';
import { LDT, packSegment } from '../../hw/x86/segmentation/descriptor.js';
import { loadGdt, loadLdt } from '../../hw/x86/segmentation/table-registers.js';
import type { SegmentTable } from './segment-table.js';

/** The descriptor of the loaded LDT: number 1 of the GDT, after the null descriptor. */
export const LDT_DESCRIPTOR = 1;

/** Protected mode without paging: linear addresses are physical. Source: Intel SDM vol. 3A, "Switching to Protected Mode". */
export function installGdt(core: SegmentedCore, gdt: SegmentTable): void {
  core.mmu.writeCr0(CR0_ET | CR0_PE);
  core.unit.cpl = 0;
  loadGdt(core.unit, 0, gdt.base, gdt.capacity * 8 - 1);
  core.forgetSegments();
}

/** Points the LDT descriptor at `table` and loads LDTR, as a change of process does; null leaves no LDT. */
export function loadTable(core: SegmentedCore, gdt: SegmentTable, table: SegmentTable | null): void {
  const { unit } = core;
  const { cpl } = unit;
  unit.cpl = 0;
  if (table === null || table.bytes === 0) loadLdt(unit, 0);
  else {
    const { hi, lo } = packSegment({
      base: table.base,
      limit: table.bytes - 1,
      type: LDT,
      codeOrData: false,
      privilege: 0,
      present: true,
      available: false,
      long: false,
      big: false,
      granular: false,
    });
    gdt.ram.store64(0, gdt.addressOf(LDT_DESCRIPTOR), hi, lo);
    loadLdt(unit, LDT_DESCRIPTOR << 3);
  }
  unit.cpl = cpl;
}
