/**
 * Machines to count lookups with, and nothing else. All pages lie at one place, since nobody reads them: so RAM has room for
 * tables in 3 GiB, and hot loops in WebAssembly reach it. Nor does a kernel have to be loaded.
 */

import type { TlbGeometry } from '../../../hw/tlb/hierarchy.js';
import { ReplayMachine } from './machine.js';
import { TableRam } from './pages/frame-supply.js';
import type { MachineName, PagesKind } from './pages/page-kinds.js';
import type { ReplayTarget } from './targets/target.js';

const TARGETS: Readonly<Record<MachineName, () => Promise<ReplayTarget>>> = {
  x86: async () => (await import('./targets/x86-tables.js')).X86_TABLES,
  riscv: async () => (await import('./targets/riscv.js')).RISCV_TARGET,
  aarch64: async () => (await import('./targets/aarch64.js')).AARCH64_TARGET,
};

/** Makes machines for pages of some kinds. @throws RangeError when the host cannot give RAM */
type MachinesMaker = (kinds: readonly PagesKind[]) => Promise<ReplayMachine[]>;

/** A maker of such machines. Those of one call after the other may share RAM, as long as hardly any is used. */
export function countingMachines(machine: MachineName, tlb: TlbGeometry): MachinesMaker {
  let tables: TableRam | null = null;
  return async (kinds) => {
    // An entry for adjacent pages depends on where they lie: where the kernel puts them.
    if (tlb.coalesces !== undefined) tables = null;
    // V8 collects garbage whenever such a RAM is made, as if all of it were in use.
    else if (tables?.isFresh !== true) tables = TableRam.make();
    if (tables === null) {
      const { makeMachine } = await import('./make-machine.js');
      return kinds.map((kind) => makeMachine(kind, tlb, Infinity, machine));
    }
    const { ram, supply } = tables;
    const target = await TARGETS[machine]();
    return kinds.map((kind) => new ReplayMachine(target, kind, tlb, ram, null, supply(kind.granule)));
  };
}
