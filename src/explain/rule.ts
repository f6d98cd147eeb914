/** A check of the processor: its condition as a sentence, whether it holds, and the exception raised otherwise. */

import { formatHex } from '../../hw/base/address.js';
import { faultName, GENERAL_PROTECTION } from '../../hw/x86/exception.js';
import { PRESENT } from '../../hw/x86/segmentation/descriptor.js';
import type { DescriptorCopy, SegmentationUnit } from '../../hw/x86/segmentation/unit.js';
import type { SegmentCheck } from './segment/segment-result.js';

/** A check not made yet; `fault` is raised when it does not hold. */
export interface Rule {
  readonly rule: string;
  readonly holds: boolean;
  readonly fault: readonly [status: number, errorCode: number];
  readonly section: string;
}

/** A descriptor as read; undefined past the end of its table. */
export type FoundDescriptor = Pick<DescriptorCopy, 'hi' | 'lo' | 'upperHi' | 'upperLo'> | undefined;

export const SDM_3A = (title: string): string => `Intel SDM vol. 3A, "${title}"`;
export const LIMITS = SDM_3A('Limit Checking');
export const TYPES = SDM_3A('Type Checking');
export const CODE_LEVELS = SDM_3A('Privilege Level Checking When Transferring Program Control Between Code Segments');
export const GATE_LEVELS = SDM_3A('Accessing a Code Segment Through a Call Gate');
export const SELECTORS = SDM_3A('Segment Selectors');
export const PRESENCE = SDM_3A('Segment Descriptors');

/** Makes the checks: the first failure ends the list, and the rest is not made. */
export function makeChecks(rules: readonly Rule[]): SegmentCheck[] {
  const failed = rules.findIndex(({ holds }) => !holds);
  return rules.map(({ rule, holds, fault, section }, index) => ({
    rule,
    passed: failed >= 0 && index > failed ? null : holds,
    failure: faultWords(...fault),
    section,
  }));
}

/** `#GP(0x28)`. */
function faultWords(status: number, errorCode: number): string {
  return `${faultName(status).split(' ')[0]}(${formatHex(0, errorCode)})`;
}

export function hex(value: number): string {
  return formatHex(0, value);
}

export function inTable(unit: SegmentationUnit, selector: number, found: FoundDescriptor): Rule {
  const table = (selector & 4) === 0 ? unit.gdtr : unit.ldtr;
  const name = (selector & 4) === 0 ? 'GDT' : 'LDT';
  const end = (selector & 0xfff8) + 7;
  const limit = table.limit < 0 ? 'there is none' : `limit ${hex(table.limit)}`;
  return {
    rule: `bytes ${hex(selector & 0xfff8)} to ${hex(end)} lie inside the ${name} (${limit})`,
    holds: found !== undefined,
    fault: [GENERAL_PROTECTION, selector & 0xfffc],
    section: LIMITS,
  };
}

export function present(status: number, selector: number, high: number): Rule {
  return {
    rule: 'the descriptor is present (P = 1)',
    holds: (high & PRESENT) !== 0,
    fault: [status, selector & 0xfffc],
    section: PRESENCE,
  };
}
