/**
 * An access of a guest explained: the two-dimensional walk, read by read. A row is the way to one entry of the guest's
 * tables, through the host's; the last row is the way to the page. What differs by machine is in {@link NestedTerms}.
 */

import { formatHex, toBigInt } from '../../../hw/base/address.js';
import type { PagingLevel } from '../../../hw/base/format.js';
import type { TranslatingMachine } from '../../../hw/translate/machine.js';
import type { ReadEvent, SetEvent, TranslationEvent } from '../../../hw/translate/walk/events.js';
import { SCHEMA_VERSION } from '../../report/results/schema-version.js';
import type { Reason } from '../walk/check.js';
import { mappedOutcome } from '../common-steps.js';
import type { Hex } from '../entry-level.js';
import type { WalkRequest } from '../walk/walk.js';
import type { MappedOutcome, WalkStep } from '../walk/walk-result.js';
import { accessBits } from '../state-form.js';

/** One entry read, of the host's tables or of the guest's. */
export interface NestedRead {
  /** Counted from 1. */
  readonly number: number;
  /** 2: of the host's tables. */
  readonly stage: number;
  /** `PML4`, `EPT PT` and so on. */
  readonly table: string;
  readonly level: number;
  /** Physical address; null for a PDPTE in a register. */
  readonly entryAddress: Hex | null;
  readonly raw: Hex;
}

/** A row: how one guest-physical address became a physical one, and the entry of the guest found there. */
export interface NestedRow {
  /** The entry of the guest's tables, such as `PML4[0]`; `page` in the last row. */
  readonly what: string;
  /** The entry's, or the page's address for the guest; null for a table known by a walk cache or a register. */
  readonly guestPhysical: Hex | null;
  /** Reads of the host's tables; none where a cache answered. */
  readonly host: readonly NestedRead[];
  /** The read of the guest's entry; absent in the last row, and where the host refused. */
  readonly entry?: NestedRead;
}

/** The reads of a row in their order. */
export function readsIn({ host, entry }: NestedRow): readonly NestedRead[] {
  return entry === undefined ? host : [...host, entry];
}

/** The end of a refused access of a guest, and the failed check. */
export interface NestedFault extends Reason {
  /** To the hypervisor, by its name; null for the guest's own exception. */
  readonly exit: string | null;
  /** The fault, and the registers' values after it. */
  readonly text: string;
}

/** The result of {@link explainNestedWalk}, and of the like for other machines. */
export interface NestedWalkResult {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly command: 'walk';
  readonly machine: 'x86' | 'riscv' | 'aarch64';
  readonly address: Hex;
  readonly access: WalkRequest['access'];
  readonly user: boolean;
  readonly guest: string;
  readonly host: string;
  /** The host's tables, root first. */
  readonly hostTables: readonly string[];
  /** The answering TLB; null when a walk was made. */
  readonly tlb: string | null;
  /** Entries read from memory. */
  readonly reads: number;
  readonly rows: readonly NestedRow[];
  readonly outcome:
    | MappedOutcome
    | ({
        readonly kind: 'fault';
        /** The refusing stage: 1 is the guest's own tables. */
        readonly stage: 1 | 2;
        /** The address that the second stage refused. */
        readonly guestPhysical: Hex | null;
      } & NestedFault);
  /** Accessed and dirty bits set, by physical address of the entry. */
  readonly changes: readonly { readonly entryAddress: Hex; readonly bit: 'A' | 'D'; readonly stage: 1 | 2 }[];
}

/** An entry of either stage on the way of an access. */
export type EntryOnWay = Omit<ReadEvent, 'kind'>;

/** What an architecture says about the tables of a guest and of its host. */
export interface NestedTerms {
  readonly machine: NestedWalkResult['machine'];
  /** Root first, and the bytes of an entry. */
  readonly guest: { readonly title: string; readonly levels: readonly PagingLevel[]; readonly entryBytes: number };
  readonly host: { readonly title: string; readonly levels: readonly PagingLevel[] };
  /** The guest-physical address of the guest's root table. */
  readonly root: number;
  /** The guest-physical address of the table in a guest's entry. */
  readonly tableOf: (entry: ReadEvent) => number;
  /** And of the byte in the page of one. */
  readonly pageOf: (entry: ReadEvent) => Hex;
  /** The last fault, `entries` being those on its way, as far as it came. */
  readonly fault: (entries: readonly EntryOnWay[]) => NestedFault;
  /** A step that is none of the host's, nor the end. */
  readonly step: (event: TranslationEvent, result: NestedWalkResult) => WalkStep;
}

/** Makes the access on a machine in a guest, and explains it by the terms of the machine; with each of its steps. */
export function explainStages(
  machine: TranslatingMachine,
  terms: NestedTerms,
  request: WalkRequest,
): { result: NestedWalkResult; steps: WalkStep[] } {
  const { hi, lo, access, user } = request;
  const { guest, host } = terms;
  const events: TranslationEvent[] = [];
  const stop = machine.listen((event) => events.push(event));
  const status = machine.translate(hi, lo, accessBits(access, user));
  stop();
  const hit = events.find((event) => event.kind === 'hit');
  const walked = events.find((event) => event.kind === 'walked');
  const reads = events.filter((event) => event.kind === 'read');
  const result: NestedWalkResult = {
    schemaVersion: SCHEMA_VERSION,
    command: 'walk',
    machine: terms.machine,
    address: formatHex(hi, lo),
    access,
    user,
    guest: guest.title,
    host: host.title,
    hostTables: host.levels.map(({ table }) => table),
    tlb: reads.length === 0 ? (hit?.where ?? null) : null,
    reads: reads.filter(({ address }) => address !== null).length,
    rows: rowsOf(machine, terms, request, reads, status),
    outcome:
      status >= 0
        ? mappedOutcome(status, lo, (walked ?? hit)?.shift)
        : {
            kind: 'fault',
            ...refusalOf(machine),
            ...terms.fault([...entriesBehind(machine, request, events), ...reads]),
          },
    changes: changesOf(events, reads),
  };
  return { result, steps: events.map((event) => stepOf(terms, result, event)) };
}

/** Entries that the processor passed over, as they are now: behind a TLB's answer, or the guest's behind a walk cache's. */
function entriesBehind(
  { observer }: TranslatingMachine,
  { hi, lo, access, user }: WalkRequest,
  events: readonly TranslationEvent[],
): readonly EntryOnWay[] {
  const shortcut = events.find((event) => event.kind === 'walk cache hit');
  const answered = events.some(({ kind }) => kind === 'hit') && !events.some(({ kind }) => kind === 'read');
  if (shortcut === undefined && !answered) return [];
  observer.walk(hi, lo, accessBits(access, user));
  const entries = observer.record.reads();
  return shortcut === undefined ? entries : entries.filter(({ stage, level }) => stage === 1 && level > shortcut.level);
}

/** The stage of the last fault, and the address that it refused. */
function refusalOf({ fault }: TranslatingMachine): { stage: 1 | 2; guestPhysical: Hex | null } {
  const { stage, guestHi, guestLo } = fault;
  return stage === 2 ? { stage: 2, guestPhysical: formatHex(guestHi, guestLo) } : { stage: 1, guestPhysical: null };
}

function changesOf(events: readonly TranslationEvent[], reads: readonly ReadEvent[]): NestedWalkResult['changes'] {
  const sets = events.filter((event): event is SetEvent => event.kind === 'set');
  return sets.map(({ address, bit }) => ({
    entryAddress: `0x${address.toString(16)}`,
    bit: bit === 'accessed' ? 'A' : 'D',
    stage: reads.find((read) => read.address === address)?.stage === 2 ? 2 : 1,
  }));
}

/** Cuts the reads into rows: each ends with an entry of the guest, the last one with the page or a refusal. */
function rowsOf(
  machine: TranslatingMachine,
  terms: NestedTerms,
  { hi, lo }: WalkRequest,
  reads: readonly ReadEvent[],
  status: number,
): NestedRow[] {
  const { guest, host, root, tableOf, pageOf } = terms;
  const rows: NestedRow[] = [];
  let hosts: NestedRead[] = [];
  let number = 0;
  let last: ReadEvent | null = null;
  for (const read of reads) {
    const told = toldRead(read.address === null ? 0 : ++number, read, read.stage === 1 ? guest : host);
    if (read.stage === 2) {
      hosts.push(told);
      continue;
    }
    const index = indexIn(guest.levels, read.level, toBigInt(hi, lo));
    // Without reads of the host's a walk cache may have led past the root.
    const table = last !== null ? tableOf(last) : hosts.length === 0 ? null : root;
    const guestPhysical = read.address === null || table === null ? null : table + index * guest.entryBytes;
    const address = guestPhysical === null ? null : `0x${guestPhysical.toString(16)}`;
    rows.push({ what: `${told.table}[${index}]`, guestPhysical: address, host: hosts, entry: told });
    hosts = [];
    last = read;
  }
  if (status >= 0) {
    const page = last === null ? formatHex(hi, lo) : pageOf(last);
    return reads.length === 0 ? rows : [...rows, { what: 'page', guestPhysical: page, host: hosts }];
  }
  const { stage, guestPhysical } = refusalOf(machine);
  return stage === 1 ? rows : [...rows, { what: 'refused', guestPhysical, host: hosts }];
}

function toldRead(
  number: number,
  { address, high, low, level, stage }: ReadEvent,
  { levels }: { readonly levels: readonly PagingLevel[] },
): NestedRead {
  const entryAddress = address === null ? null : `0x${address.toString(16)}`;
  return { number, stage, table: tableIn(levels, level), level, entryAddress, raw: formatHex(high, low) };
}

function tableIn(levels: readonly PagingLevel[], level: number): string {
  return levels.find((candidate) => candidate.level === level)?.table ?? `level ${level}`;
}

/** The index of an address into the table of a level. */
function indexIn(levels: readonly PagingLevel[], level: number, linear: bigint): number {
  const found = levels.find((candidate) => candidate.level === level);
  return found === undefined ? 0 : Number(BigInt.asUintN(found.indexBits, linear >> BigInt(found.shift)));
}

/** A step: of the host's tables and of entries marked in the same words on every machine. */
function stepOf(terms: NestedTerms, result: NestedWalkResult, event: TranslationEvent): WalkStep {
  const { kind } = event;
  if (kind === 'read' && event.stage === 2) {
    const where = tableIn(terms.host.levels, event.level);
    const entryAddress = `0x${(event.address ?? 0).toString(16)}`;
    const raw = formatHex(event.high, event.low);
    return { kind, where, entryAddress, raw, text: `host's ${where} entry at ${entryAddress}: ${raw}` };
  }
  if (kind === 'set') {
    const entryAddress = `0x${event.address.toString(16)}`;
    return { kind, entryAddress, text: `${event.bit} bit of the entry at ${entryAddress}` };
  }
  const { outcome } = result;
  if (kind === 'fault' && outcome.kind === 'fault' && outcome.stage === 2) return { kind, text: outcome.text };
  return terms.step(event, result);
}
