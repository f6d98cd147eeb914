/** Names of the statuses of accesses and instructions, both ways. */

import { BUS_ERROR, OK, PAGE_FAULT } from '../base/fault.js';
import * as statuses from './exception.js';

/** Every status, by name: OK is 0, the others are below. */
export const STATUSES = {
  OK,
  DEBUG_FAULT: statuses.DEBUG_FAULT,
  INVALID_OPCODE: statuses.INVALID_OPCODE,
  DOUBLE_FAULT: statuses.DOUBLE_FAULT,
  INVALID_TSS: statuses.INVALID_TSS,
  SEGMENT_NOT_PRESENT: statuses.SEGMENT_NOT_PRESENT,
  STACK_FAULT: statuses.STACK_FAULT,
  GENERAL_PROTECTION: statuses.GENERAL_PROTECTION,
  PAGE_FAULT,
  ALIGNMENT_CHECK: statuses.ALIGNMENT_CHECK,
  BUS_ERROR,
  VM_FAILURE: statuses.VM_FAILURE,
} as const;

/** The name of a status. */
export type StatusName = keyof typeof STATUSES;
/** A status: OK, or a number below 0 for the exception. */
export type Status = (typeof STATUSES)[StatusName];

/** Whether a number is a status, and neither an errno nor a signal of a kernel. */
export function isStatus(result: number): result is Status {
  return Object.values<number>(STATUSES).includes(result);
}
