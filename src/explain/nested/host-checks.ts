/** The checks of a host's tables on x86: extended page tables of Intel, nested page tables of AMD. */

import type { Check } from '../walk/check.js';

const SDM_3C = (title: string): string => `Intel SDM vol. 3C, "${title}"`;
const VIOLATIONS = SDM_3C('EPT Violations');
const MISCONFIGURATIONS = SDM_3C('EPT Misconfigurations');
const TABLE_WALK = 'AMD APM vol. 2, "Nested Table Walk" (15.25.5)';

const violation = (rule: string, section = VIOLATIONS): Check => ({ rule, fault: 'EPT violation', section });
const misconfiguration = (rule: string): Check => ({ rule, fault: 'EPT misconfiguration', section: MISCONFIGURATIONS });

/** Of EPT: a misconfiguration of an entry comes before what the entries refuse. */
export const EPT_CHECKS = {
  addressBits: violation(
    'a guest-physical address has 48 bits with 4 levels, 57 with 5',
    SDM_3C('EPT Translation Mechanism'),
  ),
  present: violation('an entry is present: R, W, X, and XU under mode-based execute control are not all 0'),
  writeOnly: misconfiguration('no entry has W without R'),
  address: misconfiguration('the address in an entry has no bit from MAXPHYADDR on'),
  tableReserved: misconfiguration('bits 6:3 of an entry for a table are 0, and bit 7 where no page is possible'),
  memoryType: misconfiguration('the memory type of a page (bits 5:3) is 0, 1, 4, 5 or 6'),
  aligned: misconfiguration('the bits below the address of a page of 2 MiB or 1 GiB are 0'),
  pageSize: misconfiguration('bit 7 of an EPT PDPTE is 0 where the processor has no pages of 1 GiB'),
  readable: violation("a read, and a read of a guest's entry, needs R = 1 in every entry"),
  writable: violation("a write, and setting A or D of a guest's entry, needs W = 1 in every entry"),
  entryWritable: violation(
    "with accessed and dirty flags (EPTP bit 6) a read of a guest's entry counts as a write: W = 1 in every entry",
    SDM_3C('Accessed and Dirty Flags for EPT'),
  ),
  executable: violation('a fetch needs X = 1 in every entry; by mode, from an address of user mode XU = 1'),
} as const satisfies Record<string, Check>;

const npf = (rule: string, section = TABLE_WALK): Check => ({ rule, fault: '#VMEXIT(NPF)', section });

/** Of nested page tables. */
export const NPT_CHECKS = {
  addressBits: npf("a guest-physical address has no more bits than the host's paging mode: P = 0"),
  present: npf('P = 1 in every entry'),
  reserved: npf(
    "no reserved bit is set, by the host's mode, EFER.NXE and MAXPHYADDR; bit 8 too in the two highest tables",
    'AMD APM vol. 2, "Long-Mode Page Translation" (5.3)',
  ),
  user: npf('each access counts as one of user mode: U/S = 1 in every entry'),
  writable: npf("a write, and each access to a guest's entry, needs R/W = 1 in every entry"),
  executable: npf('a fetch needs NX = 0 in every entry, with EFER.NXE of the host'),
} as const satisfies Record<string, Check>;
