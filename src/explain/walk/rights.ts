/** Rights of a walk in words, and the rule behind a refusal. */

import { FETCH, IMPLICIT, USER, WRITE } from '../../../hw/base/access.js';
import { KEY_SHIFT } from '../../../hw/base/permission.js';
import { RIGHT_USER, RIGHT_WRITE, RIGHT_XD, type PagingRules } from '../../../hw/x86/rules.js';
import { broken } from './check.js';
import type { Check, Reason } from './check.js';
import { X86_CHECKS } from './checks.js';

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

/** A failed check of an access, and its right; null: a key's. */
export interface Refusal extends Reason {
  readonly right: keyof Allowed | null;
  /** All entries give the right, and that is why: SMEP and SMAP. Else some entry takes it away. */
  readonly given: boolean;
}

function userCheck(access: number, expected: number): Check {
  if ((expected & RIGHT_USER) !== 0) return X86_CHECKS.user;
  return (access & FETCH) !== 0 ? X86_CHECKS.smep : X86_CHECKS.smap;
}

function writeCheck(access: number): Check {
  return (access & (USER | IMPLICIT)) === USER ? X86_CHECKS.userWrite : X86_CHECKS.supervisorWrite;
}

function keyWords(rights: number, access: number): string {
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
    found.push({ right: 'user', given: (expected & RIGHT_USER) === 0, ...broken(userCheck(access, expected)) });
  }
  if ((wrong & RIGHT_WRITE) !== 0) found.push({ right: 'write', given: false, ...broken(writeCheck(access)) });
  if ((wrong & RIGHT_XD) !== 0) found.push({ right: 'execute', given: false, ...broken(X86_CHECKS.execute) });
  if (rules.regime.keys !== 0 && rules.keyRefuses(rights, access)) {
    found.push({ right: null, given: false, ...broken(X86_CHECKS.key, keyWords(rights, access)) });
  }
  return found;
}
