/** The checks of RISC-V's walks, with the steps of the specification, version 1.13, as issued in 2025. */

import type { Check } from '../walk/check.js';

const SPECIFICATION = (title: string): string => `RISC-V privileged specification, "${title}"`;
const PROCESS = SPECIFICATION('Virtual Address Translation Process');
const PROTECTION = SPECIFICATION('Addressing and Memory Protection');
const STATUS = SPECIFICATION('Memory Privilege in sstatus Register');
const GUEST = SPECIFICATION('Guest Physical Address Translation');

/** Those that both stages make; `fault` is the stage's own. */
function ofEntries(fault: string) {
  const check = (rule: string, section: string): Check => ({ rule, fault, section });
  return {
    valid: check('V = 1 in every entry', `${PROCESS}, step 3`),
    writeOnly: check('no entry has W without R', `${PROCESS}, step 3`),
    reserved: check(
      'reserved bits are 0: 60 to 54 of every entry; in an entry for a table D, A, U, N and PBMT too',
      `${PROCESS}, step 3`,
    ),
    leaf: check('the entry of level 0 maps a page: R, W and X are not all 0', `${PROCESS}, step 4`),
    contiguous: check(
      'N = 1 at level 0 alone, with frame bits 3:0 = 1000, and where the hart has Svnapot',
      SPECIFICATION('Svnapot'),
    ),
    memoryType: check(
      'PBMT is 0 to 2, and 0 while PBMTE is 0 (of henvcfg for vsatp, else of menvcfg)',
      SPECIFICATION('Svpbmt'),
    ),
    aligned: check('a superpage is aligned: the frame bits below its size are 0', `${PROCESS}, step 5`),
    readable: check('a load needs R = 1, or X = 1 under MXR', `${PROCESS}, step 8`),
    writable: check('a store needs W = 1', `${PROCESS}, step 8`),
    executable: check('a fetch needs X = 1', `${PROCESS}, step 8`),
    marked: check(
      'A = 1, and D = 1 for a store, where software sets them (Svade: ADUE = 0, of henvcfg for vsatp, else of menvcfg)',
      `${PROCESS}, step 9`,
    ),
  };
}

/** Of satp's tables, and of vsatp's. */
export const RISCV_CHECKS = {
  canonical: {
    rule: "the bits above the mode's addresses all equal the highest of them (Sv39: bits 63 to 39 equal bit 38)",
    fault: 'page fault',
    section: PROTECTION,
  },
  ram: {
    rule: 'RAM answers at each entry and at the page',
    fault: 'access fault',
    section: `${PROCESS}, step 2`,
  },
  ...ofEntries('page fault'),
  user: { rule: 'user mode uses pages with U = 1 alone', fault: 'page fault', section: `${PROCESS}, step 6` },
  supervisor: {
    rule: 'supervisor mode loads from and stores to pages with U = 1 under SUM = 1 alone',
    fault: 'page fault',
    section: STATUS,
  },
  supervisorFetch: {
    rule: 'supervisor mode never fetches from pages with U = 1',
    fault: 'page fault',
    section: STATUS,
  },
  kept: {
    rule: 'a TLB that answers has kept the rights for the access, whatever the entries say now',
    fault: 'page fault',
    section: SPECIFICATION('Supervisor Memory-Management Fence Instruction'),
  },
} as const satisfies Record<string, Check>;

/** Of hgatp's tables, for a page and for each entry of the first stage. */
export const RISCV_GUEST_CHECKS = {
  addressBits: {
    rule: "a guest-physical address has no more bits than hgatp's mode (Sv39x4: 41)",
    fault: 'guest-page fault',
    section: GUEST,
  },
  ...ofEntries('guest-page fault'),
  user: {
    rule: 'U = 1: each access counts as one of user mode',
    fault: 'guest-page fault',
    section: GUEST,
  },
} as const satisfies Record<string, Check>;
