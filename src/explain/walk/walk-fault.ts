/** Why an access faulted, in words: the error code bit by bit, the refusing rules, their sections. */

import { BUS_ERROR, PAGE_FAULT } from '../../../hw/base/fault.js';
import { describeException } from '../../../hw/x86/describe-exception.js';
import {
  faultName,
  GENERAL_PROTECTION,
  PF_FETCH,
  PF_PRESENT,
  PF_PROTECTION_KEY,
  PF_RESERVED,
  PF_USER,
  PF_WRITE,
  vectorOf,
} from '../../../hw/x86/exception.js';
import type { Exception } from '../../../hw/base/fault.js';
import type { Mmu } from '../../../hw/x86/mmu.js';
import { PTE_G, PTE_PS, PTE_XD, X86_MODES } from '../../../hw/x86/format.js';
import type { WalkRead } from '../../../hw/translate/walk/walk-record.js';
import type { Check } from './check.js';
import { X86_CHECKS } from './checks.js';
import { refusals } from './rights.js';
import type { Refusal } from './rights.js';
import type { ErrorBit, FaultOutcome, FaultReason, WalkLevel } from './walk-result.js';

/** Source: Intel SDM vol. 3A, "Page-Fault Exceptions", figure "Page-Fault Error Code". */
const ERROR_BITS: readonly { name: string; mask: number; set: string; clear: string }[] = [
  { name: 'P', mask: PF_PRESENT, set: 'all entries are present', clear: 'an entry is not present' },
  { name: 'W/R', mask: PF_WRITE, set: 'the access was a write', clear: 'the access was no write' },
  { name: 'U/S', mask: PF_USER, set: 'made in user mode', clear: 'made in supervisor mode' },
  { name: 'RSVD', mask: PF_RESERVED, set: 'a reserved bit is set in an entry', clear: 'no reserved bit is set' },
  { name: 'I/D', mask: PF_FETCH, set: 'the access was an instruction fetch', clear: 'no fetch, or not told apart' },
  { name: 'PK', mask: PF_PROTECTION_KEY, set: 'a protection key refused it', clear: 'no protection key refused it' },
];

/** The bits of a page-fault error code, each in words. */
export function errorBits(errorCode: number): ErrorBit[] {
  return ERROR_BITS.map(({ name, mask, set, clear }) => {
    const isSet = (errorCode & mask) !== 0;
    return { name, bit: Math.log2(mask), set: isSet, meaning: isSet ? set : clear };
  });
}

/** The place of the fault: the end of the way, and the deciding rights (the TLB's on a hit). */
export interface FaultScene {
  readonly mmu: Mmu;
  readonly exception: Exception;
  readonly access: number;
  readonly levels: readonly WalkLevel[];
  /** The last entry of the way. */
  readonly last: Pick<WalkRead, 'high' | 'low' | 'level'> | undefined;
  readonly rights: number;
}

export function explainFault(scene: FaultScene): FaultOutcome {
  const { exception } = scene;
  const { status, errorCode } = exception;
  const isPageFault = status === PAGE_FAULT;
  return {
    kind: 'fault',
    name: faultName(status),
    vector: status === BUS_ERROR ? null : vectorOf(status),
    errorCode: status === BUS_ERROR ? null : errorCode,
    bits: isPageFault ? errorBits(errorCode) : [],
    ...reasonsFor(scene),
  };
}

function reasonsFor(scene: FaultScene): Pick<FaultOutcome, 'reasons' | 'section'> {
  const { mmu, exception } = scene;
  const { status, errorCode } = exception;
  const { canonical, ram, present } = X86_CHECKS;
  if (status === GENERAL_PROTECTION) {
    const bits = X86_MODES[mmu.rules.mode].linearBits;
    const text = `the address is not canonical: bits 63:${bits} must all equal bit ${bits - 1}`;
    return { reasons: [{ text, rule: canonical.rule, table: null }], section: canonical.section };
  }
  if (status === BUS_ERROR) {
    const text = describeException(exception);
    return { reasons: [{ text, rule: ram.rule, table: null }], section: ram.section };
  }
  const { section } = X86_MODES[mmu.rules.mode];
  const last = scene.levels.at(-1);
  if ((errorCode & PF_PRESENT) === 0) {
    return { reasons: [blame(present, last, 'is not present: P = 0')], section: present.section };
  }
  if ((errorCode & PF_RESERVED) !== 0) return { reasons: reservedReasons(scene), section };
  const all = refusals(mmu.rules, scene.rights, scene.access);
  const now = all.filter((refusal) => !isOlder(refusal, scene.levels));
  const older = now.length < all.length ? [{ text: OLDER, rule: X86_CHECKS.kept.rule, table: null }] : [];
  return {
    reasons: [...now.map((refusal) => refusalReason(refusal, scene.levels)), ...older],
    section: (now.at(0) ?? (older.length > 0 ? X86_CHECKS.kept : present)).section,
  };
}

/** `PD[3]`. */
export function nameOf({ table, index }: WalkLevel): string {
  return `${table}[${index}]`;
}

function blame({ rule }: Pick<Check, 'rule'>, level: WalkLevel | undefined, what: string): FaultReason {
  return level === undefined
    ? { text: `an entry ${what}`, rule, table: null }
    : { text: `${nameOf(level)} ${what}`, rule, table: level.table };
}

/** In place of a right when no entry takes it away. */
export const OLDER = 'the rights kept of an earlier walk refuse it, older than the entries';

/** The bit of an entry that takes a right away from all below. */
const LOSSES = {
  user: { name: 'U/S', value: 0 },
  write: { name: 'R/W', value: 0 },
  execute: { name: 'XD', value: 1 },
};

/** The first level to take the right away: by its own bit, since the rights so far may be those of a cache. */
function takerOf(right: keyof typeof LOSSES, levels: readonly WalkLevel[]): WalkLevel | undefined {
  const { name, value } = LOSSES[right];
  return levels.find(
    ({ allows, fields }) => allows !== null && fields.some((field) => field.name === name && field.value === value),
  );
}

/** Whether a cache alone refuses: the entries would not now, or lead nowhere. */
function isOlder({ right, given }: Refusal, levels: readonly WalkLevel[]): boolean {
  if (right === null || levels.length === 0) return false;
  return levels.some(({ allows }) => allows === null) || (takerOf(right, levels) !== undefined) === given;
}

/** Names in the rule's sentence the level that takes the right away. */
function refusalReason({ right, rule, why }: Refusal, levels: readonly WalkLevel[]): FaultReason {
  const level = right === null ? undefined : takerOf(right, levels);
  if (right === null || level === undefined) return { text: why, rule, table: null };
  const { name, value } = LOSSES[right];
  return blame({ rule }, level, `has ${name} = ${value}: ${why}`);
}

/** Every reserved bit set in the last entry of the walk. */
function reservedReasons({ mmu, last, levels }: FaultScene): FaultReason[] {
  if (last === undefined) return [];
  const { rules, features } = mmu;
  const { level } = last;
  const isPage = levels.at(-1)?.pointsTo === 'page' || level === 0;
  const high = last.high & (isPage ? rules.pageReservedHigh : rules.tableReservedHigh)[level];
  const low = last.low & (isPage ? rules.pageReservedLow : rules.tableReservedLow)[level];
  const bits: string[] = [];
  for (let bit = 0; bit < 32; bit++) if (((low >>> bit) & 1) === 1) bits.push(`bit ${bit}${lowName(1 << bit, level)}`);
  for (let bit = 0; bit < 32; bit++) {
    if (((high >>> bit) & 1) === 1)
      bits.push(`bit ${bit + 32}${highName(1 << bit, bit + 32, features.maxPhysicalBits)}`);
  }
  return bits.map((bit) => blame(X86_CHECKS.reserved, levels.at(-1), `has a reserved bit set: ${bit}`));
}

function lowName(mask: number, level: number): string {
  if (mask === PTE_G) return ' (reserved by AMD in the two highest tables)';
  return mask === PTE_PS && level >= 2 ? ' (PS: no page of this size exists)' : ' (below the address of a large page)';
}

function highName(mask: number, bit: number, physicalBits: number): string {
  if (mask === PTE_XD) return ' (XD, while EFER.NXE = 0)';
  return bit >= physicalBits && bit < 52 ? ` (address bits from ${physicalBits} up, MAXPHYADDR, do not exist)` : '';
}
