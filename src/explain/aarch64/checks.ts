/** The checks of AArch64's walks, in the order of the manual's pseudocode. */

import type { Check } from '../walk/check.js';

const SOURCE = (title: string): string => `Arm ARM (DDI 0487), chapter D8, "${title}"`;
const PROCESS = SOURCE('Translation process');
const DESCRIPTORS = SOURCE('VMSAv8-64 descriptor formats');
const UPDATES = SOURCE('Hardware updates to the translation tables');
const DIRECT = SOURCE('Direct permissions');
const HIERARCHICAL = SOURCE('Memory access control');
const SECOND = SOURCE('Stage 2 permissions');

const check = (rule: string, fault: string, section: string): Check => ({ rule, fault, section });

/** Of the tables of TTBR0_EL1 and TTBR1_EL1. */
export const AARCH64_CHECKS = {
  half: check(
    'the bits from 64 - T0SZ up are 0, or those from 64 - T1SZ up are 1; with TBI but for the top byte',
    'translation fault, level 0',
    PROCESS,
  ),
  walks: check(
    "EPD0 or EPD1 is 0, TxSZ in the granule's range, and for EL0 E0PD0 or E0PD1 is 0",
    'translation fault, level 0',
    PROCESS,
  ),
  root: check('the root table lies within IPS', 'address size fault, level 0', PROCESS),
  ram: check('RAM answers at each descriptor and at the page', 'external abort', PROCESS),
  valid: check('bit 0 of each descriptor is 1', 'translation fault', DESCRIPTORS),
  type: check(
    'bit 1 is 1 at level 3, and 0 only at levels with blocks (4K: 1 and 2, 16K: 2, 64K: 2; with 52 bits 4K: 0, 16K and 64K: 1)',
    'translation fault',
    DESCRIPTORS,
  ),
  outputSize: check('the address in each descriptor lies within IPS', 'address size fault', PROCESS),
  accessFlag: check('AF = 1, where software sets it (HA = 0)', 'access flag fault', UPDATES),
  el0: check('EL0 reads and writes pages with AP[1] = 1 alone', 'permission fault', DIRECT),
  el0Table: check(
    'no descriptor above the page has APTable[0] = 1, for a read or write by EL0',
    'permission fault',
    HIERARCHICAL,
  ),
  pan: check(
    'under PSTATE.PAN = 1 EL1 reads and writes no page with AP[1] = 1',
    'permission fault',
    SOURCE('About PSTATE.PAN and access permissions'),
  ),
  writable: check('a write needs AP[2] = 0, or DBM = 1 under HA and HD', 'permission fault', DIRECT),
  writableTable: check(
    'no descriptor above the page has APTable[1] = 1, for a write',
    'permission fault',
    HIERARCHICAL,
  ),
  execute: check('a fetch needs UXN = 0 at EL0, PXN = 0 at EL1', 'permission fault', DIRECT),
  executeTable: check(
    'no descriptor above the page has UXNTable = 1 (EL0) or PXNTable = 1 (EL1), for a fetch',
    'permission fault',
    HIERARCHICAL,
  ),
  writableNeverExecuted: check(
    'under SCTLR_EL1.WXN = 1 no page that may be written is executed',
    'permission fault',
    DIRECT,
  ),
  el0Writable: check('EL1 executes no page that EL0 may write', 'permission fault', DIRECT),
  kept: check(
    'a TLB or walk cache that answers has kept the rights for the access, whatever the descriptors say now',
    'permission fault',
    SOURCE('Translation Lookaside Buffers'),
  ),
} as const satisfies Record<string, Check>;

/** Of VTTBR_EL2's tables, for a page and for each descriptor of stage 1. */
export const AARCH64_HOST_CHECKS = {
  addressBits: check(
    'an intermediate physical address has no more than 64 - VTCR_EL2.T0SZ bits',
    'translation fault, level 0',
    PROCESS,
  ),
  start: check(
    'VTCR_EL2.SL0 and T0SZ leave the root 1 to 16 tables, at a level of the granule',
    'translation fault, level 0',
    PROCESS,
  ),
  root: check('the root table lies within VTCR_EL2.PS', 'address size fault, level 0', PROCESS),
  valid: check('bit 0 of each descriptor is 1', 'translation fault', DESCRIPTORS),
  type: check('bit 1 is 1 at level 3, and 0 only at levels with blocks', 'translation fault', DESCRIPTORS),
  outputSize: check('the address in each descriptor lies within VTCR_EL2.PS', 'address size fault', PROCESS),
  accessFlag: check('AF = 1, where software sets it (VTCR_EL2.HA = 0)', 'access flag fault', UPDATES),
  readable: check('a read, and a walk of stage 1, needs S2AP[0] = 1', 'permission fault', SECOND),
  writable: check('a write needs S2AP[1] = 1, or DBM = 1 under HA and HD', 'permission fault', SECOND),
  marks: check(
    "an update of a descriptor of stage 1 needs S2AP[1] = 1 of the descriptor's page",
    'permission fault',
    SECOND,
  ),
  execute: check(
    'a fetch needs XN = 0; with FEAT_XNX XN is 0 or 1 for EL0, 0 or 3 for EL1',
    'permission fault',
    SECOND,
  ),
  deviceMemory: check('under HCR_EL2.PTW = 1 no walk of stage 1 reads Device memory', 'permission fault', SECOND),
} as const satisfies Record<string, Check>;
