/** The entries on the way to an address, read by a walker that only looks. */

import { formatHex, wideIndex } from '../../../hw/base/address.js';
import { OK } from '../../../hw/base/fault.js';
import type { Exception } from '../../../hw/base/fault.js';
import type { WalkRead } from '../../../hw/translate/walk-record.js';
import type { Mmu } from '../../../hw/x86/mmu.js';
import { decodeEntry, flagNames } from '../../../hw/base/format.js';
import type { EntryFormat, PagingLevel } from '../../../hw/base/format.js';
import { PTE_FRAME_LOW, PTE_P, PTE_PS, X86_MODES } from '../../../hw/x86/format.js';
import { ROOT_RIGHTS } from '../../../hw/x86/words.js';
import { allowedBy } from './rights.js';
import type { WalkLevel } from './walk-result.js';

/** Physical address bits 51:32 in an entry's high word. */
const ADDRESS_HIGH = 0xf_ffff;
/** The level of the PDPTEs, which PAE paging keeps in registers. */
const PAE_ROOT = 2;

/** A fresh walk: its levels, and how it ended. */
export interface FreshWalk {
  readonly levels: readonly WalkLevel[];
  /** The entries in RAM that it read, in order. */
  readonly reads: readonly WalkRead[];
  /** The frame (int32), or the status of a fault that has to do with entries: not present, reserved, not in RAM. */
  readonly status: number;
  /** Its page's frame and rights, where it found one. */
  readonly frame: number;
  readonly rights: number;
  readonly fault: Exception;
}

/** Walks from the root past all caches, with no regard to rights, setting nothing. */
export function freshWalk(mmu: Mmu, hi: number, lo: number, access: number): FreshWalk {
  const { record, fault } = mmu.observer;
  const { mode } = mmu.rules;
  if (mode === 'none' || !mmu.isCanonical(hi)) {
    return { levels: [], reads: [], status: OK, frame: 0, rights: 0, fault: fault.take() };
  }
  const status = mmu.observer.walk(hi, lo, access);
  const reads = record.reads();
  const levels: WalkLevel[] = mode === 'pae' ? [registerLevel(mmu, lo)] : [];
  for (const read of reads) levels.push(levelOf(mmu, read, hi, lo));
  return { levels, reads, status, frame: record.frame, rights: record.rights, fault: fault.take() };
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

function levelOf(mmu: Mmu, { address, high, low, level, rights }: WalkRead, hi: number, lo: number): WalkLevel {
  const narrow = mmu.rules.mode === '32';
  const index = narrow ? (level === 0 ? (lo >>> 12) & 0x3ff : lo >>> 22) : wideIndex(hi, lo, level);
  return describeLevel(mmu, levelData(mmu, level), index, address, high, low, rights);
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
