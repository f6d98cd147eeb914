/** x86 with 4-level paging, and tables written without a kernel. */

import { PAGE_BYTES, SIZE_SHIFTS } from '../../../../hw/base/address.js';
import { OK } from '../../../../hw/base/fault.js';
import type { Ram } from '../../../../hw/memory/ram.js';
import type { TlbGeometry } from '../../../../hw/tlb/hierarchy.js';
import { Mmu } from '../../../../hw/x86/mmu.js';
import * as ept from '../../../../hw/x86/nested/ept-format.js';
import { makeEptp } from '../../../../hw/x86/nested/virtual-machines.js';
import type { GuestState } from '../../../../hw/x86/nested/virtual-machines.js';
import * as reg from '../../../../hw/x86/registers.js';
import { X86_TERMS } from '../../../../hw/x86/terms.js';
import { X86Entries } from '../../../kernel/tables/entries-x86.js';
import type { FrameSupply } from '../pages/frame-supply.js';
import { GuestMemory } from '../pages/guest-memory.js';
import type { HostFormat } from '../pages/guest-memory.js';
import type { PagesKind } from '../pages/page-kinds.js';
import { hostEntries, kernelEntries } from '../pages/table-entries.js';
import { TablePages } from '../pages/table-pages.js';
import { SPACE_BITS } from './target.js';
import type { LoadedSpace, ReplayTarget } from './target.js';

const LEVELS = 4;
const PCID_MASK = 2 ** SPACE_BITS - 1;
/** Bit 31 of CR3's high word: keep what the TLB has of the address space. */
const KEEP = 1 << 31;
const { EPT_A, EPT_D, EPT_EXECUTE, EPT_PAGE, EPT_READ, EPT_WRITE, EPTP_WRITE_BACK } = ept;
/** The memory type of a page, in bits 5:3. */
const WRITE_BACK = EPTP_WRITE_BACK << 3;
const EPT_TABLE = EPT_READ | EPT_WRITE | EPT_EXECUTE | EPT_A;

/** EPT with accessed and dirty flags, as KVM has it: all of them set. */
const eptOf = (ram: Ram): HostFormat => ({
  levels: 4,
  rootFrames: 1,
  entries: hostEntries(ram, (level) => EPT_TABLE | EPT_D | WRITE_BACK | (level > 0 ? EPT_PAGE : 0), EPT_TABLE),
});

function boot(
  ram: Ram,
  tlb: TlbGeometry,
  kind: PagesKind,
  hostShift: number | null,
  frames?: FrameSupply,
): ReturnType<ReplayTarget<Mmu>['boot']> {
  const processor = new Mmu({ ram, tlb });
  if (hostShift !== null) {
    const memory = new GuestMemory(ram, eptOf(ram), kind, hostShift);
    enterGuest(processor, memory.root);
    return { processor, supply: new TablePages(ram, kernelEntries(new X86Entries(ram)), kind, LEVELS, memory) };
  }
  processor.writeCr4(reg.CR4_PAE);
  processor.writeEfer(reg.EFER_LME | reg.EFER_NXE);
  processor.writeCr0(reg.CR0_PE | reg.CR0_WP | reg.CR0_PG);
  return { processor, supply: new TablePages(ram, kernelEntries(new X86Entries(ram)), kind, LEVELS, frames) };
}

/** Into a guest in long mode, with a VPID: entries and exits drop nothing. */
function enterGuest(mmu: Mmu, root: number): void {
  const guest: GuestState = {
    cr0: reg.CR0_PE | reg.CR0_WP | reg.CR0_PG,
    cr3: 0,
    cr4: reg.CR4_PAE,
    efer: reg.EFER_LME | reg.EFER_LMA | reg.EFER_NXE,
  };
  const status = mmu.vm.vmlaunch({ eptp: makeEptp(root * PAGE_BYTES, { accessedDirty: true }), vpid: 1, guest });
  if (status !== OK) throw new Error(`no guest runs over the host's tables at frame ${root}`);
}

export const X86_TABLES: ReplayTarget<Mmu> = {
  name: 'x86',
  terms: X86_TERMS,
  sizes: SIZE_SHIFTS,
  levels: () => LEVELS,
  boot,
  beside: (first, tlb) => {
    const mmu = new Mmu({ ram: first.ram, tlb });
    const { current } = first.vm;
    if (current !== null && 'eptp' in current) {
      mmu.vm.vmlaunch(current);
      return mmu;
    }
    mmu.writeCr3(first.cr3Hi, first.cr3Lo & ~PCID_MASK);
    // PCIDs need long mode first: load() turns them on.
    mmu.writeCr4(first.cr4 & ~reg.CR4_PCIDE);
    mmu.writeEfer(first.efer);
    mmu.writeCr0(first.cr0);
    return mmu;
  },
  load: (mmu, { number, root }: LoadedSpace, keep) => {
    if ((mmu.cr4 & reg.CR4_PCIDE) === 0) mmu.writeCr4(mmu.cr4 | reg.CR4_PCIDE);
    mmu.writeCr3((root >>> 20) | (keep ? KEEP : 0), (root << 12) | (number & PCID_MASK));
  },
};
