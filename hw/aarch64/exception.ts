/**
 * Aborts of AArch64: fault status codes, and the syndrome of a fault record.
 *
 * A fault's status is PAGE_FAULT or BUS_ERROR, as on every machine. Its error code is ESR_ELx without bit 31: this bit is
 * set in the exception class of every abort, and an error code is not negative.
 * Source: Arm ARM (DDI 0487), "ESR_EL1, Exception Syndrome Register (EL1)", encodings of Instruction Aborts
 * and Data Aborts.
 */

import { FETCH, IMPLICIT, USER, WRITE } from '../base/access.js';
import { toBigInt } from '../base/address.js';
import type { Exception } from '../base/fault.js';

/** Fault status codes, IFSC and DFSC; the manual's level is in bits 1:0. The address is too large. */
export const FSC_ADDRESS_SIZE = 0x00;
/** No translation. */
export const FSC_TRANSLATION = 0x04;
/** The Access flag is 0. */
export const FSC_ACCESS_FLAG = 0x08;
/** No right. */
export const FSC_PERMISSION = 0x0c;
/** No RAM answers: for the access, without a level; and for a descriptor. */
export const FSC_EXTERNAL = 0x10;
export const FSC_EXTERNAL_ON_WALK = 0x14;

/** The kinds with a code of their own for level -1 (FEAT_LPA2). */
const AT_LEVEL_MINUS_1: Readonly<Record<number, number>> = {
  [FSC_ADDRESS_SIZE]: 0x29,
  [FSC_TRANSLATION]: 0x2b,
  [FSC_EXTERNAL_ON_WALK]: 0x13,
};

/** The fault status code of a kind at the manual's level: there are no pages at level -1. Source: EncodeLDFSC(). */
export function statusCode(kind: number, level: number): number {
  return level < 0 ? AT_LEVEL_MINUS_1[kind] : kind | level;
}

/** Kind and level of a fault status code; 0 where it has no level. */
export function abortKindOf(errorCode: number): { kind: number; level: number } {
  const fsc = errorCode & FSC;
  const found = Object.entries(AT_LEVEL_MINUS_1).find(([, code]) => code === fsc);
  return found === undefined ? { kind: fsc & ~3, level: fsc & 3 } : { kind: Number(found[0]), level: -1 };
}

const FSC = 0x3f;
const WNR = 1 << 6;
/** ISS.S1PTW: the second stage refused an access to a descriptor of the first. */
export const ON_WALK = 1 << 7;
/** ESR_ELx.IL: the instruction has 32 bits. */
const IL = 1 << 25;
/** Of the exception class: the fault comes from EL1; and it is a Data Abort. Bit 31 is set as well. */
const FROM_EL1 = 1 << 26;
const DATA = 1 << 28;
const CLASS_ABORT = 0x8000_0000;

/** LDTR and STTR at EL1: an access with EL0's rights whose exceptions come from EL1. */
export const UNPRIVILEGED = USER | IMPLICIT;

/**
 * The error code of a fault.
 * @param fsc the fault status code, level included
 * @param el0 whether code runs at EL0
 */
export function errorCodeOf(fsc: number, access: number, el0: boolean): number {
  const fromEl0 = el0 || (access & UNPRIVILEGED) === USER;
  const origin = fromEl0 ? 0 : FROM_EL1;
  if ((access & FETCH) !== 0) return IL | origin | fsc;
  return IL | DATA | origin | ((access & WRITE) !== 0 ? WNR : 0) | fsc;
}

/** Values left by an abort in the registers of the exception level it is taken to. */
export interface Abort {
  /** 2 for faults of stage 2, else 1. */
  readonly el: 1 | 2;
  /** ESR_ELx. */
  readonly esr: number;
  /** FAR_ELx: the virtual address. */
  readonly far: bigint;
  /** HPFAR_EL2 of a fault of stage 2, else 0: bits 51:12 of the intermediate physical address, from bit 4 on. */
  readonly hpfar: bigint;
}

/** Values left by an exception of a PE in its registers. An abort of stage 2 is always taken from below. */
export function abortOf({ errorCode, hi, lo, stage, guestHi, guestLo }: Exception): Abort {
  const second = stage === 2;
  return {
    el: second ? 2 : 1,
    esr: CLASS_ABORT + (second ? errorCode & ~FROM_EL1 : errorCode),
    far: toBigInt(hi, lo),
    hpfar: second ? (toBigInt(guestHi, guestLo) >> 12n) << 4n : 0n,
  };
}

const KINDS: Readonly<Record<number, string>> = {
  [FSC_ADDRESS_SIZE]: 'address size fault',
  [FSC_TRANSLATION]: 'translation fault',
  [FSC_ACCESS_FLAG]: 'access flag fault',
  [FSC_PERMISSION]: 'permission fault',
  [FSC_EXTERNAL_ON_WALK]: 'external abort on a walk',
};

/** `translation fault, level 2` and the like for ESR_ELx or an error code. */
export function abortName(esr: number): string {
  const { kind, level } = abortKindOf(esr);
  if ((esr & FSC) === FSC_EXTERNAL) return 'external abort';
  const onWalk = (esr & ON_WALK) !== 0 ? ', for a descriptor of stage 1' : '';
  return kind in KINDS ? `${KINDS[kind]}, level ${level}${onWalk}` : `fault status 0x${(esr & FSC).toString(16)}`;
}
