/**
 * The exceptions of x86: their statuses with names both ways, and error codes.
 * Source: Intel SDM vol. 3A, chapter "Interrupt and Exception Handling", "Exception and Interrupt Reference".
 */

import { BUS_ERROR, OK, PAGE_FAULT } from '../base/fault.js';

/** The status of an exception vector, 0 to 31. */
export function statusOfVector(vector: number): number {
  return -vector;
}

/** The exception vector of a status, or -1 for one that is none, such as a bus error. */
export function vectorOf(status: number): number {
  return status <= BUS_ERROR ? -1 : -status;
}

/** #DB, vector 1. */
export const DEBUG_FAULT = -1;
/** #UD, vector 6. */
export const INVALID_OPCODE = -6;
/** #DF, vector 8: an access was given up after 1,000 restarts. */
export const DOUBLE_FAULT = -8;
/** #TS, vector 10; the error code names the selector. */
export const INVALID_TSS = -10;
/** #NP, vector 11; the error code names the selector. */
export const SEGMENT_NOT_PRESENT = -11;
/** #SS, vector 12: as #GP, through SS. */
export const STACK_FAULT = -12;
/** #GP, vector 13; the error code names a selector, or is 0. */
export const GENERAL_PROTECTION = -13;
/** #AC, vector 17. */
export const ALIGNMENT_CHECK = -17;

/** VMfail, a failed VM entry, or #VMEXIT(INVALID): no exception, the hypervisor looks for it after its instruction. */
export const VM_FAILURE = -257;

/** Every status of an access or an instruction, by name: OK is 0, the others are below. */
export const STATUSES = {
  OK,
  DEBUG_FAULT,
  INVALID_OPCODE,
  DOUBLE_FAULT,
  INVALID_TSS,
  SEGMENT_NOT_PRESENT,
  STACK_FAULT,
  GENERAL_PROTECTION,
  PAGE_FAULT,
  ALIGNMENT_CHECK,
  BUS_ERROR,
  VM_FAILURE,
} as const;

/** The name of a status. */
export type StatusName = keyof typeof STATUSES;
/** A status: OK, or a number below 0 for the exception. */
export type Status = (typeof STATUSES)[StatusName];

/** Whether a number is a status, and neither an errno nor a signal of a kernel. */
export function isStatus(result: number): result is Status {
  return Object.values<number>(STATUSES).includes(result);
}

/** Page-fault error code. Source: Intel SDM vol. 3A, "Page-Fault Exceptions", figure "Page-Fault Error Code". */
export const PF_PRESENT = 1 << 0;
/** W/R: the access was a write. */
export const PF_WRITE = 1 << 1;
/** U/S: it was made in user mode. */
export const PF_USER = 1 << 2;
/** RSVD: an entry has a reserved bit set. */
export const PF_RESERVED = 1 << 3;
/** I/D: it was an instruction fetch. */
export const PF_FETCH = 1 << 4;
/** PK: a protection key refused it. */
export const PF_PROTECTION_KEY = 1 << 5;

const VECTOR_NAMES = new Map<number, string>([
  [DEBUG_FAULT, '#DB debug'],
  [INVALID_OPCODE, '#UD invalid opcode'],
  [DOUBLE_FAULT, '#DF double fault'],
  [INVALID_TSS, '#TS invalid TSS'],
  [SEGMENT_NOT_PRESENT, '#NP segment not present'],
  [STACK_FAULT, '#SS stack fault'],
  [GENERAL_PROTECTION, '#GP general protection'],
  [PAGE_FAULT, '#PF page fault'],
  [ALIGNMENT_CHECK, '#AC alignment check'],
  [BUS_ERROR, 'bus error'],
  [VM_FAILURE, 'VM failure'],
]);

/** `#PF page fault` and the like for a status of this file. */
export function faultName(status: number): string {
  return VECTOR_NAMES.get(status) ?? `vector ${vectorOf(status)}`;
}

/** The bits of a page-fault error code in words, for people. */
export function describePageFault(errorCode: number): string {
  const words = [
    errorCode & PF_FETCH ? 'instruction fetch' : errorCode & PF_WRITE ? 'write' : 'read',
    errorCode & PF_USER ? 'in user mode' : 'in supervisor mode',
    errorCode & PF_PRESENT ? 'of a present page' : 'of a page that is not present',
  ];
  if (errorCode & PF_RESERVED) words.push('with a reserved bit set in an entry');
  if (errorCode & PF_PROTECTION_KEY) words.push('refused by a protection key');
  return words.join(' ');
}
