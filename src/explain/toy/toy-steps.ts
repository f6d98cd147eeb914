/** The steps of an access on a toy machine, a sentence each: what a student writes beside the sum. */

import { BUS_ERROR } from '../../../hw/base/fault.js';
import type { ToyMachine } from '../../../hw/toy/machine.js';
import { toyEntryFormat, toyFlag, toyFrame } from '../../../hw/toy/shape.js';
import type { ToySegment, ToyShape } from '../../../hw/toy/shape.js';
import type { ReadEvent, TranslationEvent } from '../../../hw/translate/walk/events.js';
import { flagNames } from '../../../hw/base/format.js';
import type { AddressField } from '../address-field.js';
import type { StepKind } from '../step-why.js';
import { countOf } from '../../report/output/units.js';
import { splitAddress } from './toy-split.js';

export function hexText(value: number): string {
  return `0x${value.toString(16)}`;
}

const TABLES = ['page table', 'page directory'];

/** The name of the table of a level, 0 being the last. */
export function toyTableName(level: number): string {
  return TABLES.at(level) ?? `table of level ${level}`;
}

/** A step in a sentence, and its kind. */
export interface ToyStep {
  readonly kind: StepKind;
  readonly text: string;
}

/**
 * A sentence for each event that has something to say, and how the physical address is made of its parts.
 * @param physical negative for a fault
 */
export function toySteps(
  machine: ToyMachine,
  address: number,
  events: readonly TranslationEvent[],
  physical: number,
): ToyStep[] {
  const missed = machine.tlb !== null && !events.some(({ kind }) => kind === 'hit');
  const steps = events.flatMap((event): ToyStep[] => {
    const kind = kindOf(event);
    const words: ToyStep[] = stepWords(machine, address, event).map((text) => ({ kind, text }));
    if (kind !== 'split' || !missed) return words;
    return [...words, { kind: 'lookup', text: `${placeInTlb(machine, address)}: no entry has it, a miss` }];
  });
  if (physical < 0) return steps;
  const kind = machine.shape.paging ? 'walked' : 'sum';
  return [...steps, { kind, text: sumWords(machine, address, physical) }];
}

/** A lookup begins with the address cut up; a read without an address is that of a segment register. */
function kindOf(event: TranslationEvent): StepKind {
  if (event.kind === 'lookup') return 'split';
  return event.kind === 'read' && event.address === null ? 'segment' : event.kind;
}

function stepWords(machine: ToyMachine, address: number, event: TranslationEvent): string[] {
  switch (event.kind) {
    case 'lookup':
      return [splitWords(machine, address)];
    case 'hit':
      return [`${placeInTlb(machine, address)}: a hit, frame ${hexText(event.frame)}`];
    case 'read':
      return [event.address === null ? segmentWords(machine, address) : entryWords(machine, address, event)];
    case 'set':
      return [`the processor sets the ${event.bit} bit of the entry at ${hexText(event.address)}`];
    case 'drop':
      return [`page ${hexText((event.lo >>> 0) / 2 ** event.shift)} gives way in the TLB`];
    case 'fill':
      return [`the TLB keeps page ${hexText((event.lo >>> 0) / 2 ** event.shift)}: frame ${hexText(event.frame)}`];
    case 'fault':
      return [toyFaultName(machine)];
    default:
      return [];
  }
}

function splitWords({ shape }: ToyMachine, address: number): string {
  const fields = splitAddress(shape, address);
  const bits = fields.map((field) => field.bits).join(' ');
  return `${hexText(address)} is ${bits}: ${fields.map(({ name, value }) => `${name} ${hexText(value)}`).join(', ')}`;
}

function placeInTlb({ tlb }: ToyMachine, address: number): string {
  if (tlb === null) return 'there is no TLB';
  const page = Math.floor(address / 2 ** tlb.pageShift);
  return `TLB: page ${hexText(page)} belongs to set ${hexText(tlb.setOf(page))}, tag ${hexText(tlb.tagOf(page))}`;
}

function entryWords({ shape }: ToyMachine, address: number, { level, address: at, low }: ReadEvent): string {
  const { paging } = shape;
  if (paging === undefined || at === null) return '';
  const { entry, tableEntry = entry, levels } = paging;
  const layout = level === 0 ? entry : tableEntry;
  const value = low >>> 0;
  const index = splitAddress(shape, address)[levels.length - 1 - level].value;
  const table = hexText(at - index * layout.bytes);
  const sum = layout.bytes === 1 ? `${table} + ${hexText(index)}` : `${table} + ${hexText(index)} x ${layout.bytes}`;
  const read = `${toyTableName(level)}: the entry at ${sum} = ${hexText(at)} is ${hexText(value)}`;
  if (!toyFlag(layout, value, 'valid')) return `${read}: V = 0, not valid`;
  const flags = flagNames(toyEntryFormat(layout), 0, low);
  return `${read}: ${flags}, frame ${hexText(toyFrame(layout, value))}`;
}

/** The name of the machine's last fault. */
export function toyFaultName({ fault, shape }: ToyMachine): string {
  if (fault.status === BUS_ERROR) return 'bus error';
  return shape.paging ? 'page fault' : 'segmentation violation';
}

/** Why an address lies in no segment. */
export function outsideWords({ shape }: ToyMachine, address: number): string {
  const { offset, number, segment } = segmentAt(shape, address);
  if (segment === undefined)
    return `there is no segment ${number}: the machine has ${countOf(shape.segmentation?.registers.length ?? 0, 'segment')}`;
  const { limit, grows } = segment;
  if (grows === 'up') return `offset ${offset.value} is not below ${limit}, the limit of segment ${number}`;
  return `offset -${2 ** (offset.high + 1) - offset.value} is beyond ${limit}, the limit of segment ${number}, which grows down`;
}

/** The segment of an address; without bits for it there is one. */
function segmentAt(
  shape: ToyShape,
  address: number,
): { readonly offset: AddressField; readonly number: number; readonly segment: ToySegment | undefined } {
  const fields = splitAddress(shape, address);
  const offset = fields[fields.length - 1];
  const number = fields.length === 2 ? fields[0].value : 0;
  return { offset, number, segment: shape.segmentation?.registers.at(number) };
}

function segmentWords({ shape }: ToyMachine, address: number): string {
  const { offset, number, segment } = segmentAt(shape, address);
  if (segment === undefined) return '';
  const { base, limit, grows } = segment;
  const register = `segment ${number}: base ${hexText(base)}, limit ${limit}, grows ${grows}`;
  if (grows === 'up') {
    const below = offset.value < limit ? 'below' : 'not below';
    return `${register}; offset ${offset.value} is ${below} the limit`;
  }
  const most = 2 ** (offset.high + 1);
  const back = most - offset.value;
  const within = back <= limit ? 'within' : 'beyond';
  return `${register}; offset ${offset.value} - ${most} = -${back} is ${within} the limit`;
}

function sumWords({ shape }: ToyMachine, address: number, physical: number): string {
  const { paging } = shape;
  if (paging === undefined) {
    const base = segmentAt(shape, address).segment?.base ?? 0;
    return `${hexText(base)} ${physical < base ? '-' : '+'} ${Math.abs(physical - base)} = ${hexText(physical)}`;
  }
  const offset = address % paging.pageBytes;
  const frame = Math.floor(physical / paging.pageBytes);
  return `frame ${hexText(frame)} x ${paging.pageBytes} + offset ${hexText(offset)} = ${hexText(physical)}`;
}
