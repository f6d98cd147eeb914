/**
 * One access explained on a machine whose walks differ by their formats alone: the address taken apart, the TLB's
 * answer, every entry on the way, and the end.
 *
 * The access is really made. Nothing here decides a translation: the machine's own events tell its steps.
 */

import { formatHex, toBigInt } from '../../../hw/base/address.js';
import { decodeEntry, flagNames } from '../../../hw/base/format.js';
import type { DecodedField, EntryFormat, PagingLevel } from '../../../hw/base/format.js';
import type { TranslatingMachine } from '../../../hw/translate/machine.js';
import type { ReadEvent, TranslationEvent } from '../../../hw/translate/walk/events.js';
import type { WalkRead } from '../../../hw/translate/walk/walk-record.js';
import { SCHEMA_VERSION } from '../../report/results/schema-version.js';
import { splitByLevels } from '../address-field.js';
import { mappedOutcome } from '../common-steps.js';
import type { EntryLevel, Hex } from '../entry-level.js';
import type { WalkRequest } from '../walk/walk.js';
import type { WalkStep } from '../walk/walk-result.js';
import type { RadixFault, RadixLevel, RadixWalkResult } from './radix-result.js';
import { radixStep } from './radix-steps.js';
import { accessBits } from '../state-form.js';

/** An entry on the way of an access, read now or passed over. */
export type WayEntry = Pick<WalkRead, 'level' | 'stage' | 'high' | 'low'>;

/** What an architecture says about its entries and faults, for the address of one access. */
export interface RadixTerms {
  readonly machine: RadixWalkResult['machine'];
  readonly mode: string;
  readonly title: string;
  readonly section: string;
  /** Root first. */
  readonly levels: readonly PagingLevel[];
  readonly registers: Readonly<Record<string, Hex>>;
  /** What an entry does, by its words. */
  readonly pointsTo: (level: number, high: number, low: number) => EntryLevel['pointsTo'];
  /** The physical address in an entry. */
  readonly target: (fields: readonly DecodedField[]) => number;
  /** The rights that a TLB keeps, in words. */
  readonly rights: (code: number) => string;
  /** The fields of an entry that hardware marks; Arm clears the one for dirty. */
  readonly marks: Readonly<Record<'accessed' | 'dirty', string>>;
  /** The last fault, `entries` being those on its way, as far as it came. */
  readonly fault: (request: WalkRequest, entries: readonly WayEntry[]) => RadixFault;
}

function levelAt({ levels, mode }: RadixTerms, level: number): PagingLevel {
  const found = levels.find((candidate) => candidate.level === level);
  if (found === undefined) throw new Error(`${mode} has no level ${level}`);
  return found;
}

/** Taken for a page when it says so; an invalid one for what the level mostly has. */
function formatOf({ tableEntry, pageEntry, table }: PagingLevel, isPage: boolean): EntryFormat {
  const format = isPage ? (pageEntry ?? tableEntry) : (tableEntry ?? pageEntry);
  if (format === undefined) throw new Error(`${table} has no format`);
  return format;
}

/** An entry as it was read. */
type EntryRead = Pick<ReadEvent, 'level' | 'address' | 'high' | 'low'>;

function levelOf(
  terms: RadixTerms,
  { level, address, high, low }: EntryRead,
  linear: bigint,
  skipped: boolean,
): RadixLevel {
  const at = levelAt(terms, level);
  const pointsTo = terms.pointsTo(level, high, low);
  const format = formatOf(at, pointsTo === 'page');
  const fields = decodeEntry(format, high, low);
  return {
    table: at.table,
    level,
    index: Number(BigInt.asUintN(at.indexBits, linear >> BigInt(at.shift))),
    entryAddress: `0x${(address ?? 0).toString(16)}`,
    raw: `0x${formatHex(high, low)
      .slice(2)
      .padStart(format.bytes * 2, '0')}`,
    format: format.name,
    section: format.section,
    fields,
    flags: pointsTo === 'nothing' ? '' : flagNames(format, high, low),
    pointsTo,
    target: pointsTo === 'nothing' ? null : `0x${terms.target(fields).toString(16)}`,
    skipped,
  };
}

/** Entries that the processor passed over, as a walk without effects finds them now. */
function passedOver(
  machine: TranslatingMachine,
  { hi, lo, access, user }: WalkRequest,
  events: readonly TranslationEvent[],
): readonly WalkRead[] {
  const shortcut = events.find((event) => event.kind === 'walk cache hit');
  const read = events.some(({ kind }) => kind === 'read');
  if (shortcut === undefined && (read || !events.some(({ kind }) => kind === 'hit'))) return [];
  machine.observer.walk(hi, lo, accessBits(access, user));
  return machine.observer.record.reads().filter(({ level }) => level > (read ? (shortcut?.level ?? 0) : -1));
}

/** Makes the access and explains it by the terms of the machine; with each of its steps. */
export function explainRadixSteps(
  machine: TranslatingMachine,
  terms: RadixTerms,
  request: WalkRequest,
): { result: RadixWalkResult; steps: WalkStep[] } {
  const { hi, lo, access, user } = request;
  const events: TranslationEvent[] = [];
  const stop = machine.listen((event) => events.push(event));
  const frame = machine.translate(hi, lo, accessBits(access, user));
  stop();
  const linear = toBigInt(hi, lo);
  const reads = events.filter((event) => event.kind === 'read');
  const passed = passedOver(machine, request, events);
  const levels = [
    ...passed.map((read) => levelOf(terms, read, linear, true)),
    ...reads.map((read) => levelOf(terms, read, linear, false)),
  ];
  const hit = events.find((event) => event.kind === 'hit');
  const found = events.find((event) => event.kind === 'walked') ?? hit;
  const { mode, title, section, registers } = terms;
  const result: RadixWalkResult = {
    schemaVersion: SCHEMA_VERSION,
    command: 'walk',
    machine: terms.machine,
    address: formatHex(hi, lo),
    access,
    user,
    mode,
    title,
    section,
    registers,
    split: splitByLevels(terms.levels, linear, levels.find(({ pointsTo }) => pointsTo === 'page')?.level),
    tlb: hit?.where ?? null,
    levels,
    outcome:
      frame >= 0
        ? mappedOutcome(frame, lo, found?.shift)
        : { kind: 'fault', ...terms.fault(request, [...passed, ...reads]) },
    changes: events
      .filter((event) => event.kind === 'set')
      .map(({ level, address, bit, cleared }) => ({
        table: levelAt(terms, level).table,
        entryAddress: `0x${address.toString(16)}`,
        bit,
        field: terms.marks[bit],
        value: cleared === true ? 0 : 1,
      })),
  };
  const { outcome } = result;
  const told = {
    address: result.address,
    levels: levels.map((level) => ({ ...level, where: `${level.table}[${level.index}]` })),
    fault: outcome.kind === 'fault' ? outcome.name : '',
  };
  return { result, steps: events.map((event) => radixStep(terms, told, event)) };
}
