/** The checks of a far jump, one by one and in the order of "JMP—Jump", for people; CALL has most of them in common. */

import type { Word64 } from '../../../hw/base/address.js';
import { GENERAL_PROTECTION, SEGMENT_NOT_PRESENT } from '../../../hw/x86/exception.js';
import { isCallGate } from '../../../hw/x86/segmentation/call-gate.js';
import { isLongCode } from '../../../hw/x86/segmentation/code-segment.js';
import {
  BIG,
  CALL_GATE_16,
  isCode,
  isConformingCode,
  isNull,
  limitOf,
  LONG,
  LONG_UPPER_ZERO,
  privilegeOf,
  requestedLevel,
  unpackCallGate,
} from '../../../hw/x86/segmentation/descriptor.js';
import { levelsReach } from '../../../hw/x86/segmentation/load.js';
import type { SegmentationUnit } from '../../../hw/x86/segmentation/unit.js';
import {
  CODE_LEVELS,
  GATE_LEVELS,
  hex,
  inTable,
  LIMITS,
  PRESENCE,
  present,
  SDM_3A,
  SELECTORS,
  TYPES,
} from '../rule.js';
import type { FoundDescriptor, Rule } from '../rule.js';

/** Descriptors read by a far transfer on its way: the one at the selector, and the target of a call gate. */
export interface JumpTarget {
  readonly named: FoundDescriptor;
  readonly target: FoundDescriptor;
  /** In IA-32e mode: all 16 bytes of a call gate lie inside its table. */
  readonly whole: boolean;
}

/** A far jump, in the order of "JMP—Jump". `entry` is the entry point asked for; a gate has its own. */
export function jumpRules(unit: SegmentationUnit, selector: number, entry: Word64, jump: JumpTarget): Rule[] {
  const gate = jump.named;
  const start = namedRules(unit, selector, gate);
  if (isNull(selector)) return start;
  if (gate === undefined || !isCallGate(unit, gate.hi)) return [...start, ...codeRules(unit, selector, gate, entry)];
  const { selector: code, entry: gateEntry } = gateTarget(unit, gate);
  const rules = isNull(code) ? [] : codeRules(unit, code & 0xfffc, jump.target, gateEntry, unit.longModeActive);
  return [...start, ...openGateRules(unit, selector, gate, jump), ...rules];
}

/** The selector of a far pointer names a descriptor. */
export function namedRules(unit: SegmentationUnit, selector: number, named: FoundDescriptor): Rule[] {
  const notNull: Rule = {
    rule: 'the selector is not null',
    holds: !isNull(selector),
    fault: [GENERAL_PROTECTION, 0],
    section: SELECTORS,
  };
  return isNull(selector) ? [notNull] : [notNull, inTable(unit, selector, named)];
}

/** The target of a gate: the entry point has 16 bits, 32 or 64. */
export function gateTarget(
  unit: SegmentationUnit,
  gate: NonNullable<FoundDescriptor>,
): { selector: number; entry: Word64 } {
  const { selector, offset, type } = unpackCallGate(gate.hi, gate.lo);
  const hi = unit.longModeActive ? gate.upperLo : 0;
  return { selector, entry: { hi, lo: type === CALL_GATE_16 ? offset & 0xffff : offset } };
}

/** The gate may be used, and names a descriptor; JMP and CALL have this in common. */
export function openGateRules(
  unit: SegmentationUnit,
  selector: number,
  gate: NonNullable<FoundDescriptor>,
  jump: JumpTarget,
): Rule[] {
  const code = gateTarget(unit, gate).selector;
  const notNull: Rule = {
    rule: `the gate's selector ${hex(code)} is not null`,
    holds: !isNull(code),
    fault: [GENERAL_PROTECTION, 0],
    section: GATE_LEVELS,
  };
  return [
    ...gateRules(unit, selector, gate.hi),
    ...(unit.longModeActive ? longGateRules(selector, gate, jump) : []),
    notNull,
    ...(isNull(code) ? [] : [inTable(unit, code, jump.target)]),
  ];
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

/** A 64-bit gate has a second half: its type field must be 0. The gate leads to 64-bit code only. */
function longGateRules(gateSelector: number, gate: NonNullable<FoundDescriptor>, jump: JumpTarget): Rule[] {
  const fault: [number, number] = [GENERAL_PROTECTION, gateSelector & 0xfffc];
  const rule = 'the second half of the 16-byte gate lies inside the table, and its type field is 0';
  const holds = jump.whole && (gate.upperHi & LONG_UPPER_ZERO) === 0;
  return [{ rule, holds, fault, section: SDM_3A('Call Gates') }];
}

/** A code segment as the target of a transfer without a change of level; `must64` when only 64-bit code will do. */
function codeRules(
  unit: SegmentationUnit,
  selector: number,
  found: FoundDescriptor,
  entry: Word64,
  must64 = false,
): Rule[] {
  const level = codeLevelRule(unit, selector, found?.hi ?? 0);
  return [...codeKindRules(unit, selector, found, level, must64), entryRule(unit, found, entry)];
}

/** It is code of a fitting form, of a fitting level, and present. */
export function codeKindRules(
  unit: SegmentationUnit,
  selector: number,
  found: FoundDescriptor,
  level: Rule,
  must64: boolean,
): Rule[] {
  const high = found?.hi ?? 0;
  const fault: [number, number] = [GENERAL_PROTECTION, selector & 0xfffc];
  const rules: Rule[] = [{ rule: 'it is a code segment', holds: isCode(high), fault, section: TYPES }];
  if (unit.longModeActive) {
    const holds = (high & (LONG | BIG)) !== (LONG | BIG);
    rules.push({ rule: 'L and D are not both 1', holds, fault, section: PRESENCE });
  }
  const holds = isLongCode(unit, high);
  const is64Bit: Rule = { rule: 'it is 64-bit code (L = 1)', holds, fault, section: GATE_LEVELS };
  return [...rules, level, ...(must64 ? [is64Bit] : []), present(SEGMENT_NOT_PRESENT, selector, high)];
}

/** The entry point lies inside the code. */
export function entryRule(unit: SegmentationUnit, found: FoundDescriptor, entry: Word64): Rule {
  const { hi: high, lo: low } = found ?? { hi: 0, lo: 0 };
  const isLong = isLongCode(unit, high);
  const limit = limitOf(high, low) >>> 0;
  return {
    rule: isLong ? 'the entry point is canonical' : `offset ${hex(entry.lo)} is at most the limit ${hex(limit)}`,
    holds: isLong ? unit.memory.isCanonical(entry.hi) : entry.lo >>> 0 <= limit,
    fault: [GENERAL_PROTECTION, 0],
    section: LIMITS,
  };
}

export function codeLevelRule(unit: SegmentationUnit, selector: number, high: number): Rule {
  const [cpl, dpl, rpl] = [unit.cpl, privilegeOf(high), requestedLevel(selector)];
  const conforming = isConformingCode(high);
  return {
    rule: conforming
      ? `it is conforming code: DPL ${dpl} is at most CPL ${cpl}`
      : `the level stays the same: DPL ${dpl} equals CPL ${cpl}, and RPL ${rpl} is at most CPL`,
    holds: conforming ? dpl <= cpl : dpl === cpl && rpl <= cpl,
    fault: [GENERAL_PROTECTION, selector & 0xfffc],
    section: CODE_LEVELS,
  };
}
