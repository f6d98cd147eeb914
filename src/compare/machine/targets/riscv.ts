/** RISC-V with Sv48, of which a processor with Sv39 does not read the first level; 64 KiB by Svnapot. */

import * as format from '../../../../hw/riscv/format.js';
import { Hart } from '../../../../hw/riscv/hart.js';
import { PAGE_SHIFTS } from '../../../../hw/riscv/rules.js';
import type { Ram } from '../../../../hw/memory/ram.js';
import type { TlbGeometry } from '../../../../hw/tlb/hierarchy.js';
import { TablePages } from '../table-pages.js';
import type { TableFormat } from '../table-pages.js';
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

function hartOver(ram: Ram, tlb: TlbGeometry): Hart {
  const hart = new Hart({ ram, tlb });
  hart.setPrivilege('S');
  return hart;
}

export const RISCV_TARGET: ReplayTarget<Hart> = {
  terms: { walkCaches: ['', 'level 1', 'level 2', 'level 3'], caches: 'walk caches' },
  sizes: PAGE_SHIFTS,
  levels: () => LEVELS,
  boot: (ram, tlb, kind) => ({
    processor: hartOver(ram, tlb),
    supply: new TablePages(ram, FORMAT, kind, LEVELS),
  }),
  beside: ({ ram }, tlb) => hartOver(ram, tlb),
  load: (hart, { number, root }, keep) => {
    const asid = number & (2 ** SPACE_BITS - 1);
    hart.writeSatp(SV48 | (asid << 12), root);
    if (!keep) hart.sfenceVma(null, asid);
  },
};
