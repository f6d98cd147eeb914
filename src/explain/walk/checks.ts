/** The checks of x86's walks of its own tables. */

import type { Check } from './check.js';

const PAGE_FAULTS = 'Intel SDM vol. 3A, "Page-Fault Exceptions"';
const ACCESS_RIGHTS = 'Intel SDM vol. 3A, "Determination of Access Rights"';
const KEYS = 'Intel SDM vol. 3A, "Protection Keys"';

const right = (rule: string): Check => ({ rule, fault: '#PF', section: ACCESS_RIGHTS });

/** Of CR3's tables, a guest's too. */
export const X86_CHECKS = {
  canonical: {
    rule: 'in long mode the bits from 63 down all equal the highest of the address (4 levels: 47, 5 levels: 56)',
    fault: '#GP',
    section: 'Intel SDM vol. 1, "Canonical Addressing"',
  },
  ram: {
    rule: 'RAM answers at each entry and at the page',
    fault: 'bus error',
    section: 'no section: what answers there is up to the board',
  },
  present: { rule: 'P = 1 in every entry', fault: '#PF', section: PAGE_FAULTS },
  reserved: {
    rule: 'no reserved bit is set: by mode, level, page size, EFER.NXE and MAXPHYADDR',
    fault: '#PF',
    section: 'Intel SDM vol. 3A, "32-Bit Paging", "PAE Paging", "4-Level Paging and 5-Level Paging"',
  },
  user: right('a user-mode access needs U/S = 1 in every entry'),
  smep: right('with CR4.SMEP = 1 the supervisor may not fetch from a page with U/S = 1 (SMEP)'),
  smap: right('with CR4.SMAP = 1 and RFLAGS.AC = 0 the supervisor may not touch a page with U/S = 1 (SMAP)'),
  userWrite: right('a user-mode write needs R/W = 1 in every entry'),
  supervisorWrite: right('with CR0.WP = 1 a supervisor write needs R/W = 1 in every entry'),
  execute: right('a fetch needs XD = 0 in every entry, with EFER.NXE = 1'),
  key: { rule: 'PKRU or IA32_PKRS allows data accesses by the key of the page', fault: '#PF', section: KEYS },
  kept: {
    rule: 'a TLB or paging-structure cache that answers has kept the rights for the access, whatever the entries say now',
    fault: '#PF',
    section: 'Intel SDM vol. 3A, "Caching Translation Information"',
  },
} as const satisfies Record<string, Check>;
