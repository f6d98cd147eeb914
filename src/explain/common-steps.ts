/** Steps and the end of an access that are the same on every machine, in words and as hexadecimal text. */

import { formatHex, highWordOfFrame, lowWordOfFrame, PAGE_OFFSET_MASK, pageSizeName } from '../../hw/base/address.js';
import type { HeldEntry } from '../../hw/tlb/events.js';
import type { TranslationEvent } from '../../hw/translate/walk/events.js';
import type { Hex } from './entry-level.js';
import type { MappedOutcome, WalkStep } from './walk/walk-result.js';

/** The events of such steps. */
type CommonEvent = Extract<
  TranslationEvent,
  { kind: 'second-stage hit' | 'entry cache' | 'instruction' | 'invalidate' }
>;

/** The physical address in a 4 KiB frame; `lo` has the offset, and is the frame's first byte when absent. */
export function physicalAddress(frame: number, lo = 0): Hex {
  return formatHex(highWordOfFrame(frame), lowWordOfFrame(frame) | (lo & PAGE_OFFSET_MASK));
}

/** The end of an access that reached memory. @param shift log2 of the bytes of its page; undefined without paging */
export function mappedOutcome(frame: number, lo: number, shift: number | undefined): MappedOutcome {
  const page = shift === undefined ? null : pageSizeName(shift);
  return { kind: 'mapped', physical: physicalAddress(frame, lo), page };
}

/** The size of the page of an entry in a TLB or walk cache; none for a table. */
export function heldSize({ holds, shift }: Pick<HeldEntry, 'holds' | 'shift'>): string | undefined {
  return holds.endsWith('table') ? undefined : pageSizeName(shift);
}

/** An entry of a TLB or walk cache: `L2 TLB: 0x601000, 4K page at 0x101000`. */
export function heldWords(entry: Pick<HeldEntry, 'where' | 'holds' | 'hi' | 'lo' | 'shift' | 'frame'>): string {
  const { where, holds, hi, lo, frame } = entry;
  const size = heldSize(entry);
  return `${where}: ${formatHex(hi, lo)}, ${size === undefined ? '' : `${size} `}${holds} at ${physicalAddress(frame)}`;
}

export function commonStep(event: CommonEvent): WalkStep {
  const { kind } = event;
  switch (kind) {
    case 'second-stage hit': {
      const { where, hi, lo, frame } = event;
      return { kind, where, linear: formatHex(hi, lo), target: physicalAddress(frame), text: heldWords(event) };
    }
    case 'entry cache': {
      const entryAddress = `0x${event.address.toString(16)}`;
      return { kind, entryAddress, text: `${event.hit ? 'has' : 'lacks'} the entry at ${entryAddress}` };
    }
    case 'instruction': {
      const linear = formatHex(event.hi, event.lo);
      return { kind, linear, text: `${event.name} ${linear}` };
    }
    case 'invalidate':
      return { kind, text: event.scope };
  }
}
