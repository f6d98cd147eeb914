/** AArch64 with the granule of the pages: 47 bits of user addresses, so four levels of tables with 4 KiB, else three. */

import * as format from '../../../../hw/aarch64/format.js';
import { Pe } from '../../../../hw/aarch64/pe.js';
import { AARCH64_PAGE_SHIFTS } from '../../../../hw/aarch64/rules.js';
import type { Ram } from '../../../../hw/memory/ram.js';
import { AArch64Entries } from '../../../kernel/tables/entries-aarch64.js';
import { GuestMemory } from '../pages/guest-memory.js';
import type { HostFormat } from '../pages/guest-memory.js';
import { AARCH64_ADDRESS_BITS, aarch64Levels } from '../pages/page-kinds.js';
import { hostEntries, kernelEntries } from '../pages/table-entries.js';
import type { TableEntries } from '../pages/table-entries.js';
import { TablePages } from '../pages/table-pages.js';
import { SPACE_BITS } from './target.js';
import type { ReplayTarget } from './target.js';

const { DESC_AF, DESC_CONTIGUOUS, DESC_S2_READ, DESC_S2_WRITE, DESC_SH_SHIFT, DESC_TABLE, DESC_VALID } = format;
/** TCR_EL1.TG0 by log2 of the granule. */
const TG0: Readonly<Record<number, bigint>> = { 12: 0n, 14: 2n, 16: 1n };
/** TCR_EL1: no walks with TTBR1, physical addresses of 40 bits, ASIDs of 16, and hardware sets AF and the dirty state. */
const TCR = (1n << 23n) | (2n << 32n) | (1n << 36n) | (1n << 39n) | (1n << 40n);

const entriesOf = (ram: Ram): TableEntries =>
  kernelEntries(new AArch64Entries(ram), (words, at) => {
    words[at + 1] |= DESC_CONTIGUOUS;
  });

/** Stage 2: valid, normal memory, S2AP for reads and writes, inner shareable, AF. */
const HOST_PAGE = DESC_VALID | (0xf << 2) | DESC_S2_READ | DESC_S2_WRITE | (3 << DESC_SH_SHIFT) | DESC_AF;

/** Stage 2 with 40 bits of address in pages of 4 KiB: three levels from a root of two tables. */
const hostOf = (ram: Ram): HostFormat => ({
  levels: 3,
  rootFrames: 2,
  entries: hostEntries(ram, (level) => HOST_PAGE | (level === 0 ? DESC_TABLE : 0), DESC_VALID | DESC_TABLE),
});
/** VTCR_EL2: T0SZ 24, SL0 1, and 48 bits of physical address. */
const VTCR = 24n | (1n << 6n) | (5n << 16n);
/** HCR_EL2.VM. */
const HCR_VM = 1n;

function enterGuest(pe: Pe, root: number): void {
  pe.writeRegister('VTCR_EL2', VTCR);
  pe.writeRegister('VTTBR_EL2', BigInt(root) << 12n);
  pe.writeRegister('HCR_EL2', HCR_VM);
}

export const AARCH64_TARGET: ReplayTarget<Pe> = {
  name: 'aarch64',
  terms: { walkCaches: ['', 'level 2', 'level 1', 'level 0'], caches: 'walk caches' },
  sizes: AARCH64_PAGE_SHIFTS,
  levels: aarch64Levels,
  boot: (ram, tlb, kind, hostShift, frames) => {
    const processor = new Pe({ ram, tlb });
    processor.writeRegister('TCR_EL1', TCR | (TG0[kind.granule] << 14n) | BigInt(64 - AARCH64_ADDRESS_BITS));
    processor.writeRegister('SCTLR_EL1', 1n);
    const memory = hostShift === null ? undefined : new GuestMemory(ram, hostOf(ram), kind, hostShift);
    if (memory !== undefined) enterGuest(processor, memory.root);
    return { processor, supply: new TablePages(ram, entriesOf(ram), kind, aarch64Levels(kind), memory ?? frames) };
  },
  beside: (first, tlb) => {
    const pe = new Pe({ ram: first.ram, tlb });
    for (const name of ['TCR_EL1', 'SCTLR_EL1', 'VTCR_EL2', 'VTTBR_EL2', 'HCR_EL2'] as const)
      pe.writeRegister(name, first.readRegister(name));
    return pe;
  },
  load: (pe, { number, root }, keep) => {
    const asid = number & (2 ** SPACE_BITS - 1);
    pe.writeTtbr0((asid << 16) | (root >>> 20), root << 12);
    if (!keep) pe.tlbi('ASIDE1', undefined, asid);
  },
};
