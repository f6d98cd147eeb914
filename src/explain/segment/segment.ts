/**
 * A logical address explained: selector, descriptor, every check, and how paging goes on from the linear address.
 *
 * The segment register is really loaded and the access really translated, by the hardware; the verdict is its own.
 */

import { checkChoice, checkOptions, NUMBER, objectWith } from '../../../hw/base/arguments.js';
import { formatHex, highWordAfter, PAGE_BYTES } from '../../../hw/base/address.js';
import { BUS_ERROR, OK, PAGE_FAULT } from '../../../hw/base/fault.js';
import { describeException } from '../../../hw/x86/describe-exception.js';
import { faultName, statusOfVector, vectorOf } from '../../../hw/x86/exception.js';
import { decodeEntry } from '../../../hw/base/format.js';
import type { DecodedField } from '../../../hw/base/format.js';
import { describeDescriptor, describeSelector } from '../../../hw/x86/segmentation/describe.js';
import { isCallGate } from '../../../hw/x86/segmentation/call-gate.js';
import { CALL_GATE_FORMAT, isNull, SEGMENT_FORMAT, SELECTOR_FIELDS } from '../../../hw/x86/segmentation/descriptor.js';
import { farCall, farJump } from '../../../hw/x86/segmentation/far-transfer.js';
import { loadSegment } from '../../../hw/x86/segmentation/load.js';
import { CS, SEGMENT_NAMES, SegmentRegister, SS } from '../../../hw/x86/segmentation/register.js';
import { stackOffset } from '../../../hw/x86/segmentation/stack.js';
import { DescriptorCopy } from '../../../hw/x86/segmentation/unit.js';
import type { SegmentationUnit } from '../../../hw/x86/segmentation/unit.js';
import { SCHEMA_VERSION } from '../../report/results/schema-version.js';
import { CALL_SIZE, planCall } from './call-checks.js';
import type { CallPlan } from './call-checks.js';
import { jumpRules } from './jump-checks.js';
import type { ExplainedMachine } from '../machine.js';
import type { AccessKind } from '../machine-state.js';
import { makeChecks } from '../rule.js';
import type { Rule } from '../rule.js';
import { accessRules, loadRules, nullRules } from './segment-checks.js';
import type { ExplainedDescriptor, SegmentAccess, SegmentResult, SegmentTransfer } from './segment-result.js';
import { errorBits } from '../walk/walk-fault.js';
import type { FaultOutcome, WalkResult } from '../walk/walk-result.js';
import { explainWalk } from '../walk/walk.js';
import { STATE_ACCESSES, accessBits } from '../state-form.js';

/** An access through a segment, to be explained. */
export interface SegmentRequest {
  /** 0 to 65535. */
  readonly selector: number;
  /** The offset, as words. */
  readonly hi: number;
  readonly lo: number;
  readonly access: SegmentAccess;
  /** Number of the segment register, as in register.ts; fetches and calls go through CS in any case. */
  readonly register: number;
  /** Bytes: 1, 2, 4 or 8. */
  readonly size: number;
}

/** The knowledge before anything happens: descriptors, and the checks to come. */
interface Preparation {
  readonly found: readonly DescriptorCopy[];
  readonly rules: Rule[];
  /** Only for a call. */
  readonly call: CallPlan | undefined;
}

const REQUIRED = { unit: objectWith('segments', "a SegmentationUnit, such as that of buildMachine(demoState('4l'))") };
const REQUEST = { selector: NUMBER, hi: NUMBER, lo: NUMBER, register: NUMBER, size: NUMBER };

/**
 * Loads the register (CS: by a far jump or call), makes the access and explains both.
 * @throws TypeError for fields of another kind, RangeError for an access that is none
 */
export function explainSegment(machine: ExplainedMachine, request: SegmentRequest): SegmentResult {
  checkOptions('explainSegment: machine', machine, REQUIRED);
  checkOptions('explainSegment: request', request, REQUEST);
  checkChoice('access', request.access, [...STATE_ACCESSES, 'call']);
  const { unit } = machine;
  const { selector, hi, lo, access, size } = request;
  const number = access === 'fetch' || access === 'call' ? CS : request.register;
  const { mode, cpl } = unit;
  const { found, rules, call } = prepare(unit, number, request);
  const descriptors = found.map((copy) => explainDescriptor(unit, copy));
  let status = load(unit, number, request);
  if (call !== undefined) rules.push(memoryRule(unit, status));
  const entered = call !== undefined && status >= OK;
  const register = unit.segments[number];
  const [offsetHi, offset] = number === CS && status >= OK ? [unit.ipHi, unit.ipLo] : [hi, lo];
  const kind = access === 'call' ? 'fetch' : access;
  const deed = accessBits(kind, false);
  if (status >= OK) status = unit.toLinear(register, offsetHi, offset, size, deed);
  const reached = status >= OK;
  if (!unit.is64Bit) rules.push(...accessRules(reached ? register : preview(unit, number, found), offset, size, deed));
  const [walk, secondWalk] = reached ? walkAll(machine, kind, size) : [null, null];
  const last = secondWalk ?? walk;
  return {
    schemaVersion: SCHEMA_VERSION,
    command: 'segment',
    selector: formatHex(0, selector),
    offset: formatHex(hi, lo),
    access,
    size,
    register: SEGMENT_NAMES[number],
    mode,
    cpl,
    names: unit.is8086 ? `segment at ${formatHex(0, selector << 4)}` : describeSelector(selector),
    selectorFields: unit.is8086 ? [] : selectorFields(selector),
    descriptors,
    checks: makeChecks(rules),
    transfer: entered ? transferOf(unit, call) : null,
    linear: reached && walk !== null ? walk.address : null,
    walk,
    secondWalk,
    outcome: walk === null || last === null ? faultOutcome(unit, rules) : settled(unit, register, walk, last),
  };
}

function prepare(unit: SegmentationUnit, number: number, request: SegmentRequest): Preparation {
  const { selector, access } = request;
  if (unit.is8086) return { found: [], rules: [], call: undefined };
  const found = findDescriptors(unit, number, selector);
  if (number !== CS) {
    const load = isNull(selector) ? nullRules(unit, number, selector) : loadRules(unit, number, selector, found.at(0));
    return { found, rules: load, call: undefined };
  }
  const whole = unit.readDescriptor(selector, 16, new DescriptorCopy()) === OK;
  const jump = { named: found.at(0), target: found.at(1), whole };
  if (access !== 'call') return { found, rules: jumpRules(unit, selector, request, jump), call: undefined };
  const call = planCall(unit, selector, { hi: 0, lo: request.lo }, jump);
  return { found: call.stack === undefined ? found : [...found, call.stack], rules: call.rules, call };
}

/** Makes the transfer, or loads the register. */
function load(unit: SegmentationUnit, number: number, { selector, hi, lo, access }: SegmentRequest): number {
  if (access === 'call') return farCall(unit, selector, hi, lo, CALL_SIZE);
  if (number !== CS) return loadSegment(unit, number, selector);
  return farJump(unit, selector, hi, lo, hi === 0 ? 4 : 8);
}

/** A call reads the TSS and the parameters and writes its pushes; paging and RAM have a say in all of it. */
function memoryRule(unit: SegmentationUnit, status: number): Rule {
  const refused = status === PAGE_FAULT || status === BUS_ERROR;
  return {
    rule: 'paging lets the processor read and push all of it',
    holds: !refused,
    fault: refused ? [status, unit.fault.errorCode] : [PAGE_FAULT, 0],
    section: 'Intel SDM vol. 3A, "Page-Fault Exceptions"',
  };
}

/** The walk for the page of the first byte and, if the access reaches into another page, for the second. */
function walkAll({ mmu, unit }: ExplainedMachine, access: AccessKind, size: number): [WalkResult, WalkResult | null] {
  const { linearHi: hi, linearLo: lo } = unit;
  const how = { access, user: unit.cpl === 3 };
  const walk = explainWalk(mmu, { hi, lo, ...how });
  const left = PAGE_BYTES - (lo & (PAGE_BYTES - 1));
  if (left >= size || walk.outcome.kind === 'fault') return [walk, null];
  const second = { hi: unit.is64Bit ? highWordAfter(hi, lo, left) : 0, lo: (lo + left) | 0 };
  return [walk, explainWalk(mmu, { ...second, ...how })];
}

/** The place of arrival of the call, and the values it has left on the stack. */
function transferOf(unit: SegmentationUnit, { size, pushes }: CallPlan): SegmentTransfer {
  const pushed = pushes.map((what, i) => {
    const distance = (pushes.length - 1 - i) * size;
    const hi = unit.is64Bit ? highWordAfter(unit.spHi, unit.spLo, distance) : 0;
    const lo = (unit.spLo + distance) | 0;
    const offset = unit.is64Bit ? lo : stackOffset(unit.ss, lo);
    const { memory } = unit;
    const readable = unit.read(SS, hi, offset, size) >= OK;
    const value = readable ? formatHex(size === 8 ? memory.valueHi : 0, memory.valueLo) : null;
    return { what, offset: formatHex(hi, offset), value };
  });
  return {
    cpl: unit.cpl,
    cs: formatHex(0, unit.cs.selector),
    ip: formatHex(unit.ipHi, unit.ipLo),
    ss: formatHex(0, unit.ss.selector),
    sp: formatHex(unit.spHi, unit.spLo),
    pushed,
  };
}

/** The selector's descriptor and, for a jump through a call gate, the target's; fewer where there is none. */
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

/** The register as it would be if the load had gone well: for the words of checks not reached. */
function preview(unit: SegmentationUnit, number: number, found: readonly DescriptorCopy[]): SegmentRegister {
  const register = new SegmentRegister(number);
  // A call's last descriptor is its stack's.
  const copy = number === CS ? (found.at(1) ?? found.at(0)) : found.at(0);
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

/** The unit's fault, with the broken rule. */
function faultOutcome(unit: SegmentationUnit, rules: readonly Rule[]): FaultOutcome {
  const exception = unit.fault.take();
  const broken = rules.find(({ holds }) => !holds);
  const text = broken === undefined ? describeException(exception) : `this check failed: ${broken.rule}`;
  return {
    kind: 'fault',
    name: faultName(exception.status),
    vector: vectorOf(exception.status),
    errorCode: exception.errorCode,
    bits: exception.status === PAGE_FAULT ? errorBits(exception.errorCode) : [],
    reasons: [{ text, rule: broken?.rule ?? text, table: null }],
    section: broken?.section ?? 'Intel SDM vol. 3A, "Segment Descriptor Tables"',
  };
}

/** The meaning of the memory's answer to an access through this register: non-canonical through SS is #SS. */
function settled(
  unit: SegmentationUnit,
  register: SegmentRegister,
  first: WalkResult,
  last: WalkResult,
): SegmentResult['outcome'] {
  const { outcome } = last;
  if (outcome.kind === 'mapped') return first.outcome;
  if (outcome.vector === null) return outcome;
  const status = unit.settle(register, statusOfVector(outcome.vector));
  return { ...outcome, name: faultName(status), vector: vectorOf(status) };
}
