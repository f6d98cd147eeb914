/** Words of recordings, compared and told. */

import type { Word64 } from '../../../hw/base/address.js';
import { formatHex, highWordOfFrame, lowWordOfFrame } from '../../../hw/base/address.js';

/** Whether words are the same but for the bits of `mask`. */
export function sameWords(expected: readonly Word64[], got: readonly Word64[], mask: Word64): boolean {
  return (
    expected.length === got.length &&
    expected.every(
      ({ hi, lo }, index) => ((hi ^ got[index].hi) & ~mask.hi) === 0 && ((lo ^ got[index].lo) & ~mask.lo) === 0,
    )
  );
}

/** Whether two words are the same; either may be missing. */
export function sameWord(one: Word64 | undefined, other: Word64 | undefined): boolean {
  return one?.hi === other?.hi && one?.lo === other?.lo;
}

/** A frame number and an offset as a physical address. */
export function physical(frame: number, offset: number): Word64 {
  return { hi: highWordOfFrame(frame), lo: lowWordOfFrame(frame) | offset };
}

/** A word as hexadecimal text. */
export function wordText({ hi, lo }: Word64): string {
  return formatHex(hi, lo);
}
