/** x86 with pages from the kernel of this model, as far as it knows them. */

import { Core } from '../../../../hw/x86/core.js';
import { Mmu } from '../../../../hw/x86/mmu.js';
import { Kernel } from '../../../kernel/kernel.js';
import { KernelPages } from '../pages/kernel-pages.js';
import { isFolio } from '../pages/page-kinds.js';
import type { ReplayTarget } from './target.js';
import { X86_TABLES } from './x86-tables.js';

export const X86_TARGET: ReplayTarget<Mmu> = {
  ...X86_TABLES,
  boot: (ram, tlb, kind, hostShift, frames) => {
    // The kernel knows no folios of several entries, and no hosts.
    if (isFolio(kind) || hostShift !== null) return X86_TABLES.boot(ram, tlb, kind, hostShift, frames);
    const processor = new Mmu({ ram, tlb });
    return { processor, supply: new KernelPages(new Kernel({ processor: new Core(processor) }), kind) };
  },
};
