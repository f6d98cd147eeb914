/**
 * A logical address explained: selector, descriptor, every check, and how paging goes on from the linear address.
 *
 * The segment register is really loaded and the access really translated, by the hardware; the verdict is its own.
 */

import { formatHex } from '../../hw/address.js';
import { describeException, faultName, OK, PAGE_FAULT } from '../../hw/exception.js';
import { decodeEntry } from '../../hw/paging/format.js';
import type { DecodedField } from '../../hw/paging/format.js';
import { describeDescriptor, describeSelector } from '../../hw/segmentation/describe.js';
import { isCallGate } from '../../hw/segmentation/call-gate.js';
import { CALL_GATE_FORMAT, isNull, SEGMENT_FORMAT, SELECTOR_FIELDS } from '../../hw/segmentation/descriptor.js';
import { farJump } from '../../hw/segmentation/far-transfer.js';
import { loadSegment } from '../../hw/segmentation/load.js';
import { CS, SEGMENT_NAMES, SegmentRegister } from '../../hw/segmentation/register.js';
import { DescriptorCopy } from '../../hw/segmentation/unit.js';
import type { SegmentationUnit } from '../../hw/segmentation/unit.js';
import { SCHEMA_VERSION } from '../report/schema.js';
import { accessBits } from './machine.js';
import type { ExplainedMachine } from './machine.js';
import type { AccessKind } from './machine-state.js';
import { accessRules, jumpRules, loadRules, makeChecks, nullRules } from './segment-checks.js';
import type { Rule } from './segment-checks.js';
import type { ExplainedDescriptor, SegmentResult } from './segment-result.js';
import { errorBits } from './walk-fault.js';
import type { FaultOutcome } from './walk-result.js';
import { explainWalk } from './walk.js';

export interface SegmentRequest {
  /** 0 to 65535. */
  readonly selector: number;
  /** The offset, as words. */
  readonly hi: number;
  readonly lo: number;
  readonly access: AccessKind;
  /** Number of the segment register, as in register.ts; fetches go through CS whatever it says. */
  readonly register: number;
  /** Bytes: 1, 2, 4 or 8. */
  readonly size: number;
}

/** Loads the register (CS: by a far jump), makes the access and explains both. */
export function explainSegment(machine: ExplainedMachine, request: SegmentRequest): SegmentResult {
  const { unit } = machine;
  const number = request.access === 'fetch' ? CS : request.register;
  const { selector, hi, access, size } = request;
  const { mode, cpl } = unit;
  const found = unit.is8086 ? [] : findDescriptors(unit, number, selector);
  const rules = unit.is8086 ? [] : rulesFor(unit, { ...request, register: number }, found);
  let status = number === CS ? farJump(unit, selector, hi, request.lo) : loadSegment(unit, number, selector);
  const register = unit.segments[number];
  const [offsetHi, offset] = number === CS && status >= OK ? [unit.ipHi, unit.ipLo] : [hi, request.lo];
  const deed = accessBits(access, false);
  if (status >= OK) status = unit.toLinear(register, offsetHi, offset, size, deed);
  const reached = status >= OK;
  if (!unit.is64Bit) rules.push(...accessRules(reached ? register : preview(unit, number, found), offset, size, deed));
  const walk = reached
    ? explainWalk(machine.mmu, { hi: unit.linearHi, lo: unit.linearLo, access, user: unit.cpl === 3 })
    : null;
  return {
    schemaVersion: SCHEMA_VERSION,
    command: 'segment',
    selector: formatHex(0, selector),
    offset: formatHex(hi, request.lo),
    access,
    size,
    register: SEGMENT_NAMES[number],
    mode,
    cpl,
    names: unit.is8086 ? `segment at ${formatHex(0, selector << 4)}` : describeSelector(selector),
    selectorFields: unit.is8086 ? [] : selectorFields(selector),
    descriptors: found.map((copy) => explainDescriptor(unit, copy)),
    checks: makeChecks(rules),
    linear: reached ? formatHex(unit.linearHi, unit.linearLo) : null,
    walk,
    outcome: walk === null ? faultOutcome(unit, rules) : settled(unit, register, walk.outcome),
  };
}

/** The descriptor that the selector names and, for a jump through a call gate, the target's; fewer where there is none. */
function findDescriptors(unit: SegmentationUnit, register: number, selector: number): DescriptorCopy[] {
  const named = readCopy(unit, selector);
  if (named === undefined) return [];
  if (register !== CS || !isCallGate(unit, named.hi)) return [named];
  if (unit.longModeActive) unit.readDescriptor(selector, 16, named);
  const target = readCopy(unit, named.lo >>> 16);
  return target === undefined ? [named] : [named, target];
}

function readCopy(unit: SegmentationUnit, selector: number): DescriptorCopy | undefined {
  if (isNull(selector)) return undefined;
  const copy = new DescriptorCopy();
  return unit.readDescriptor(selector, 8, copy) === OK ? copy : undefined;
}

function rulesFor(unit: SegmentationUnit, request: SegmentRequest, found: readonly DescriptorCopy[]): Rule[] {
  const { register, selector } = request;
  if (register === CS) {
    const whole = unit.readDescriptor(selector, 16, new DescriptorCopy()) === OK;
    return jumpRules(unit, selector, request, { named: found.at(0), target: found.at(1), whole });
  }
  if (isNull(selector)) return nullRules(unit, register, selector);
  return loadRules(unit, register, selector, found.at(0));
}

/** The register as it would be if the load had gone well: for the words of checks that were not reached. */
function preview(unit: SegmentationUnit, number: number, found: readonly DescriptorCopy[]): SegmentRegister {
  const register = new SegmentRegister(number);
  const copy = found.at(-1);
  if (unit.is8086) register.copy(unit.segments[number]);
  else if (copy === undefined) register.loadNull(0);
  else register.load(0, copy.hi, copy.lo);
  return register;
}

function selectorFields(selector: number): DecodedField[] {
  return SELECTOR_FIELDS.map((field) => ({
    ...field,
    value: (selector >>> field.low) & ((1 << (field.high - field.low + 1)) - 1),
  }));
}

function explainDescriptor(unit: SegmentationUnit, copy: DescriptorCopy): ExplainedDescriptor {
  const format = isCallGate(unit, copy.hi) ? CALL_GATE_FORMAT : SEGMENT_FORMAT;
  return {
    address: formatHex(copy.addressHi, copy.addressLo),
    raw: `0x${formatHex(copy.hi, copy.lo).slice(2).padStart(16, '0')}`,
    words: describeDescriptor(copy.hi, copy.lo),
    format: format.name,
    section: format.section,
    fields: decodeEntry(format, copy.hi, copy.lo),
  };
}

/** The unit's fault, with the rule that was broken. */
function faultOutcome(unit: SegmentationUnit, rules: readonly Rule[]): FaultOutcome {
  const exception = unit.fault.take();
  const broken = rules.find(({ holds }) => !holds);
  const text = broken === undefined ? describeException(exception) : `this check failed: ${broken.rule}`;
  return {
    kind: 'fault',
    name: faultName(exception.status),
    vector: -exception.status,
    errorCode: exception.errorCode,
    bits: exception.status === PAGE_FAULT ? errorBits(exception.errorCode) : [],
    reasons: [{ text, table: null }],
    section: broken?.section ?? 'Intel SDM vol. 3A, "Segment Descriptor Tables"',
  };
}

/** What the memory's answer means to an access through this register: non-canonical through SS is #SS. */
function settled(
  unit: SegmentationUnit,
  register: SegmentRegister,
  outcome: SegmentResult['outcome'],
): SegmentResult['outcome'] {
  if (outcome.kind === 'mapped' || outcome.vector === null) return outcome;
  const status = unit.settle(register, -outcome.vector);
  return { ...outcome, name: faultName(status), vector: -status };
}
