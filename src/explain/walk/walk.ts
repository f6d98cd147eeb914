/**
 * One access explained: what the TLB and the walk caches answer, every entry on the way, and how it ends.
 *
 * The access is really made, on the machine it is given: TLBs fill, accessed and dirty bits are set. Nothing here
 * decides a translation; it looks at the machine before and after.
 */

import { FETCH, WRITE } from '../../../hw/base/access.js';
import { formatHex, highWordOfFrame, lowWordOfFrame } from '../../../hw/base/address.js';
import { PAGE_OFFSET_MASK, pageSizeName, SIZE_SHIFTS } from '../../../hw/base/address.js';
import type { CounterValues } from '../../../hw/translate/counters.js';
import { OK } from '../../../hw/base/fault.js';
import type { Mmu } from '../../../hw/x86/mmu.js';
import { PTE_A, PTE_D, X86_MODES } from '../../../hw/x86/format.js';
import { SCHEMA_VERSION } from '../../report/schema.js';
import { accessBits } from '../machine.js';
import type { AccessKind } from '../machine-state.js';
import { allowedBy, allowedWords } from './rights.js';
import { explainFault } from './walk-fault.js';
import { freshWalk } from './walk-levels.js';
import type { FreshWalk } from './walk-levels.js';
import type { EntryChange, FaultReason, TlbAnswer, WalkCacheAnswer, WalkLevel, WalkResult } from './walk-result.js';

/** An access, to be explained. */
export interface WalkRequest {
  /** The linear address, as words. */
  readonly hi: number;
  readonly lo: number;
  readonly access: AccessKind;
  readonly user: boolean;
}

/** Makes the access on `mmu` and explains it. */
export function explainWalk(mmu: Mmu, request: WalkRequest): WalkResult {
  const { hi, lo } = request;
  const access = accessBits(request.access, request.user);
  const { mode } = mmu.rules;
  const fresh = freshWalk(mmu, hi, lo, access);
  const held = askTlb(mmu, hi, lo, access);
  const before = mmu.counters.snapshot();
  const status = mmu.translate(hi, lo, access);
  const walked = mode !== 'none' && mmu.isCanonical(hi) && hasWalked(before, mmu.counters.snapshot());
  const exception = mmu.fault.take();
  const rights = held.hit ? held.rights : fresh.rights;
  const outcome =
    status >= OK
      ? { kind: 'mapped' as const, physical: physical(status, lo), page: pageName(mmu) }
      : explainFault({ mmu, exception, access, levels: fresh.levels, last: fresh.reads.at(-1), rights });
  const { title, section } = X86_MODES[mode];
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
    tlb: tlbAnswer(mmu, held, fresh, lo),
    walkCache: walked ? walkCacheAnswer(mmu, fresh.levels) : { answer: 'not asked' },
    levels: markLevels(mmu, fresh.levels, walked, outcome.kind === 'fault' ? outcome.reasons : []),
    outcome,
    changes: changesSince(mmu, fresh.levels),
  };
}

function physical(frame: number, lo: number): string {
  return formatHex(highWordOfFrame(frame), lowWordOfFrame(frame) | (lo & PAGE_OFFSET_MASK));
}

function pageName(mmu: Mmu): string | null {
  return mmu.rules.mode === 'none' ? null : pageSizeName(SIZE_SHIFTS[mmu.lastSize]);
}

/** What the TLBs hold for an access before it is made. */
interface Held {
  readonly answer: TlbAnswer['answer'];
  readonly hit: boolean;
  readonly frame: number;
  readonly rights: number;
  readonly size: number;
}

/**
 * Looks the address up as the access is about to: first level, then second. The access looks the same entries up
 * again, so the order in which they were used last stays as it is.
 */
function askTlb(mmu: Mmu, hi: number, lo: number, access: number): Held {
  const { tlb, currentPcid } = mmu;
  const nothing = { hit: false, frame: 0, rights: 0, size: 0 };
  if (mmu.rules.mode === 'none' || !mmu.isCanonical(hi)) return { answer: 'off', ...nothing };
  const fetch = (access & FETCH) !== 0;
  const l1 = fetch ? tlb.l1Fetch : (access & WRITE) !== 0 ? tlb.l1Store : tlb.l1Load;
  const l2 = fetch ? tlb.l2Fetch : tlb.l2Data;
  for (const [answer, group] of [
    ['L1 hit', l1],
    ['L2 hit', l2],
  ] as const) {
    if (!group.lookup(hi, lo, currentPcid)) continue;
    const { frame, rights, size } = group;
    return { answer, hit: true, frame, rights, size };
  }
  const { geometry } = tlb;
  const arrays = geometry.l1Data.length + geometry.l1Instruction.length + geometry.l2.length;
  return { answer: arrays === 0 ? 'none' : 'miss', ...nothing };
}

function tlbAnswer(mmu: Mmu, held: Held, fresh: FreshWalk, lo: number): TlbAnswer {
  const shape = mmu.tlb.geometry.name;
  if (!held.hit) return { shape, answer: held.answer };
  const allows = allowedBy(held.rights);
  const stale = staleness(held, fresh);
  return {
    shape,
    answer: held.answer,
    physical: physical(held.frame, lo),
    page: pageSizeName(SIZE_SHIFTS[held.size]),
    allows,
    ...(stale === undefined ? {} : { stale }),
  };
}

function staleness(held: Held, { status, frame, rights }: FreshWalk): string | undefined {
  if (status < OK) return 'a walk finds no page here now';
  if (frame !== held.frame) return `a walk finds frame 0x${(frame >>> 0).toString(16)} now`;
  const now = allowedWords(allowedBy(rights));
  return now === allowedWords(allowedBy(held.rights)) ? undefined : `a walk finds ${now} now`;
}

/** Whether the access read entries. */
function hasWalked(before: CounterValues, after: CounterValues): boolean {
  const walks = (counters: CounterValues): number =>
    counters.data.walks + counters.fetch.walks + counters.dirtyUpdates + counters.faultsOnWalk + counters.faultReads;
  return walks(after) > walks(before);
}

/** Where the walk that was just made began: at the first level, or below it where a cache led it. */
function walkCacheAnswer(mmu: Mmu, levels: readonly WalkLevel[]): WalkCacheAnswer {
  const { walkRecord } = mmu;
  const inMemory = levels.filter(({ entryAddress }) => entryAddress !== null);
  const root = inMemory.at(0)?.level ?? walkRecord.startLevel;
  if (walkRecord.startLevel >= root) return { answer: 'miss' };
  const start = inMemory.find(({ level }) => level === walkRecord.startLevel);
  const address = walkRecord.index(0) * 4;
  return {
    answer: 'hit',
    startsAt: start?.table ?? `level ${walkRecord.startLevel}`,
    table: `0x${(address - (address % 4096)).toString(16)}`,
  };
}

/** Says which entries were passed over, and puts the reasons of a fault beside the entry they are about. */
function markLevels(
  mmu: Mmu,
  levels: readonly WalkLevel[],
  walked: boolean,
  reasons: readonly FaultReason[],
): WalkLevel[] {
  return levels.map((level) => {
    const skipped = !walked || (level.entryAddress !== null && level.level > mmu.walkRecord.startLevel);
    const own = reasons.filter(({ table }) => table === level.table).map(({ text }) => text);
    return own.length === 0 ? { ...level, skipped } : { ...level, skipped, problem: own.join('; ') };
  });
}

/** Accessed and dirty bits that are set now and were not before. */
function changesSince(mmu: Mmu, levels: readonly WalkLevel[]): EntryChange[] {
  return levels.flatMap(({ table, entryAddress, raw }) => {
    if (entryAddress === null) return [];
    const low = mmu.ram.words[Number(entryAddress) / 4];
    const set = low & ~Number(BigInt.asIntN(32, BigInt(raw)));
    const bits = [(set & PTE_A) !== 0 ? 'A' : '', (set & PTE_D) !== 0 ? 'D' : ''].filter((name) => name !== '');
    return bits.length === 0 ? [] : [{ table, entryAddress, bits: bits.join(' ') }];
  });
}
