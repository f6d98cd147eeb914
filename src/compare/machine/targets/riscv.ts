/** RISC-V with Sv48, of which a processor with Sv39 does not read the first level; 64 KiB by Svnapot. */

import { RISCV_PTE_N } from '../../../../hw/riscv/format.js';
import { Hart } from '../../../../hw/riscv/hart.js';
import { PAGE_SHIFTS } from '../../../../hw/riscv/rules.js';
import type { Ram } from '../../../../hw/memory/ram.js';
import type { TlbGeometry } from '../../../../hw/tlb/hierarchy.js';
import { RiscvEntries } from '../../../kernel/tables/entries-riscv.js';
import { GuestMemory } from '../pages/guest-memory.js';
import type { HostFormat } from '../pages/guest-memory.js';
import { kernelEntries } from '../pages/table-entries.js';
import type { TableEntries } from '../pages/table-entries.js';
import { TablePages } from '../pages/table-pages.js';
import { SPACE_BITS } from './target.js';
import type { ReplayTarget } from './target.js';

const LEVELS = 4;
const SV48 = 9 << 28;
/** Bits 13:10 of an entry with N, the low ones of its frame number: 64 KiB. */
const NAPOT_BITS = 0xf << 10;
const NAPOT_64K = 0b1000 << 10;

const entriesOf = (ram: Ram): TableEntries =>
  kernelEntries(new RiscvEntries(ram), (words, at) => {
    words[at] = (words[at] & ~NAPOT_BITS) | NAPOT_64K;
    words[at + 1] |= RISCV_PTE_N;
  });

/** Sv48x4: a root of four tables. */
const hostOf = (ram: Ram): HostFormat => ({ entries: entriesOf(ram), levels: LEVELS, rootFrames: 4 });
const HGATP_SV48X4 = 9n << 60n;

/** @param hgatp 0 without a host */
function hartOver(ram: Ram, tlb: TlbGeometry, hgatp: bigint): Hart {
  const hart = new Hart({ ram, tlb });
  hart.writeCsr('hgatp', hgatp);
  hart.setPrivilege('S', hgatp !== 0n);
  return hart;
}

export const RISCV_TARGET: ReplayTarget<Hart> = {
  name: 'riscv',
  terms: { walkCaches: ['', 'level 1', 'level 2', 'level 3'], caches: 'walk caches' },
  sizes: PAGE_SHIFTS,
  levels: () => LEVELS,
  boot: (ram, tlb, kind, hostShift, frames) => {
    const memory = hostShift === null ? undefined : new GuestMemory(ram, hostOf(ram), kind, hostShift);
    const processor = hartOver(ram, tlb, memory === undefined ? 0n : HGATP_SV48X4 | BigInt(memory.root));
    return { processor, supply: new TablePages(ram, entriesOf(ram), kind, LEVELS, memory ?? frames) };
  },
  beside: (first, tlb) => hartOver(first.ram, tlb, first.readCsr('hgatp')),
  load: (hart, { number, root }, keep) => {
    const asid = number & (2 ** SPACE_BITS - 1);
    hart.writeSatp(SV48 | (asid << 12), root);
    if (!keep) hart.sfenceVma(null, asid);
  },
};
