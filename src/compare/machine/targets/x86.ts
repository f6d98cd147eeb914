/** x86 with 4-level paging. */

import { SIZE_SHIFTS } from '../../../../hw/base/address.js';
import type { Ram } from '../../../../hw/memory/ram.js';
import type { TlbGeometry } from '../../../../hw/tlb/hierarchy.js';
import { Core } from '../../../../hw/x86/core.js';
import { PTE_A, PTE_D, PTE_P, PTE_PS, PTE_RW, PTE_US } from '../../../../hw/x86/format.js';
import { Mmu } from '../../../../hw/x86/mmu.js';
import * as reg from '../../../../hw/x86/registers.js';
import { X86_TERMS } from '../../../../hw/x86/terms.js';
import { Kernel } from '../../../kernel/kernel.js';
import { KernelPages } from '../kernel-pages.js';
import { isFolio } from '../page-kinds.js';
import type { PagesKind } from '../page-kinds.js';
import { TablePages } from '../table-pages.js';
import type { TableFormat } from '../table-pages.js';
import { SPACE_BITS } from './target.js';
import type { LoadedSpace, ReplayTarget } from './target.js';

const LEVELS = 4;
const PCID_MASK = 2 ** SPACE_BITS - 1;
/** Bit 31 of CR3's high word: keep what the TLB has of the address space. */
const KEEP = 1 << 31;
const TABLE = PTE_P | PTE_RW | PTE_US | PTE_A;

const FORMAT: TableFormat = {
  page: (frame, level) => [(frame << 12) | TABLE | PTE_D | (level > 0 ? PTE_PS : 0), frame >>> 20],
  table: (frame) => [(frame << 12) | TABLE, frame >>> 20],
};

function boot(ram: Ram, tlb: TlbGeometry, kind: PagesKind): ReturnType<ReplayTarget<Mmu>['boot']> {
  const processor = new Mmu({ ram, tlb });
  // The kernel knows no folios of several entries.
  if (!isFolio(kind)) {
    return { processor, supply: new KernelPages(new Kernel({ processor: new Core(processor) }), kind) };
  }
  processor.writeCr4(reg.CR4_PAE);
  processor.writeEfer(reg.EFER_LME | reg.EFER_NXE);
  processor.writeCr0(reg.CR0_PE | reg.CR0_WP | reg.CR0_PG);
  return { processor, supply: new TablePages(ram, FORMAT, kind, LEVELS) };
}

export const X86_TARGET: ReplayTarget<Mmu> = {
  terms: X86_TERMS,
  sizes: SIZE_SHIFTS,
  levels: () => LEVELS,
  boot,
  beside: (first, tlb) => {
    const mmu = new Mmu({ ram: first.ram, tlb });
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
