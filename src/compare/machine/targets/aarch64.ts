/** AArch64 with the granule of the pages: 47 bits of user addresses, so four levels of tables with 4 KiB, else three. */

import { Pe } from '../../../../hw/aarch64/pe.js';
import { AARCH64_PAGE_SHIFTS } from '../../../../hw/aarch64/rules.js';
import type { TableFormat } from '../frame-supply.js';
import { GuestMemory } from '../guest-memory.js';
import type { HostFormat } from '../guest-memory.js';
import type { PagesKind } from '../page-kinds.js';
import { TablePages } from '../table-pages.js';
import { SPACE_BITS } from './target.js';
import type { ReplayTarget } from './target.js';

const ADDRESS_BITS = 47;
/** TCR_EL1.TG0 by log2 of the granule. */
const TG0: Readonly<Record<number, bigint>> = { 12: 0n, 14: 2n, 16: 1n };
/** TCR_EL1: no walks with TTBR1, physical addresses of 40 bits, ASIDs of 16, and hardware sets AF and the dirty state. */
const TCR = (1n << 23n) | (2n << 32n) | (1n << 36n) | (1n << 39n) | (1n << 40n);

/** Valid, AF, inner shareable, EL0 may read and write, not global. */
const PAGE = 1 | (1 << 6) | (3 << 8) | (1 << 10) | (1 << 11);
/** Bit 1: a page at the last level, a table above it; a block has none. */
const TABLE_OR_PAGE = 1 << 1;
/** High word: the contiguous bit. */
const CONTIGUOUS = 1 << 20;

/** Stage 2: valid, normal memory, S2AP for reads and writes, inner shareable, AF. */
const HOST_PAGE = 1 | (0xf << 2) | (3 << 6) | (3 << 8) | (1 << 10);

const table: TableFormat['table'] = (frame) => [(frame << 12) | TABLE_OR_PAGE | 1, frame >>> 20];

const FORMAT: TableFormat = {
  page: (frame, level, folio) => [
    (frame << 12) | PAGE | (level === 0 ? TABLE_OR_PAGE : 0),
    (frame >>> 20) | (folio ? CONTIGUOUS : 0),
  ],
  table,
};

/**
 * Stage 2 with 40 bits of address in pages of 4 KiB: three levels from a root of two tables. Memory is normal, inner
 * shareable; all may be read and written.
 */
const HOST: HostFormat = {
  levels: 3,
  rootFrames: 2,
  page: (frame, level) => [(frame << 12) | HOST_PAGE | (level === 0 ? TABLE_OR_PAGE : 0), frame >>> 20],
  table,
};
/** VTCR_EL2: T0SZ 24, SL0 1, and 48 bits of physical address. */
const VTCR = 24n | (1n << 6n) | (5n << 16n);
/** HCR_EL2.VM. */
const HCR_VM = 1n;

function enterGuest(pe: Pe, root: number): void {
  pe.writeRegister('VTCR_EL2', VTCR);
  pe.writeRegister('VTTBR_EL2', BigInt(root) << 12n);
  pe.writeRegister('HCR_EL2', HCR_VM);
}

function levels({ granule }: Pick<PagesKind, 'granule'>): number {
  return Math.ceil((ADDRESS_BITS - granule) / (granule - 3));
}

export const AARCH64_TARGET: ReplayTarget<Pe> = {
  terms: { walkCaches: ['', 'level 2', 'level 1', 'level 0'], caches: 'walk caches' },
  sizes: AARCH64_PAGE_SHIFTS,
  levels,
  boot: (ram, tlb, kind, hostShift) => {
    const processor = new Pe({ ram, tlb });
    processor.writeRegister('TCR_EL1', TCR | (TG0[kind.granule] << 14n) | BigInt(64 - ADDRESS_BITS));
    processor.writeRegister('SCTLR_EL1', 1n);
    if (hostShift === null) return { processor, supply: new TablePages(ram, FORMAT, kind, levels(kind)) };
    const memory = new GuestMemory(ram, HOST, kind, hostShift);
    enterGuest(processor, memory.root);
    return { processor, supply: new TablePages(ram, FORMAT, kind, levels(kind), memory) };
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
