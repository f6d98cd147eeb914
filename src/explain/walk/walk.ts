/**
 * One access explained: the answers of the TLB and the walk caches, every entry on the way, and the end.
 *
 * The access is really made, on the machine it is given: TLBs fill, accessed and dirty bits are set. Nothing here
 * decides a translation. The machine's own events tell the steps; a second walker only looks, for the entries passed
 * over.
 */

import { checkChoice, checkKind, checkOptions, NUMBER, objectWith, TRUTH } from '../../../hw/base/arguments.js';
import { formatHex, pageSizeName } from '../../../hw/base/address.js';
import { OK } from '../../../hw/base/fault.js';
import type {
  FaultEvent,
  HitEvent,
  LookupEvent,
  ReadEvent,
  SetEvent,
  TranslationEvent,
  WalkCacheHitEvent,
  WalkedEvent,
} from '../../../hw/translate/walk/events.js';
import type { Mmu } from '../../../hw/x86/mmu.js';
import { X86_MODES } from '../../../hw/x86/format.js';
import { SCHEMA_VERSION } from '../../report/results/schema-version.js';
import { mappedOutcome, physicalAddress } from '../common-steps.js';
import type { AccessKind } from '../machine-state.js';
import { allowedBy, allowedWords } from './rights.js';
import { explainFault } from './walk-fault.js';
import { levelOf, observe, tableName } from './walk-levels.js';
import type { Observed } from './walk-levels.js';
import { stepOf } from './walk-steps.js';
import type {
  EntryChange,
  FaultReason,
  TlbAnswer,
  WalkCacheAnswer,
  WalkLevel,
  WalkResult,
  WalkStep,
} from './walk-result.js';
import { STATE_ACCESSES, accessBits } from '../state-form.js';

/** An access, to be explained. */
export interface WalkRequest {
  /** The linear address, as words. */
  readonly hi: number;
  readonly lo: number;
  readonly access: AccessKind;
  readonly user: boolean;
}

const MMU = objectWith('vm', "an Mmu, such as that of buildMachine(demoState('4l'))");
const REQUIRED = { hi: NUMBER, lo: NUMBER, user: TRUTH };

/** Refuses anything but an Mmu and an access. @throws TypeError, RangeError */
export function checkExplained(name: string, mmu: Mmu, request: WalkRequest): void {
  checkKind(`${name}: mmu`, mmu, MMU);
  checkOptions(`${name}: request`, request, REQUIRED);
  checkChoice('access', request.access, STATE_ACCESSES);
}

/**
 * Makes the access on `mmu` and explains it.
 * @throws RangeError while a guest runs: its walk has two stages; TypeError for fields of another kind
 */
export function explainWalk(mmu: Mmu, request: WalkRequest): WalkResult {
  return explainSteps(mmu, request).result;
}

/** The same, and each step of the processor. */
export function explainSteps(mmu: Mmu, request: WalkRequest): { result: WalkResult; steps: WalkStep[] } {
  checkExplained('explainWalk', mmu, request);
  const { hi, lo } = request;
  if (mmu.vm.hostMode !== null) throw new RangeError('a guest runs on this processor: explain it by explainNestedWalk');
  const events: TranslationEvent[] = [];
  const stop = mmu.listen((event) => events.push(event));
  const status = mmu.translate(hi, lo, accessBits(request.access, request.user));
  stop();
  const result = explainEvents(mmu, request, toldBy(events), status);
  return { result, steps: events.map((event) => stepOf(mmu, request, event)) };
}

/** The events of one access, by kind. */
interface Told {
  /** None while paging is off, and for an address refused at once. */
  readonly lookup: LookupEvent | undefined;
  readonly hit: HitEvent | undefined;
  readonly shortcut: WalkCacheHitEvent | undefined;
  readonly reads: readonly ReadEvent[];
  readonly sets: readonly SetEvent[];
  readonly walked: WalkedEvent | undefined;
  readonly fault: FaultEvent | undefined;
}

function toldBy(events: readonly TranslationEvent[]): Told {
  const all = <K extends TranslationEvent['kind']>(kind: K): Extract<TranslationEvent, { kind: K }>[] =>
    events.filter((event): event is Extract<TranslationEvent, { kind: K }> => event.kind === kind);
  return {
    lookup: all('lookup').at(0),
    hit: all('hit').at(0),
    shortcut: all('walk cache hit').at(0),
    reads: all('read'),
    sets: all('set'),
    walked: all('walked').at(0),
    fault: all('fault').at(0),
  };
}

function explainEvents(mmu: Mmu, request: WalkRequest, told: Told, status: number): WalkResult {
  const { hi, lo } = request;
  const { hit, shortcut, fault } = told;
  const { mode } = mmu.rules;
  const { title, section } = X86_MODES[mode];
  const access = accessBits(request.access, request.user);
  // The processor did not read the entries it passed over: the walker without effects has to.
  const observed = hit === undefined && shortcut === undefined ? null : observe(mmu, hi, lo, access);
  const levels = levelsOnTheWay(mmu, request, told, observed);
  const last = told.reads.at(-1) ?? observed?.reads.at(-1);
  const rights = hit?.rights ?? mmu.walkRecord.rights;
  const outcome =
    fault === undefined
      ? mappedOutcome(status, lo, (told.walked ?? hit)?.shift)
      : explainFault({ mmu, exception: fault, access, levels, last, rights });
  return {
    schemaVersion: SCHEMA_VERSION,
    command: 'walk',
    address: formatHex(hi, lo),
    access: request.access,
    user: request.user,
    mode,
    title,
    section,
    registers: {
      cr0: formatHex(0, mmu.cr0),
      cr3: formatHex(mmu.cr3Hi, mmu.cr3Lo),
      cr4: formatHex(0, mmu.cr4),
      efer: formatHex(0, mmu.efer),
    },
    tlb: tlbAnswer(mmu, told, observed, lo),
    walkCache: walkCacheAnswer(mmu, told),
    levels: outcome.kind === 'fault' ? withProblems(levels, outcome.reasons) : levels,
    outcome,
    changes: changesBy(told, levels),
  };
}

/** Every entry read, under those passed over. */
function levelsOnTheWay(
  mmu: Mmu,
  { hi, lo }: WalkRequest,
  { hit, shortcut, reads }: Told,
  observed: Observed | null,
): WalkLevel[] {
  const top = shortcut?.level ?? (hit !== undefined && reads.length === 0 ? -1 : Infinity);
  const passed = observed?.reads.filter(({ level }) => level > top) ?? [];
  return [
    ...passed.map((read) => levelOf(mmu, read, hi, lo, true)),
    ...reads.map((read) => levelOf(mmu, read, hi, lo, false)),
  ];
}

function tlbAnswer(mmu: Mmu, { lookup, hit }: Told, observed: Observed | null, lo: number): TlbAnswer {
  const { name: shape, l1Data, l1Instruction, l2 } = mmu.tlb.geometry;
  if (lookup === undefined) return { shape, answer: 'off' };
  if (hit === undefined) {
    return { shape, answer: l1Data.length + l1Instruction.length + l2.length === 0 ? 'none' : 'miss' };
  }
  const { frame, shift, level, rights = 0 } = hit;
  const stale = observed === null ? undefined : staleness(frame, rights, observed);
  return {
    shape,
    answer: level === 1 ? 'L1 hit' : 'L2 hit',
    physical: physicalAddress(frame, lo),
    page: pageSizeName(shift),
    allows: allowedBy(rights),
    ...(stale === undefined ? {} : { stale }),
  };
}

function staleness(held: number, heldRights: number, { status, frame, rights }: Observed): string | undefined {
  if (status < OK) return 'a walk finds no page here now';
  if (frame !== held) return `a walk finds frame 0x${(frame >>> 0).toString(16)} now`;
  const now = allowedWords(allowedBy(rights));
  return now === allowedWords(allowedBy(heldRights)) ? undefined : `a walk finds ${now} now`;
}

function walkCacheAnswer(mmu: Mmu, { lookup, hit, shortcut, reads }: Told): WalkCacheAnswer {
  if (shortcut !== undefined) {
    const { level, table } = shortcut;
    return { answer: 'hit', startsAt: tableName(mmu, level), table: physicalAddress(table) };
  }
  const walked = lookup !== undefined && (hit === undefined || reads.length > 0);
  return { answer: walked ? 'miss' : 'not asked' };
}

/** Puts the reasons of a fault beside the entry they are about. */
function withProblems(levels: readonly WalkLevel[], reasons: readonly FaultReason[]): WalkLevel[] {
  return levels.map((level) => {
    const own = reasons.filter(({ table }) => table === level.table).map(({ text }) => text);
    return own.length === 0 ? level : { ...level, problem: own.join('; ') };
  });
}

/** Accessed and dirty bits set by the access, by the entry. */
function changesBy({ sets }: Told, levels: readonly WalkLevel[]): EntryChange[] {
  return levels.flatMap(({ table, level, entryAddress }) => {
    const bits = sets.filter((set) => set.level === level).map(({ bit }) => (bit === 'accessed' ? 'A' : 'D'));
    return bits.length === 0 || entryAddress === null ? [] : [{ table, entryAddress, bits: bits.join(' ') }];
  });
}
