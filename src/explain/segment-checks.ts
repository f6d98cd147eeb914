/**
 * The checks that the processor makes of a segment, one by one and in order, for people.
 *
 * The segmentation unit makes them in one go; a test holds this list to it for random descriptors.
 */

import { FETCH, READ, WRITE } from '../../hw/access.js';
import { formatHex } from '../../hw/address.js';
import type { Word64 } from '../../hw/address.js';
import { faultName, GENERAL_PROTECTION, SEGMENT_NOT_PRESENT, STACK_FAULT } from '../../hw/exception.js';
import { isCallGate } from '../../hw/segmentation/call-gate.js';
import {
  BIG,
  CALL_GATE_16,
  isCode,
  isConformingCode,
  isNull,
  isReadable,
  isWritableData,
  limitOf,
  LONG,
  LONG_UPPER_ZERO,
  PRESENT,
  privilegeOf,
  requestedLevel,
  unpackCallGate,
} from '../../hw/segmentation/descriptor.js';
import { levelsReach } from '../../hw/segmentation/load.js';
import type { SegmentRegister } from '../../hw/segmentation/register.js';
import { SS } from '../../hw/segmentation/register.js';
import type { DescriptorCopy, SegmentationUnit } from '../../hw/segmentation/unit.js';
import type { SegmentCheck } from './segment-result.js';

/** A check not made yet; `fault` is what is raised when it does not hold. */
export interface Rule {
  readonly rule: string;
  readonly holds: boolean;
  readonly fault: readonly [status: number, errorCode: number];
  readonly section: string;
}

/** A descriptor as read; undefined past the end of its table. */
export type FoundDescriptor = Pick<DescriptorCopy, 'hi' | 'lo' | 'upperHi' | 'upperLo'> | undefined;

const SDM_3A = (title: string): string => `Intel SDM vol. 3A, "${title}"`;
const LIMITS = SDM_3A('Limit Checking');
const TYPES = SDM_3A('Type Checking');
const DATA_LEVELS = SDM_3A('Privilege Level Checking When Accessing Data Segments');
const STACK_LEVELS = SDM_3A('Privilege Level Checking When Loading the SS Register');
const CODE_LEVELS = SDM_3A('Privilege Level Checking When Transferring Program Control Between Code Segments');
const GATE_LEVELS = SDM_3A('Accessing a Code Segment Through a Call Gate');
const SELECTORS = SDM_3A('Segment Selectors');
const PRESENCE = SDM_3A('Segment Descriptors');

/** Makes the checks: the first that fails ends the list, and the rest is not made. */
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

function hex(value: number): string {
  return formatHex(0, value);
}

function inTable(unit: SegmentationUnit, selector: number, found: FoundDescriptor): Rule {
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

function present(status: number, selector: number, high: number): Rule {
  return {
    rule: 'the descriptor is present (P = 1)',
    holds: (high & PRESENT) !== 0,
    fault: [status, selector & 0xfffc],
    section: PRESENCE,
  };
}

/** Loading DS, ES, FS, GS or SS with a selector that is not null, in the order of "MOV—Move". */
export function loadRules(unit: SegmentationUnit, register: number, selector: number, found: FoundDescriptor): Rule[] {
  const high = found?.hi ?? 0;
  const fault: [number, number] = [GENERAL_PROTECTION, selector & 0xfffc];
  const first = inTable(unit, selector, found);
  if (register !== SS) {
    return [first, ...dataRules(unit, selector, high, fault), present(SEGMENT_NOT_PRESENT, selector, high)];
  }
  const [rpl, dpl] = [requestedLevel(selector), privilegeOf(high)];
  return [
    first,
    { rule: `RPL ${rpl} equals CPL ${unit.cpl}`, holds: rpl === unit.cpl, fault, section: STACK_LEVELS },
    { rule: 'it is data that may be written', holds: isWritableData(high), fault, section: TYPES },
    { rule: `DPL ${dpl} equals CPL ${unit.cpl}`, holds: dpl === unit.cpl, fault, section: STACK_LEVELS },
    present(STACK_FAULT, selector, high),
  ];
}

function dataRules(unit: SegmentationUnit, selector: number, high: number, fault: readonly [number, number]): Rule[] {
  const levels = `CPL ${unit.cpl} and RPL ${requestedLevel(selector)} are at most DPL ${privilegeOf(high)}`;
  const conforming = isConformingCode(high);
  return [
    { rule: 'it is data, or code that may be read', holds: isReadable(high), fault, section: TYPES },
    {
      rule: conforming ? 'it is conforming code, so levels do not count' : levels,
      holds: conforming || levelsReach(unit, selector, high),
      fault,
      section: DATA_LEVELS,
    },
  ];
}

/** A null selector may be loaded into a data register outside of use; SS takes it only in 64-bit mode below CPL 3. */
export function nullRules(unit: SegmentationUnit, register: number, selector: number): Rule[] {
  if (register !== SS) return [];
  const holds = unit.is64Bit && unit.cpl < 3 && requestedLevel(selector) === unit.cpl;
  const rule = 'the selector is not null (SS takes null only in 64-bit mode below CPL 3, with RPL = CPL)';
  return [{ rule, holds, fault: [GENERAL_PROTECTION, 0], section: SELECTORS }];
}

/** What a far jump reads on its way: the descriptor that the selector names, and the target of a call gate. */
export interface JumpTarget {
  readonly named: FoundDescriptor;
  readonly target: FoundDescriptor;
  /** In IA-32e mode: all 16 bytes of a call gate lie inside its table. */
  readonly whole: boolean;
}

/** A far jump, in the order of "JMP—Jump". `entry` is the entry point that was asked for; a gate has its own. */
export function jumpRules(unit: SegmentationUnit, selector: number, entry: Word64, jump: JumpTarget): Rule[] {
  const notNull: Rule = {
    rule: 'the selector is not null',
    holds: !isNull(selector),
    fault: [GENERAL_PROTECTION, 0],
    section: SELECTORS,
  };
  if (isNull(selector)) return [notNull];
  const high = jump.named?.hi ?? 0;
  const start = [notNull, inTable(unit, selector, jump.named)];
  if (jump.named !== undefined && isCallGate(unit, high)) {
    return [...start, ...gateRules(unit, selector, high), ...gateTargetRules(unit, selector, jump.named, jump)];
  }
  return [...start, ...codeRules(unit, selector, jump.named, entry)];
}

function gateRules(unit: SegmentationUnit, selector: number, high: number): Rule[] {
  const levels = `CPL ${unit.cpl} and RPL ${requestedLevel(selector)} are at most the gate's DPL ${privilegeOf(high)}`;
  return [
    {
      rule: levels,
      holds: levelsReach(unit, selector, high),
      fault: [GENERAL_PROTECTION, selector & 0xfffc],
      section: GATE_LEVELS,
    },
    { ...present(SEGMENT_NOT_PRESENT, selector, high), rule: 'the gate is present (P = 1)' },
  ];
}

/** A 64-bit gate has a second half, whose type field must be 0; it leads to 64-bit code only. */
function longGateRules(gateSelector: number, gate: NonNullable<FoundDescriptor>, jump: JumpTarget): Rule[] {
  const fault: [number, number] = [GENERAL_PROTECTION, gateSelector & 0xfffc];
  const rule = 'the second half of the 16-byte gate lies inside the table, and its type field is 0';
  const holds = jump.whole && (gate.upperHi & LONG_UPPER_ZERO) === 0;
  return [{ rule, holds, fault, section: SDM_3A('Call Gates') }];
}

function gateTargetRules(
  unit: SegmentationUnit,
  gateSelector: number,
  gate: NonNullable<FoundDescriptor>,
  jump: JumpTarget,
): Rule[] {
  const long = unit.longModeActive;
  const { selector, offset, type } = unpackCallGate(gate.hi, gate.lo);
  const entry = { hi: long ? gate.upperLo : 0, lo: type === CALL_GATE_16 ? offset & 0xffff : offset };
  const start = long ? longGateRules(gateSelector, gate, jump) : [];
  const notNull: Rule = {
    rule: `the gate's selector ${hex(selector)} is not null`,
    holds: !isNull(selector),
    fault: [GENERAL_PROTECTION, 0],
    section: GATE_LEVELS,
  };
  if (isNull(selector)) return [...start, notNull];
  // The gate's own RPL has been checked; the one in its selector does not count.
  const rules = codeRules(unit, selector & 0xfffc, jump.target, entry, long);
  return [...start, notNull, inTable(unit, selector, jump.target), ...rules];
}

/** A code segment as the target of a jump; `must64` when only 64-bit code will do. */
function codeRules(
  unit: SegmentationUnit,
  selector: number,
  found: FoundDescriptor,
  entry: Word64,
  must64 = false,
): Rule[] {
  const { hi: high, lo: low } = found ?? { hi: 0, lo: 0 };
  const fault: [number, number] = [GENERAL_PROTECTION, selector & 0xfffc];
  const limit = limitOf(high, low) >>> 0;
  const rules: Rule[] = [{ rule: 'it is a code segment', holds: isCode(high), fault, section: TYPES }];
  if (unit.longModeActive) {
    const holds = (high & (LONG | BIG)) !== (LONG | BIG);
    rules.push({ rule: 'L and D are not both 1', holds, fault, section: PRESENCE });
  }
  const isLong = unit.longModeActive && (high & LONG) !== 0;
  const is64Bit: Rule = { rule: 'it is 64-bit code (L = 1)', holds: isLong, fault, section: GATE_LEVELS };
  return [
    ...rules,
    codeLevelRule(unit, selector, high),
    ...(must64 ? [is64Bit] : []),
    present(SEGMENT_NOT_PRESENT, selector, high),
    {
      rule: isLong ? 'the entry point is canonical' : `offset ${hex(entry.lo)} is at most the limit ${hex(limit)}`,
      holds: isLong ? unit.memory.isCanonical(entry.hi) : entry.lo >>> 0 <= limit,
      fault: [GENERAL_PROTECTION, 0],
      section: LIMITS,
    },
  ];
}

function codeLevelRule(unit: SegmentationUnit, selector: number, high: number): Rule {
  const [cpl, dpl, rpl] = [unit.cpl, privilegeOf(high), requestedLevel(selector)];
  const conforming = isConformingCode(high);
  return {
    rule: conforming
      ? `it is conforming code: DPL ${dpl} is at most CPL ${cpl}`
      : `a jump stays on its level: DPL ${dpl} equals CPL ${cpl}, and RPL ${rpl} is at most CPL`,
    holds: conforming ? dpl <= cpl : dpl === cpl && rpl <= cpl,
    fault: [GENERAL_PROTECTION, selector & 0xfffc],
    section: CODE_LEVELS,
  };
}

const DEEDS: Readonly<Record<number, string>> = { [READ]: 'reads', [WRITE]: 'writes', [FETCH]: 'fetches' };

/** An access through a loaded register: type, then limit; neither counts in 64-bit mode. */
export function accessRules(register: SegmentRegister, offset: number, size: number, access: number): Rule[] {
  const fault: [number, number] = [register.faultStatus, 0];
  const empty = register.first >>> 0 > register.last >>> 0;
  const range = empty ? 'there are none' : `${hex(register.first)} to ${hex(register.last)}`;
  const last = (offset >>> 0) + size - 1;
  return [
    {
      rule: `the segment allows ${DEEDS[access]}`,
      holds: register.allows(access),
      fault,
      section: TYPES,
    },
    {
      rule: `offsets ${hex(offset)} to 0x${last.toString(16)} are valid (${range})`,
      holds: register.covers(offset, size),
      fault,
      section: LIMITS,
    },
  ];
}
