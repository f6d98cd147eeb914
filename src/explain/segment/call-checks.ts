/**
 * The checks of a far call, one by one and in the order of "CALL—Call Procedure", for people: the gate, the code
 * behind it, and for an inner level the stack from the TSS.
 *
 * The segmentation unit makes them in one go; a test holds this list to it for random descriptors.
 */

import { READ } from '../../../hw/base/access.js';
import type { Word64 } from '../../../hw/base/address.js';
import { OK } from '../../../hw/base/fault.js';
import { GENERAL_PROTECTION, INVALID_TSS, STACK_FAULT } from '../../../hw/x86/exception.js';
import { isCallGate, readTss } from '../../../hw/x86/segmentation/call-gate.js';
import { isLongCode } from '../../../hw/x86/segmentation/code-segment.js';
import {
  CALL_GATE_16,
  isConformingCode,
  isNull,
  isWritableData,
  privilegeOf,
  requestedLevel,
  TSS_16,
  TSS_16_BUSY,
  unpackCallGate,
} from '../../../hw/x86/segmentation/descriptor.js';
import { SegmentRegister, SS } from '../../../hw/x86/segmentation/register.js';
import { checkRoom, currentStack, stackOffset } from '../../../hw/x86/segmentation/stack.js';
import type { TargetStack, TransferSize } from '../../../hw/x86/segmentation/stack.js';
import { DescriptorCopy } from '../../../hw/x86/segmentation/unit.js';
import type { SegmentationUnit } from '../../../hw/x86/segmentation/unit.js';
import { codeKindRules, codeLevelRule, entryRule, gateTarget, namedRules, openGateRules } from './jump-checks.js';
import type { JumpTarget } from './jump-checks.js';
import { CODE_LEVELS, hex, inTable, LIMITS, present, SDM_3A, SELECTORS, TYPES } from '../rule.js';
import type { FoundDescriptor, Rule } from '../rule.js';

const STACK_SWITCHING = SDM_3A('Stack Switching');
/** Operand size of a call without a gate: CALL with a far pointer of 16 + 32 bits. */
export const CALL_SIZE: TransferSize = 4;

/** The plan of a call, as far as its checks let it. */
export interface CallPlan {
  readonly rules: Rule[];
  /** Bytes of each push. */
  readonly size: TransferSize;
  /** Pushed values, first push first. */
  readonly pushes: readonly string[];
  /** Descriptor of the stack segment of the inner level, if one was read. */
  readonly stack: DescriptorCopy | undefined;
}

/** Names of the pushed values; the widths of the registers are those of the gate. */
function pushNames(size: TransferSize, inner: boolean, parameters: number): string[] {
  const prefix = { 2: '', 4: 'E', 8: 'R' }[size];
  const copied = Array.from({ length: parameters }, (_, i) => `parameter ${parameters - i}`);
  return [...(inner ? ['SS', `${prefix}SP`, ...copied] : []), 'CS', `${prefix}IP`];
}

/** The checks of CALL; `entry` is the offset asked for. A gate replaces it by its own. */
export function planCall(unit: SegmentationUnit, selector: number, entry: Word64, jump: JumpTarget): CallPlan {
  const { named } = jump;
  const start = namedRules(unit, selector, named);
  const ended = { size: CALL_SIZE, pushes: [], stack: undefined };
  if (named === undefined) return { rules: start, ...ended };
  if (!isCallGate(unit, named.hi)) {
    const level = codeLevelRule(unit, selector, named.hi);
    const kind = codeKindRules(unit, selector, named, level, false);
    const rules = [...start, ...kind, ...sameLevelRules(unit, named, entry, CALL_SIZE)];
    return { rules, size: CALL_SIZE, pushes: pushNames(CALL_SIZE, false, 0), stack: undefined };
  }
  const opened = [...start, ...openGateRules(unit, selector, named, jump)];
  if (jump.target === undefined) return { rules: opened, ...ended };
  return planGate(unit, named, jump.target, opened);
}

function planGate(
  unit: SegmentationUnit,
  gate: NonNullable<FoundDescriptor>,
  target: NonNullable<FoundDescriptor>,
  opened: readonly Rule[],
): CallPlan {
  const { selector: code, entry } = gateTarget(unit, gate);
  const { type, parameters } = unpackCallGate(gate.hi, gate.lo);
  const long = unit.longModeActive;
  const size = long ? 8 : type === CALL_GATE_16 ? 2 : 4;
  const selector = code & 0xfffc;
  const privilege = privilegeOf(target.hi);
  const inward: Rule = {
    rule: `a call leads inward or stays: the code's DPL ${privilege} is at most CPL ${unit.cpl}`,
    holds: privilege <= unit.cpl,
    fault: [GENERAL_PROTECTION, selector],
    section: CODE_LEVELS,
  };
  const rules = [...opened, ...codeKindRules(unit, selector, target, inward, long)];
  if (isConformingCode(target.hi) || privilege >= unit.cpl) {
    rules.push(...sameLevelRules(unit, target, entry, size));
    return { rules, size, pushes: pushNames(size, false, 0), stack: undefined };
  }
  const copied = long ? 0 : parameters;
  const pushes = pushNames(size, true, copied);
  const inner = long ? longStack(unit, privilege) : protectedStack(unit, privilege);
  rules.push(...inner.rules);
  if (inner.stack !== undefined) {
    rules.push(roomRule(unit, inner.stack, size, pushes), entryRule(unit, target, entry));
    if (copied > 0) rules.push(parameterRule(unit, size, copied));
  }
  return { rules, size, pushes, stack: inner.copy };
}

function sameLevelRules(
  unit: SegmentationUnit,
  target: NonNullable<FoundDescriptor>,
  entry: Word64,
  size: TransferSize,
): Rule[] {
  const stack = currentStack(unit, isLongCode(unit, target.hi));
  const offset = size === 2 ? { hi: entry.hi, lo: entry.lo & 0xffff } : entry;
  return [roomRule(unit, stack, size, pushNames(size, false, 0)), entryRule(unit, target, offset)];
}

/** The pushed slots fit; the segmentation unit itself says whether. */
function roomRule(unit: SegmentationUnit, stack: TargetStack, size: TransferSize, pushes: readonly string[]): Rule {
  const bytes = size * pushes.length;
  const place = `${hex(stack.register.selector)}:${hex(stack.lo)}`;
  return {
    rule: `the ${bytes} bytes below ${place} may be written: ${pushes.join(', ')}`,
    holds: checkRoom(unit, stack, size, pushes.length) === OK,
    fault: [STACK_FAULT, stack.blame & 0xfffc],
    section: LIMITS,
  };
}

/** Parameters are read from the caller's stack before anything is pushed. */
function parameterRule(unit: SegmentationUnit, size: TransferSize, count: number): Rule {
  const { ss, spLo } = unit;
  const fits = (i: number): boolean => ss.allows(READ) && ss.covers(stackOffset(ss, (spLo + i * size) | 0), size);
  return {
    rule: `the gate's ${count} parameter${count === 1 ? '' : 's'} lie on the caller's stack, from ${hex(ss.selector)}:${hex(spLo)} up`,
    holds: Array.from({ length: count }, (_, i) => i).every(fits),
    fault: [STACK_FAULT, 0],
    section: STACK_SWITCHING,
  };
}

/** The stack of an inner level, as far as it can be read. */
interface InnerStack {
  readonly rules: readonly Rule[];
  readonly stack?: TargetStack;
  readonly copy?: DescriptorCopy;
}

/** Bytes `offset` to `offset + bytes - 1` of the TSS exist. */
function tssRule(unit: SegmentationUnit, offset: number, bytes: number, what: string): Rule {
  const { limit, selector } = unit.tr;
  const bounds = limit < 0 ? 'no TSS is loaded' : `limit ${hex(limit)}`;
  return {
    rule: `the TSS holds ${what} at bytes ${hex(offset)} to ${hex(offset + bytes - 1)} (${bounds})`,
    holds: offset + bytes - 1 <= limit,
    fault: [INVALID_TSS, selector & 0xfffc],
    section: STACK_SWITCHING,
  };
}

/** Reads from the TSS; undefined when paging does not let the processor. */
function valueInTss(unit: SegmentationUnit, offset: number, size: number): Word64 | undefined {
  const { memory } = unit;
  if (readTss(unit, offset, size) < OK) return undefined;
  return { hi: size === 8 ? memory.valueHi : 0, lo: memory.valueLo };
}

/** SSn:ESPn of the TSS. Source: Intel SDM vol. 3A, "Task-State Segment (TSS)" and "16-Bit Task-State Segment (TSS)". */
function protectedStack(unit: SegmentationUnit, privilege: number): InnerStack {
  const narrow = unit.tr.type === TSS_16 || unit.tr.type === TSS_16_BUSY;
  const bytes = narrow ? 2 : 4;
  const offset = narrow ? privilege * 4 + 2 : privilege * 8 + 4;
  const names = `SS${privilege} and ${narrow ? '' : 'E'}SP${privilege}`;
  const inside = tssRule(unit, offset, bytes + 2, names);
  const pointer = inside.holds ? valueInTss(unit, offset, bytes) : undefined;
  const selector = pointer === undefined ? undefined : valueInTss(unit, offset + bytes, 2);
  if (pointer === undefined || selector === undefined) return { rules: [inside] };
  const named = selector.lo & 0xffff;
  const lo = narrow ? pointer.lo & 0xffff : pointer.lo;
  return innerStack(unit, privilege, named, lo, inside);
}

function innerStack(unit: SegmentationUnit, privilege: number, named: number, lo: number, inside: Rule): InnerStack {
  const fault: [number, number] = [INVALID_TSS, named & 0xfffc];
  const name = `SS${privilege}`;
  const notNull: Rule = {
    rule: `${name} ${hex(named)} of the TSS is not null`,
    holds: !isNull(named),
    fault,
    section: SELECTORS,
  };
  if (isNull(named)) return { rules: [inside, notNull] };
  const copy = new DescriptorCopy();
  const found = unit.readDescriptor(named, 8, copy);
  const table: Rule = { ...inTable(unit, named, found === OK ? copy : undefined), fault };
  if (found !== OK) return { rules: found < OK ? [inside, notNull] : [inside, notNull, table] };
  const [rpl, dpl] = [requestedLevel(named), privilegeOf(copy.hi)];
  const level: Rule = {
    rule: `RPL ${rpl} and DPL ${dpl} of ${name} are the new level ${privilege}`,
    holds: rpl === privilege && dpl === privilege,
    fault,
    section: STACK_SWITCHING,
  };
  const data: Rule = {
    rule: `${name} is data that may be written`,
    holds: isWritableData(copy.hi),
    fault,
    section: TYPES,
  };
  const there = { ...present(STACK_FAULT, named, copy.hi), rule: `${name} is present (P = 1)` };
  const register = new SegmentRegister(SS);
  register.load(named, copy.hi, copy.lo);
  const stack: TargetStack = { register, flat: false, levelBits: 0, blame: named, hi: 0, lo };
  return { rules: [inside, notNull, table, level, data, there], stack, copy };
}

/** RSPn of a 64-bit TSS; SS becomes null. Source: Intel SDM vol. 3A, "Stack Switching in IA-32e Mode". */
function longStack(unit: SegmentationUnit, privilege: number): InnerStack {
  const offset = privilege * 8 + 4;
  const inside = tssRule(unit, offset, 8, `RSP${privilege}`);
  const pointer = inside.holds ? valueInTss(unit, offset, 8) : undefined;
  if (pointer === undefined) return { rules: [inside] };
  const register = new SegmentRegister(SS);
  register.loadNull(privilege);
  return { rules: [inside], stack: { register, flat: true, levelBits: 0, blame: privilege, ...pointer } };
}
