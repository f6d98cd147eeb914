/** Rights of a walk in words, and the rule behind a refusal. */

import { FETCH, IMPLICIT, USER, WRITE } from '../../../hw/base/access.js';
import { KEY_SHIFT } from '../../../hw/base/permission.js';
import { RIGHT_USER, RIGHT_WRITE, RIGHT_XD, type PagingRules } from '../../../hw/x86/rules.js';

/** Rights left by the levels walked so far. */
export interface Allowed {
  readonly user: boolean;
  readonly write: boolean;
  readonly execute: boolean;
}

export function allowedBy(rights: number): Allowed {
  return {
    user: (rights & RIGHT_USER) !== 0,
    write: (rights & RIGHT_WRITE) !== 0,
    execute: (rights & RIGHT_XD) === 0,
  };
}

/** `user rwx`, `kernel r--`: the least privilege, and the rights. */
export function allowedWords({ user, write, execute }: Allowed): string {
  return `${user ? 'user' : 'kernel'} r${write ? 'w' : '-'}${execute ? 'x' : '-'}`;
}

/** A rule broken by an access, in words, and its section. */
export interface Refusal {
  /** The right taken away by some entry; null if no entry did: SMEP, SMAP, protection keys. */
  readonly right: keyof Allowed | null;
  readonly rule: string;
  readonly section: string;
}

const ACCESS_RIGHTS = 'Intel SDM vol. 3A, "Determination of Access Rights"';
const KEYS = 'Intel SDM vol. 3A, "Protection Keys"';

function userRule(access: number, expected: number): string {
  if ((expected & RIGHT_USER) !== 0) return 'a user-mode access needs U/S = 1 in every entry';
  if ((access & FETCH) !== 0) return 'with CR4.SMEP = 1 the supervisor may not fetch from a page with U/S = 1 (SMEP)';
  return 'with CR4.SMAP = 1 and RFLAGS.AC = 0 the supervisor may not touch a page with U/S = 1 (SMAP)';
}

function writeRule(access: number): string {
  const who = (access & (USER | IMPLICIT)) === USER ? 'a user-mode write' : 'with CR0.WP = 1 a supervisor write';
  return `${who} needs R/W = 1 in every entry`;
}

function keyRule(rights: number, access: number): string {
  const register = (rights & RIGHT_USER) !== 0 ? 'PKRU' : 'IA32_PKRS';
  const key = (rights >>> KEY_SHIFT) & 0xf;
  return `${register} refuses ${(access & WRITE) !== 0 ? 'writes' : 'reads'} of pages with protection key ${key}`;
}

/** The rules against an access with these rights; none when it is allowed. */
export function refusals(rules: PagingRules, rights: number, access: number): Refusal[] {
  const expected = rules.expected[access];
  const wrong = (rights ^ expected) & rules.needed[access];
  const found: Refusal[] = [];
  if ((wrong & RIGHT_USER) !== 0) {
    const right = (expected & RIGHT_USER) !== 0 ? 'user' : null;
    found.push({ right, rule: userRule(access, expected), section: ACCESS_RIGHTS });
  }
  if ((wrong & RIGHT_WRITE) !== 0) found.push({ right: 'write', rule: writeRule(access), section: ACCESS_RIGHTS });
  if ((wrong & RIGHT_XD) !== 0) {
    const rule = 'a fetch needs XD = 0 in every entry, with EFER.NXE = 1';
    found.push({ right: 'execute', rule, section: ACCESS_RIGHTS });
  }
  if (rules.regime.keys !== 0 && rules.keyRefuses(rights, access)) {
    found.push({ right: null, rule: keyRule(rights, access), section: KEYS });
  }
  return found;
}
