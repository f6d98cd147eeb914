/**
 * Hardware updates of descriptors: the Access flag, and the dirty state.
 * Source: Arm ARM (DDI 0487), chapter D8, "Hardware updates to the translation tables"; AArch64.S1Translate().
 */

import * as accesses from '../base/access.js';
import type { Ram } from '../memory/ram.js';
import type { TranslationListener } from '../translate/walk/events.js';
import * as walkRecord from '../translate/walk/walk-record.js';
import type { WalkRecord } from '../translate/walk/walk-record.js';
import * as format from './format.js';

const { IMPLICIT, WRITE } = accesses;
const { READ_HIGH, READ_INDEX, READ_LEVEL, READ_LOW } = walkRecord;
const { DESC_AF, DESC_READ_ONLY, DESC_S2_WRITE } = format;

/** Bits of a descriptor with the dirty state of stage 1 or 2. */
export const DIRTY_STATE = DESC_READ_ONLY | DESC_S2_WRITE;

/** A descriptor's low word after an access that its rights allow. AT instructions set the Access flag, not the dirty state. */
export function updatedWord(low: number, access: number, stage: 1 | 2, ofAt: boolean): number {
  const accessed = low | DESC_AF;
  const ofDescriptor = stage === 2 && (access & IMPLICIT) !== 0;
  if ((access & WRITE) === 0 || (ofAt && !ofDescriptor)) return accessed;
  return stage === 1 ? accessed & ~DESC_READ_ONLY : accessed | DESC_S2_WRITE;
}

/**
 * Stores the updated low word of the descriptor read into `row`.
 * @returns false, with nothing changed, when another processor has changed the descriptor
 */
export function updateDescriptor(
  ram: Ram,
  { rows }: WalkRecord,
  row: number,
  updated: number,
  listener: TranslationListener | null,
): boolean {
  const at = rows[row | READ_INDEX] >>> 0;
  const low = rows[row | READ_LOW];
  if (!ram.replaceEntry(at, rows[row | READ_HIGH], low, updated)) return false;
  if (listener === null) return true;
  const shared = { kind: 'set', address: at * 4, level: rows[row | READ_LEVEL] } as const;
  const changed = low ^ updated;
  if ((changed & DESC_AF) !== 0) listener({ ...shared, bit: 'accessed', mask: DESC_AF });
  const dirty = changed & DIRTY_STATE;
  if (dirty !== 0) listener({ ...shared, bit: 'dirty', mask: dirty, cleared: (low & dirty) !== 0 });
  return true;
}
