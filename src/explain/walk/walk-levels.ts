/** Entries on the way to an address, taken apart. */

import { formatHex, wideIndex } from '../../../hw/base/address.js';
import type { ReadEvent } from '../../../hw/translate/walk/events.js';
import type { Mmu } from '../../../hw/x86/mmu.js';
import { decodeEntry, flagNames } from '../../../hw/base/format.js';
import type { EntryFormat, PagingLevel } from '../../../hw/base/format.js';
import { PTE_FRAME_LOW, PTE_P, PTE_PS, X86_MODES } from '../../../hw/x86/format.js';
import { pdpteRead } from '../../../hw/x86/walk.js';
import { allowedBy } from './rights.js';
import type { WalkLevel } from './walk-result.js';

/** Physical address bits 51:32 in an entry's high word. */
const ADDRESS_HIGH = 0xf_ffff;

/** An entry as it was read; one in a register has no address. */
type EntryRead = Pick<ReadEvent, 'address' | 'high' | 'low' | 'level' | 'rights'>;

/** The result of a walk at this moment. */
export interface Observed {
  readonly reads: readonly EntryRead[];
  /** The frame (int32), or the status of a fault about entries: not present, reserved, not in RAM. */
  readonly status: number;
  /** Its page's frame and rights, if it found one. */
  readonly frame: number;
  readonly rights: number;
}

/** Walks from the root past all caches, with no regard to rights, setting nothing. Paging must be on. */
export function observe(mmu: Mmu, hi: number, lo: number, access: number): Observed {
  const { record } = mmu.observer;
  const status = mmu.observer.walk(hi, lo, access);
  const { frame, rights } = record;
  const at = (lo >>> 30) << 1;
  const root = mmu.rules.mode === 'pae' ? [pdpteRead(null, mmu.pdptes[at + 1], mmu.pdptes[at])] : [];
  return { reads: [...root, ...record.reads()], status, frame, rights };
}

/** `PML4`, `PT` and so on. */
export function tableName(mmu: Mmu, level: number): string {
  return levelData(mmu, level).table;
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

/** The index of the entry for an address in the table at `level`. */
export function indexAt(mmu: Mmu, level: number, hi: number, lo: number): number {
  if (mmu.rules.mode !== '32') return wideIndex(hi, lo, level);
  return level === 0 ? (lo >>> 12) & 0x3ff : lo >>> 22;
}

/** An entry on the way to an address; `skipped` when the processor did not read it now. */
export function levelOf(mmu: Mmu, read: EntryRead, hi: number, lo: number, skipped: boolean): WalkLevel {
  const { address, high, low, level, rights } = read;
  const data = levelData(mmu, level);
  const { format, isPage } = formatOf(mmu, data, low);
  const present = (low & PTE_P) !== 0;
  return {
    table: data.table,
    level,
    index: indexAt(mmu, level, hi, lo),
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
    skipped,
  };
}

/** Physical address in the frame field; a 4 MiB page has bits 39:32 in a field of their own. */
function targetOf(format: EntryFormat, isPage: boolean, high: number, low: number): string {
  if (!isPage) return formatHex(high & ADDRESS_HIGH, low & PTE_FRAME_LOW);
  const fields = decodeEntry(format, high, low);
  const frame = fields.find(({ name }) => name === 'frame');
  const above = fields.find(({ name }) => name === 'frame high')?.value ?? 0;
  return `0x${((frame?.value ?? 0) * 2 ** (frame?.low ?? 0) + above * 2 ** 32).toString(16)}`;
}
