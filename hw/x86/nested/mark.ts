/** Accessed and dirty bits of entries read by the walks of a guest and of a host. */

import type { Ram } from '../../memory/ram.js';
import type { TranslationListener } from '../../translate/walk/events.js';
import { READ_HIGH, READ_INDEX, READ_LEVEL, READ_LOW } from '../../translate/walk/walk-record.js';
import type { WalkRecord } from '../../translate/walk/walk-record.js';

/**
 * Sets `bits` in the entry read into `row`. `accessed` is the place of the accessed bit in entries of its kind; the dirty
 * bit is the other one.
 * @returns false, with nothing set, when another processor has changed the entry
 */
export function markEntry(
  ram: Ram,
  record: WalkRecord,
  row: number,
  wide: boolean,
  bits: number,
  accessed: number,
  listener: TranslationListener | null,
): boolean {
  const { rows } = record;
  const at = rows[row | READ_INDEX] >>> 0;
  // Without other processors only this walk can have changed it: an entry may stand twice on one way.
  const low = ram.shared ? rows[row | READ_LOW] : ram.words[at];
  const done =
    wide && ram.shared
      ? ram.replaceEntry(at, rows[row | READ_HIGH], low, low | bits)
      : ram.replaceWord(at, low, low | bits);
  if (!done) return false;
  rows[row | READ_LOW] = low | bits;
  if (listener === null) return true;
  const level = rows[row | READ_LEVEL];
  for (const mask of [accessed, bits & ~accessed]) {
    if ((bits & ~low & mask) === 0) continue;
    listener({ kind: 'set', bit: mask === accessed ? 'accessed' : 'dirty', address: at * 4, mask, level });
  }
  return true;
}
