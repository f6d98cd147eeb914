/** The entries on the way to an address, read by a walker that only looks. */

import { formatHex } from '../../../hw/base/address.js';
import { BUS_ERROR, FaultRecord, OK } from '../../../hw/x86/exception.js';
import type { Mmu } from '../../../hw/x86/mmu.js';
import { decodeEntry, flagNames } from '../../../hw/base/format.js';
import type { EntryFormat, PagingLevel } from '../../../hw/base/format.js';
import { PTE_FRAME_LOW, PTE_P, PTE_PS, X86_MODES } from '../../../hw/x86/format.js';
import { X86Walker } from '../../../hw/x86/walk.js';
import { ROOT_RIGHTS, wideIndex } from '../../../hw/x86/words.js';
import { allowedBy } from './rights.js';
import type { WalkLevel } from './walk-result.js';

/** Physical address bits 51:32 in an entry's high word. */
const ADDRESS_HIGH = 0xf_ffff;
/** The level of the PDPTEs, which PAE paging keeps in registers. */
const PAE_ROOT = 2;

/** A fresh walk: its levels, and how it ended. */
export interface FreshWalk {
  readonly walker: X86Walker;
  readonly levels: readonly WalkLevel[];
  /** The frame (int32), or the status of a fault that has to do with entries: not present, reserved, not in RAM. */
  readonly status: number;
  readonly fault: FaultRecord;
}

/** Walks from the root past all caches, with no regard to rights, setting nothing. */
export function freshWalk(mmu: Mmu, hi: number, lo: number, access: number): FreshWalk {
  const fault = new FaultRecord();
  const walker = new X86Walker(mmu.ram, mmu.rules, fault, true);
  const { mode } = mmu.rules;
  if (mode === 'none' || !mmu.isCanonical(hi)) return { walker, levels: [], status: OK, fault };
  const status = mmu.walkFresh(walker, hi, lo, access);
  const levels: WalkLevel[] = mode === 'pae' ? [registerLevel(mmu, lo)] : [];
  // A bus error before the page means that the entry of the last level could not be read.
  const last = status === BUS_ERROR ? walker.endLevel + 1 : walker.endLevel;
  for (let level = walker.startLevel; level >= last; level--) levels.push(levelOf(mmu, walker, hi, lo, level));
  return { walker, levels, status, fault };
}

function levelData(mmu: Mmu, level: number): PagingLevel {
  const found = X86_MODES[mmu.rules.mode].levels.find((candidate: PagingLevel) => candidate.level === level);
  if (found === undefined) throw new Error(`${mmu.rules.mode} paging has no level ${level}`);
  return found;
}

function formatOf(mmu: Mmu, level: PagingLevel, low: number): { format: EntryFormat; isPage: boolean } {
  const { tableEntry, pageEntry } = level;
  const large = (low & PTE_PS) !== 0 && mmu.rules.largePages;
  if (pageEntry !== undefined && (tableEntry === undefined || large)) return { format: pageEntry, isPage: true };
  if (tableEntry === undefined) throw new Error(`${level.table} has no entry format`);
  return { format: tableEntry, isPage: false };
}

/** The PDPTE of PAE paging that the processor read when CR3 was loaded. */
function registerLevel(mmu: Mmu, lo: number): WalkLevel {
  const index = lo >>> 30;
  const low = mmu.pdptes[2 * index];
  const high = mmu.pdptes[2 * index + 1];
  return describeLevel(mmu, levelData(mmu, PAE_ROOT), index, null, high, low, ROOT_RIGHTS);
}

function levelOf(mmu: Mmu, walker: X86Walker, hi: number, lo: number, level: number): WalkLevel {
  const narrow = mmu.rules.mode === '32';
  const index = narrow ? (level === 0 ? (lo >>> 12) & 0x3ff : lo >>> 22) : wideIndex(hi, lo, level);
  const at = walker.entryIndex[level];
  const high = walker.entryHigh[level];
  const low = walker.entryLow[level];
  return describeLevel(mmu, levelData(mmu, level), index, at * 4, high, low, walker.rightsAfter[level]);
}

function describeLevel(
  mmu: Mmu,
  data: PagingLevel,
  index: number,
  address: number | null,
  high: number,
  low: number,
  rights: number,
): WalkLevel {
  const { format, isPage } = formatOf(mmu, data, low);
  const present = (low & PTE_P) !== 0;
  return {
    table: data.table,
    level: data.level,
    index,
    entryAddress: address === null ? null : `0x${address.toString(16)}`,
    raw: `0x${formatHex(high, low)
      .slice(2)
      .padStart(format.bytes * 2, '0')}`,
    format: format.name,
    section: format.section,
    fields: decodeEntry(format, high, low),
    flags: present ? flagNames(format, high, low) : '',
    pointsTo: !present ? 'nothing' : isPage ? 'page' : 'table',
    target: present ? targetOf(format, isPage, high, low) : null,
    allows: present ? allowedBy(rights) : null,
    skipped: false,
  };
}

/** Where the frame field leads; a 4 MiB page has bits 39:32 in a field of their own. */
function targetOf(format: EntryFormat, isPage: boolean, high: number, low: number): string {
  if (!isPage) return formatHex(high & ADDRESS_HIGH, low & PTE_FRAME_LOW);
  const fields = decodeEntry(format, high, low);
  const frame = fields.find(({ name }) => name === 'frame');
  const above = fields.find(({ name }) => name === 'frame high')?.value ?? 0;
  return `0x${((frame?.value ?? 0) * 2 ** (frame?.low ?? 0) + above * 2 ** 32).toString(16)}`;
}
