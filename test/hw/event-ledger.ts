/** Second books on the events of a machine: each is held to RAM, to the machine's answers, and to the events before it. */

import { toBigInt } from '../../hw/base/address.js';
import type { Word64 } from '../../hw/base/address.js';
import { PAGE_FAULT } from '../../hw/base/fault.js';
import { FRACTURED, GLOBAL } from '../../hw/base/permission.js';
import type { DropEvent, FillEvent, HeldEntry } from '../../hw/tlb/events.js';
import type { TranslatingMachine } from '../../hw/translate/machine.js';
import type {
  EntryCacheEvent,
  FaultEvent,
  HitEvent,
  LookupEvent,
  ReadEvent,
  SecondStageHitEvent,
  SetEvent,
  TranslationEvent,
  WalkCacheHitEvent,
  WalkedEvent,
} from '../../hw/translate/walk/events.js';

/** The entries of one stage: their bytes, and the rights that they leave below, from those of the root on. */
export interface LeftRights {
  readonly bytes: number;
  readonly root: number;
  readonly after: (rights: number, high: number, low: number, level: number) => number;
}

/** By stage, and by the high word of the linear address. */
export type RightsByStage = (stage: number, hi: number) => LeftRights;

/** A walk on its way: the level of the last table, null if not known, and the rights left. */
interface Way {
  readonly level: number | null;
  readonly rights: number;
}

const within = (shift: number): bigint => (1n << BigInt(shift)) - 1n;

/** Whether an entry's bytes, from its address on, have another address among them. */
const covers = ({ hi, lo, shift }: Word64 & { readonly shift: number }, at: Word64): boolean =>
  toBigInt(hi, lo) === (toBigInt(at.hi, at.lo) & ~within(shift));

/** The 4 KiB frame of an address in an entry's page. */
const frameAt = ({ hi, lo, frame }: HeldEntry, at: Word64): number =>
  frame + Number((toBigInt(at.hi, at.lo) - toBigInt(hi, lo)) >> 12n);

const isPage = ({ holds }: Pick<HeldEntry, 'holds'>): boolean => holds.endsWith('page');

/** Of an event the entry alone, in one order of fields. */
export function entryOf({ where, holds, hi, lo, shift, frame, rights, space, access }: HeldEntry): HeldEntry {
  return {
    ...{ where, holds, hi, lo, shift, frame },
    ...(rights !== undefined && { rights }),
    ...(space !== undefined && { space }),
    ...(access !== undefined && { access }),
  };
}

/** All of an entry but its frame and rights: these may change while it stays. */
const keyOf = (entry: HeldEntry): string => JSON.stringify(entryOf({ ...entry, frame: 0, rights: 0 }));

/** Hears a machine from its start on. */
export class EventLedger {
  /** What was told and is not so, in words. */
  readonly wrong: string[] = [];
  private readonly entries = new Map<string, HeldEntry>();
  private lookup: LookupEvent | null = null;
  private found: HitEvent | WalkedEvent | null = null;
  private fault: FaultEvent | null = null;
  private reads: ReadEvent[] = [];
  private first: Way | null = null;
  private second: Way | null = null;
  private evicted: DropEvent | null = null;

  constructor(
    private readonly machine: TranslatingMachine,
    private readonly left: RightsByStage,
  ) {}

  /** Entries told to be filled, and not to be dropped since. */
  get held(): readonly HeldEntry[] {
    return [...this.entries.values()];
  }

  readonly hear = (event: TranslationEvent): void => {
    const { kind } = event;
    if (this.evicted !== null) this.makeRoom(event, this.evicted);
    if (kind === 'lookup') this.begin(event);
    else if (kind === 'hit') this.hit(event);
    else if (kind === 'walk cache hit') this.shortened(event);
    else if (kind === 'second-stage hit') this.answeredByHost(event);
    else if (kind === 'read') this.read(event);
    else if (kind === 'set') this.set(event);
    else if (kind === 'walked') this.found = event;
    else if (kind === 'entry cache') this.askEntryCache(event);
    else if (kind === 'fill') this.fill(event);
    else if (kind === 'drop') this.drop(event);
    else if (kind === 'fault') this.faulted(event);
  };

  /** To be called after each access, with its status, and after each instruction. */
  ended(access: (Word64 & { readonly bits: number }) | null, status = 0): void {
    const { lookup, found, fault } = this;
    if (access !== null && status < 0) {
      const taken = { kind: 'fault', of: fault?.of, ...this.machine.fault.take() };
      this.hold(
        JSON.stringify(fault) === JSON.stringify(taken) && fault?.status === status,
        'another fault',
        fault,
        taken,
      );
    } else if (access !== null && lookup !== null) {
      this.hold(found?.frame === status, 'another answer', found, status);
      // A tag is in bits 63:56.
      const sameLinear = (lookup.hi ^ access.hi) << 8 === 0 && lookup.lo === access.lo;
      this.hold(sameLinear && lookup.access === access.bits, 'another access', lookup, access);
    }
    this.lookup = this.found = this.fault = this.first = this.second = null;
    this.reads = [];
  }

  private hold(so: boolean, what: string, ...told: unknown[]): void {
    if (!so) this.wrong.push(`${what}: ${JSON.stringify(told)}`);
  }

  private begin(event: LookupEvent): void {
    const { regime } = this.machine.dataPath;
    this.hold(event.space === regime.space, 'another space', event);
    this.lookup = event;
    this.found = this.fault = this.second = null;
    this.reads = [];
    this.first = { level: regime.rootLevelAt(event.hi) + 1, rights: this.left(1, event.hi).root };
  }

  /** An entry for an address in an array, in a space or in all. */
  private entryFor(
    where: string,
    at: Word64,
    space: number,
    fits: (entry: HeldEntry) => boolean,
  ): HeldEntry | undefined {
    return this.held.find(
      (entry) => entry.where === where && (entry.space ?? space) === space && covers(entry, at) && fits(entry),
    );
  }

  private hit(event: HitEvent): void {
    const { lookup } = this;
    this.found = event;
    const { hi, lo, space, access } = lookup ?? { hi: NaN, lo: NaN, space: NaN, access: NaN };
    this.hold(event.hi === hi && event.lo === lo, 'a hit of another address', event, lookup);
    const entry = this.entryFor(
      event.where,
      event,
      space,
      (one) =>
        isPage(one) &&
        one.shift === event.shift &&
        one.rights === event.rights &&
        (one.access ?? access) === access &&
        frameAt(one, event) === event.frame,
    );
    this.hold(entry !== undefined, 'a hit of no entry', event, lookup);
  }

  private shortened(event: WalkCacheHitEvent): void {
    const { lookup } = this;
    const { table, rights, level } = event;
    const { hi, lo, space } = lookup ?? { hi: 0, lo: 0, space: NaN };
    const shift = this.machine.dataPath.regime.levelShiftsAt(hi)[level + 1];
    const fits = (one: HeldEntry): boolean => one.frame === table && one.rights === rights && one.shift === shift;
    this.hold(this.entryFor(event.where, { hi, lo }, space, fits) !== undefined, 'a hit of no table', event, lookup);
    this.first = { level: level + 1, rights };
  }

  private answeredByHost(event: SecondStageHitEvent): void {
    const entry = this.entryFor(
      event.where,
      event,
      event.space,
      (one) =>
        one.holds === event.holds &&
        one.shift === event.shift &&
        (isPage(one) ? frameAt(one, event) : one.frame) === event.frame,
    );
    this.hold(entry !== undefined, 'a hit of no entry of the second stage', event);
    this.second = isPage(event) ? null : { level: null, rights: entry?.rights ?? NaN };
  }

  private read(event: ReadEvent): void {
    this.reads.push(event);
    const { address, high, low, level, stage, rights } = event;
    // A register, or PDPTEs on their way there.
    if (address === null || (stage === 1 && this.lookup === null)) return;
    const { bytes, root, after } = this.left(stage, this.lookup?.hi ?? 0);
    const { words } = this.machine.ram;
    const [lowNow, highNow] = [words[address / 4], bytes === 8 ? words[address / 4 + 1] : 0];
    this.hold(low === lowNow && high === highNow, 'not in RAM', event, lowNow, highNow);
    const way = (stage === 1 ? this.first : this.secondWay(level)) ?? { level: level + 1, rights: root };
    this.hold(way.level === null || way.level - 1 === level, 'another level', event, way);
    this.hold(rights === after(way.rights, high, low, level), 'other rights', event, way);
    this.first = stage === 1 ? { level, rights } : this.first;
    this.second = stage === 1 ? null : { level, rights };
  }

  /** A host's walk goes on, or another one begins at the root. */
  private secondWay(level: number): Way | null {
    const { second } = this;
    return second?.level == null || second.level - 1 === level ? second : null;
  }

  private set(event: SetEvent): void {
    const { address, mask, level, cleared = false } = event;
    const now = this.machine.ram.words[address / 4] & mask;
    this.hold(now === (cleared ? 0 : mask), 'a bit not so in RAM', event);
    this.hold(
      this.reads.some((read) => read.address === address && read.level === level),
      'a bit of an entry not read',
      event,
    );
  }

  private askEntryCache(event: EntryCacheEvent): void {
    const wasRead = this.reads.some(({ address }) => address === event.address);
    this.hold(wasRead, 'an entry not read', event);
  }

  private fill(event: FillEvent): void {
    const { lookup } = this;
    this.entries.set(keyOf(event), entryOf(event));
    this.hold(covers(event, event), 'not the first byte', event);
    if (event.holds === 'guest-physical page') return;
    if (event.holds === 'guest-physical table') {
      this.hold(
        this.reads.some(({ stage, rights }) => stage === 2 && rights === event.rights),
        'rights of no entry',
        event,
      );
      return;
    }
    if (lookup === null || !covers(event, lookup)) this.hold(false, 'a fill of another address', event, lookup);
    else if (event.holds === 'table') this.fillOfTable(event, lookup);
    else this.fillOfPage(event, lookup);
  }

  private fillOfPage(event: FillEvent, lookup: LookupEvent): void {
    const { found } = this;
    const { rights = 0, space = lookup.space, access } = event;
    this.hold(found !== null && frameAt(event, lookup) === found.frame, 'another frame', event, found);
    this.hold(
      space === lookup.space && (access ?? lookup.access) === lookup.access,
      'for another access',
      event,
      lookup,
    );
    if (access !== undefined) return;
    this.hold((event.space === undefined) === ((rights & GLOBAL) !== 0), 'global or not', event);
    this.hold((rights | FRACTURED) === ((found?.rights ?? NaN) | FRACTURED), 'rights not found', event, found);
  }

  private fillOfTable(event: FillEvent, lookup: LookupEvent): void {
    const shifts = this.machine.dataPath.regime.levelShiftsAt(lookup.hi);
    const own = this.reads.filter(({ stage, address }) => stage === 1 && address !== null);
    const at = own.findIndex(({ level }) => level === shifts.indexOf(event.shift));
    const [entry, next] = [own.at(at), own.at(at + 1)];
    this.hold(at >= 0 && entry?.rights === event.rights, 'rights of no entry', event, own);
    // A table is as large as a page of the last level.
    const inTable = (next?.address ?? NaN) - event.frame * 4096;
    this.hold(inTable >= 0 && inTable < 2 ** Math.max(12, shifts[0]), 'another table', event, next);
    this.hold(event.space === lookup.space, 'for another space', event, lookup);
  }

  private drop(event: DropEvent): void {
    const known = this.entries.get(keyOf(event));
    this.hold(JSON.stringify(known) === JSON.stringify(entryOf(event)), 'a drop of another entry', event, known);
    this.entries.delete(keyOf(event));
    if (event.why === 'evicted') this.evicted = event;
  }

  /** What gave way did so for an entry put in at once. */
  private makeRoom(event: TranslationEvent, evicted: DropEvent): void {
    this.hold(event.kind === 'fill' && event.where === evicted.where, 'evicted for nothing', evicted, event);
    this.evicted = null;
  }

  private faulted(event: FaultEvent): void {
    this.fault = event;
    const { of, level, stage, status, guestHi, guestLo } = event;
    const last = this.reads.filter((read) => read.stage === stage).at(-1);
    if (stage === 1) this.hold(guestHi === 0 && guestLo === 0, "a guest's address", event);
    if (stage === 1 && of === 'address') this.hold(level === -1, 'the level of no entry', event);
    if (status !== PAGE_FAULT || (stage === 1 && of !== 'walk')) return;
    // A host's walk may end before its first entry, and leave the last one to the walk before.
    const noWalk = stage === 2 && level === -1;
    this.hold(noWalk || level === (last?.level ?? -1), 'another level', event, last);
  }
}
