/** RISC-V with Sv48, of which a processor with Sv39 does not read the first level; 64 KiB by Svnapot. */

import * as format from '../../../../hw/riscv/format.js';
import { Hart } from '../../../../hw/riscv/hart.js';
import { PAGE_SHIFTS } from '../../../../hw/riscv/rules.js';
import type { Ram } from '../../../../hw/memory/ram.js';
import type { TlbGeometry } from '../../../../hw/tlb/hierarchy.js';
import type { TableFormat } from '../frame-supply.js';
import { GuestMemory } from '../guest-memory.js';
import type { HostFormat } from '../guest-memory.js';
import { TablePages } from '../table-pages.js';
import { SPACE_BITS } from './target.js';
import type { ReplayTarget } from './target.js';

const LEVELS = 4;
const SV48 = 9 << 28;
const { RISCV_PTE_A, RISCV_PTE_D, RISCV_PTE_N, RISCV_PTE_R, RISCV_PTE_U, RISCV_PTE_V, RISCV_PTE_W, RISCV_PTE_X } =
  format;
const PAGE = RISCV_PTE_V | RISCV_PTE_R | RISCV_PTE_W | RISCV_PTE_X | RISCV_PTE_U | RISCV_PTE_A | RISCV_PTE_D;
/** The low four bits of the frame number of an entry with N: 64 KiB. */
const NAPOT_64K = 0b1000;

const FORMAT: TableFormat = {
  page: (frame, _level, folio) => {
    const number = folio ? (frame & ~0xf) | NAPOT_64K : frame;
    return [(number << 10) | PAGE, (number >>> 22) | (folio ? RISCV_PTE_N : 0)];
  },
  table: (frame) => [(frame << 10) | RISCV_PTE_V, frame >>> 22],
};

/** Sv48x4: a root of four tables. */
const HOST: HostFormat = { ...FORMAT, levels: LEVELS, rootFrames: 4 };
const HGATP_SV48X4 = 9n << 60n;

/** @param hgatp 0 without a host */
function hartOver(ram: Ram, tlb: TlbGeometry, hgatp: bigint): Hart {
  const hart = new Hart({ ram, tlb });
  hart.writeCsr('hgatp', hgatp);
  hart.setPrivilege('S', hgatp !== 0n);
  return hart;
}

export const RISCV_TARGET: ReplayTarget<Hart> = {
  terms: { walkCaches: ['', 'level 1', 'level 2', 'level 3'], caches: 'walk caches' },
  sizes: PAGE_SHIFTS,
  levels: () => LEVELS,
  boot: (ram, tlb, kind, hostShift) => {
    if (hostShift === null) {
      return { processor: hartOver(ram, tlb, 0n), supply: new TablePages(ram, FORMAT, kind, LEVELS) };
    }
    const memory = new GuestMemory(ram, HOST, kind, hostShift);
    const processor = hartOver(ram, tlb, HGATP_SV48X4 | BigInt(memory.root));
    return { processor, supply: new TablePages(ram, FORMAT, kind, LEVELS, memory) };
  },
  beside: (first, tlb) => hartOver(first.ram, tlb, first.readCsr('hgatp')),
  load: (hart, { number, root }, keep) => {
    const asid = number & (2 ** SPACE_BITS - 1);
    hart.writeSatp(SV48 | (asid << 12), root);
    if (!keep) hart.sfenceVma(null, asid);
  },
};
