/** Why a hart refuses an access: the check that fails, in words of the access. */

import { FETCH, USER, WRITE } from '../../../hw/base/access.js';
import { toBigInt } from '../../../hw/base/address.js';
import { BUS_ERROR } from '../../../hw/base/fault.js';
import { decodeEntry } from '../../../hw/base/format.js';
import type { PagingLevel } from '../../../hw/base/format.js';
import { ENTRY_READ, ENTRY_WRITE } from '../../../hw/riscv/exception.js';
import {
  RISCV_GUEST_MODES,
  RISCV_MODES,
  RISCV_PTE_A,
  RISCV_PTE_D,
  RISCV_PTE_N,
  RISCV_PTE_R,
  RISCV_PTE_U,
  RISCV_PTE_V,
  RISCV_PTE_W,
} from '../../../hw/riscv/format.js';
import type { Hart } from '../../../hw/riscv/hart.js';
import type { RiscvStage } from '../../../hw/riscv/rules.js';
import { entryRights, isPage, isReserved } from '../../../hw/riscv/words.js';
import { broken } from '../walk/check.js';
import type { Reason } from '../walk/check.js';
import type { WayEntry } from '../radix/radix-walk.js';
import { accessBits } from '../state-form.js';
import type { WalkRequest } from '../walk/walk.js';
import { RISCV_CHECKS, RISCV_GUEST_CHECKS } from './checks.js';

/** The checks of one stage, and its tables. */
interface Stage {
  readonly checks: typeof RISCV_CHECKS | typeof RISCV_GUEST_CHECKS;
  readonly rules: RiscvStage;
  readonly levels: readonly PagingLevel[];
  /** `the` or `the host's`. */
  readonly whose: string;
}

/** Why the last access failed; `entries` are those on its way, as far as it came. */
export function trapReason(hart: Hart, request: WalkRequest, entries: readonly WayEntry[]): Reason {
  if (hart.fault.stage === 2) return hostReason(hart, request, entries);
  if (hart.fault.status === BUS_ERROR) return broken(RISCV_CHECKS.ram, 'no RAM answers where the walk leads');
  const { access, user, hi } = request;
  const { levels, linearBits } = RISCV_MODES[hart.rules.mode];
  if (!hart.isCanonical(hi)) {
    const top = linearBits - 1;
    return broken(RISCV_CHECKS.canonical, `bits 63 to ${top + 1} of the address must all equal bit ${top}`);
  }
  const stage: Stage = { checks: RISCV_CHECKS, rules: hart.rules.first, levels, whose: 'the' };
  const last = entries.findLast((entry) => entry.stage === 1);
  const kept = broken(RISCV_CHECKS.kept, 'the rights in the TLB refuse it, older than the entries');
  if (last === undefined) return kept;
  const bits = accessBits(access, user);
  return entryReason(stage, last) ?? modeReason(hart, bits, last.low) ?? rightsReason(stage, bits, last.low) ?? kept;
}

/** Why the second stage refuses an entry of the first, or the page. */
function hostReason(hart: Hart, { access }: WalkRequest, entries: readonly WayEntry[]): Reason {
  const { errorCode, guestHi, guestLo } = hart.fault;
  const { levels, linearBits, name } = RISCV_GUEST_MODES[hart.rules.guestMode];
  if (toBigInt(guestHi, guestLo) >> BigInt(linearBits) !== 0n) {
    const mode = name.replace('sv', 'Sv');
    return broken(RISCV_GUEST_CHECKS.addressBits, `guest-physical addresses of ${mode} have ${linearBits} bits`);
  }
  const stage: Stage = { checks: RISCV_GUEST_CHECKS, rules: hart.rules.second, levels, whose: "the host's" };
  const last = entries.at(-1);
  const what = (errorCode & ENTRY_WRITE) !== 0 ? 'write' : (errorCode & ENTRY_READ) !== 0 ? 'read' : access;
  const kept = broken(RISCV_CHECKS.kept, 'the rights kept of the second stage refuse it');
  if (last?.stage !== 2) return kept;
  const wrong = entryReason(stage, last);
  if (wrong !== undefined) return wrong;
  if ((last.low & RISCV_PTE_U) === 0) {
    return broken(RISCV_GUEST_CHECKS.user, "the host's page has U = 0: each access counts as one of user mode");
  }
  return rightsReason(stage, accessBits(what, true), last.low) ?? kept;
}

/** What is wrong with an entry whatever the access is, if anything is. */
function entryReason({ checks, rules, levels, whose }: Stage, { level, high, low }: WayEntry): Reason | undefined {
  const entry = `${whose} entry of level ${level}`;
  if ((low & RISCV_PTE_V) === 0) return broken(checks.valid, `${entry} is not valid: V = 0`);
  if ((low & (RISCV_PTE_R | RISCV_PTE_W)) === RISCV_PTE_W) {
    return broken(checks.writeOnly, `${entry} has W without R, which is reserved`);
  }
  if (!isPage(low) && level === 0) return broken(checks.leaf, `${entry} maps no page: R = W = X = 0`);
  const reserved = reservedField(levels, level, high, low);
  if (reserved !== undefined) {
    // The bits below the frame of a superpage are named reserved, and so is N above level 0.
    const check =
      reserved.low === 63 ? checks.contiguous : reserved.high < 54 && isPage(low) ? checks.aligned : checks.reserved;
    return broken(check, `${entry} has reserved bits set, of ${reserved.high} to ${reserved.low}`);
  }
  if (!isPage(low) || !isReserved(rules, level, high, low)) return undefined;
  const check = isReserved(rules, level, high & ~RISCV_PTE_N, low) ? checks.memoryType : checks.contiguous;
  return broken(check, `${entry} has a reserved encoding of ${check === checks.memoryType ? 'PBMT' : 'N'}`);
}

/** The first reserved field that is not 0. */
function reservedField(
  levels: readonly PagingLevel[],
  level: number,
  high: number,
  low: number,
): { high: number; low: number } | undefined {
  const found = levels.find((candidate) => candidate.level === level);
  const format = isPage(low) ? found?.pageEntry : (found?.tableEntry ?? found?.pageEntry);
  if (format === undefined) return undefined;
  return decodeEntry(format, high, low).find(({ name, value }) => name === 'reserved' && value > 0);
}

/** Whether the mode of an access may use a page by its U. */
function modeReason(hart: Hart, bits: number, low: number): Reason | undefined {
  const user = (bits & USER) !== 0;
  if (user && (low & RISCV_PTE_U) === 0) return broken(RISCV_CHECKS.user, 'user mode may use pages with U = 1 alone');
  if (user || (low & RISCV_PTE_U) === 0 || reaches(hart, bits)) return undefined;
  if ((bits & FETCH) !== 0) return broken(RISCV_CHECKS.supervisorFetch);
  return broken(RISCV_CHECKS.supervisor, 'supervisor mode needs SUM = 1 for pages with U = 1');
}

/** The letter that a page lacks for an access. */
function rightsReason({ checks, rules, whose }: Stage, bits: number, low: number): Reason | undefined {
  const write = (bits & WRITE) !== 0;
  if (((rules.permitted[bits] >>> entryRights(low)) & 1) === 0) {
    const [letter, check] =
      (bits & FETCH) !== 0
        ? (['X', checks.executable] as const)
        : write
          ? (['W', checks.writable] as const)
          : (['R', checks.readable] as const);
    return broken(check, `${whose} page has ${letter} = 0`);
  }
  if (rules.setsBits || ((low & RISCV_PTE_A) !== 0 && (!write || (low & RISCV_PTE_D) !== 0))) return undefined;
  return broken(checks.marked, 'accessed or dirty is clear, and software is to set it (Svade)');
}

/** Whether supervisor mode may reach a page of user mode with all rights. */
function reaches(hart: Hart, bits: number): boolean {
  const ALL = 0xf;
  return ((hart.rules.first.permitted[bits & ~USER] >>> ALL) & 1) !== 0;
}
