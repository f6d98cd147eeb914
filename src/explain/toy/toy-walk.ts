/**
 * One access of a toy machine explained: the address taken apart, the TLB's answer, every entry, the end; and each step
 * in words. The access is really made, and the machine's own events tell the steps.
 */

import { BUS_ERROR } from '../../../hw/base/fault.js';
import { decodeEntry, flagNames } from '../../../hw/base/format.js';
import type { ToyMachine } from '../../../hw/toy/machine.js';
import { TOY_EXECUTABLE, TOY_USER, toyEntryFormat, toyFlag, toyFrame, TOY_WRITABLE } from '../../../hw/toy/shape.js';
import type { ToyEntry } from '../../../hw/toy/shape.js';
import type { ReadEvent, TranslationEvent } from '../../../hw/translate/walk/events.js';
import { SCHEMA_VERSION } from '../../report/results/schema-version.js';
import type { AddressField } from '../address-field.js';
import type { EntryLevel, Hex } from '../entry-level.js';
import type { AccessKind } from '../machine-state.js';
import type { RadixWalkResult } from '../radix/radix-result.js';
import { splitAddress } from './toy-split.js';
import { hexText, outsideWords, toyFaultName, toyTableName, toySteps } from './toy-steps.js';
import type { ToyStep } from './toy-steps.js';
import { accessBits } from '../state-form.js';

type ToyOutcome =
  | { readonly kind: 'mapped'; readonly physical: Hex; /** The byte there. */ readonly value: Hex }
  | { readonly kind: 'fault'; readonly name: string; readonly table: string | null; readonly why: string };

/** The result of {@link explainToyWalk}. */
export interface ToyWalkResult {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly command: 'walk';
  readonly machine: 'toy';
  readonly about: string;
  readonly address: Hex;
  readonly access: AccessKind;
  readonly user: boolean;
  /** The parts of the address, highest bits first. */
  readonly split: readonly AddressField[];
  /** Null without a TLB. */
  readonly tlb: { readonly answer: 'hit' | 'miss'; readonly set: number; readonly tag: number } | null;
  /** Root first; empty when the TLB answered, and under segmentation. */
  readonly levels: readonly EntryLevel[];
  readonly outcome: ToyOutcome;
  /** Marks of the entries by the access, as on larger machines. */
  readonly changes: RadixWalkResult['changes'];
  /** Each step in a sentence. */
  readonly steps: readonly string[];
}

/** An access to explain: a plain address. */
export interface ToyRequest {
  readonly address: number;
  readonly access: AccessKind;
  readonly user: boolean;
}

/** Makes the access and explains it; the events are those of the machine, the steps say them in sentences. */
export function explainToyWalk(
  machine: ToyMachine,
  about: string,
  { address, access, user }: ToyRequest,
): {
  readonly result: ToyWalkResult;
  readonly events: readonly TranslationEvent[];
  readonly steps: readonly ToyStep[];
} {
  const events: TranslationEvent[] = [];
  const stop = machine.listen((event) => events.push(event));
  const physical = machine.translate(address, accessBits(access, user));
  stop();
  const { paging } = machine.shape;
  const reads = paging ? events.filter((event) => event.kind === 'read') : [];
  const steps = toySteps(machine, address, events, physical);
  const result: ToyWalkResult = {
    schemaVersion: SCHEMA_VERSION,
    command: 'walk',
    machine: 'toy',
    about,
    address: hexText(address),
    access,
    user,
    split: splitAddress(machine.shape, address),
    tlb: tlbAnswer(machine, address, events),
    levels: reads.map((read) => levelOf(machine, read, address)),
    outcome:
      physical >= 0
        ? { kind: 'mapped', physical: hexText(physical), value: byteText(machine.byteAt(physical)) }
        : faultOf(machine, address, access),
    changes: events
      .filter((event) => event.kind === 'set')
      .map(({ level, address: at, bit }) => ({
        table: toyTableName(level),
        entryAddress: hexText(at),
        bit,
        field: TOY_MARKS[bit],
        value: 1,
      })),
    steps: steps.map(({ text }) => text),
  };
  return { result, events, steps };
}

function byteText(byte: number): Hex {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}

function tlbAnswer({ tlb }: ToyMachine, address: number, events: readonly TranslationEvent[]): ToyWalkResult['tlb'] {
  if (tlb === null) return null;
  const page = Math.floor(address / 2 ** tlb.pageShift);
  const answer = events.some(({ kind }) => kind === 'hit') ? 'hit' : 'miss';
  return { answer, set: tlb.setOf(page), tag: tlb.tagOf(page) };
}

/** The layout of the entries of a level. */
function layoutOf({ shape }: ToyMachine, level: number): ToyEntry {
  const { paging } = shape;
  if (paging === undefined) throw new Error('a machine with segments has no entries');
  return level === 0 ? paging.entry : (paging.tableEntry ?? paging.entry);
}

function levelOf(machine: ToyMachine, { level, address: at, low }: ReadEvent, address: number): EntryLevel {
  const { shape } = machine;
  const layout = layoutOf(machine, level);
  const format = toyEntryFormat(layout);
  const value = low >>> 0;
  const valid = toyFlag(layout, value, 'valid');
  const depth = (shape.paging?.levels.length ?? 1) - 1 - level;
  return {
    table: toyTableName(level),
    level,
    index: splitAddress(shape, address)[depth].value,
    entryAddress: hexText(at ?? 0),
    raw: `0x${value.toString(16).padStart(2 * layout.bytes, '0')}`,
    format: format.name,
    section: format.section,
    fields: decodeEntry(format, 0, low),
    flags: flagNames(format, 0, low),
    pointsTo: !valid ? 'nothing' : level === 0 ? 'page' : 'table',
    target: valid ? hexText(toyFrame(layout, value) * (shape.paging?.pageBytes ?? 1)) : null,
  };
}

/** The names of the marks in {@link toyEntryFormat}. */
const TOY_MARKS = { accessed: 'A', dirty: 'D' } as const;

const RIGHTS: readonly (readonly [right: number, missing: string])[] = [
  [TOY_WRITABLE, 'may not be written'],
  [TOY_EXECUTABLE, 'may not be fetched from'],
  [TOY_USER, 'is not for user mode'],
];

/** How an access that failed ended; `machine.fault` has it. */
function faultOf(machine: ToyMachine, address: number, access: AccessKind): ToyOutcome {
  const { fault, shape } = machine;
  const { status, errorCode, level } = fault;
  const end = { kind: 'fault', name: toyFaultName(machine), table: level < 0 ? null : toyTableName(level) } as const;
  if (status === BUS_ERROR) {
    const why = `no memory answers at ${hexText(fault.lo >>> 0)}: it ends before ${hexText(shape.memoryBytes)}`;
    return { ...end, why };
  }
  if (errorCode !== 0) {
    const missing = RIGHTS.filter(([right]) => (errorCode & right) !== 0).map(([, words]) => words);
    // Without a level no entry was read: what the TLB has kept may be older than the table's.
    const what = !shape.paging ? 'segment' : level < 0 ? 'page, as the TLB has it,' : 'page';
    return { ...end, why: `the ${what} ${missing.join(' and ')}; this is a ${access}` };
  }
  if (shape.paging) return { ...end, why: `the entry of the ${toyTableName(level)} is not valid` };
  return { ...end, why: outsideWords(machine, address) };
}
