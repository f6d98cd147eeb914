/** The events that every machine of the translate view has: accesses, and bits of entries to flip. */

import { parseAddress } from '../../../hw/base/address.js';
import type { WalkRequest } from '../../../src/explain/walk/walk.js';
import type { TlbDrawing } from './tlb-drawing.js';

/** The result of an access, and the TLBs before and after it. */
export interface RecordOf<Result, Step> {
  readonly request: WalkRequest;
  readonly result: Result;
  /** What the processor did, in order. */
  readonly steps: readonly Step[];
  readonly before: readonly TlbDrawing[];
  readonly after: readonly TlbDrawing[];
  /** Made again at once, because something was changed. */
  readonly again: boolean;
}

const ACCESS = /^(read|write|fetch)\.(user|kernel)\.(\w+)$/;
const FLIP = /^(flip|lazy)\.([0-4])\.(\d{1,2})$/;

/**
 * The access of `read.user.0x601000`, and its address as it is written; undefined for other words.
 * @param example an address of the machine, for errors
 * @throws RangeError for an address that is none
 */
export function accessIn(words: string, example: string): { request: WalkRequest; text: string } | undefined {
  const match = ACCESS.exec(words);
  if (match === null) return undefined;
  const [, access, who, text] = match;
  const address = parseAddress(text);
  if (address === undefined) {
    throw new RangeError(`'${text}' is no hexadecimal address of at most 64 bits, such as ${example}`);
  }
  return { request: { ...address, access: access as WalkRequest['access'], user: who === 'user' }, text };
}

/** A bit of the entry at a level of the last walk, to be flipped. */
export interface Flip {
  /** The page is invalidated afterwards. */
  readonly invalidates: boolean;
  readonly level: number;
  readonly bit: number;
}

/** The bit of `flip.LEVEL.BIT`, and of `lazy.LEVEL.BIT`, which invalidates nothing; undefined for other words. */
export function flipIn(words: string): Flip | undefined {
  const match = FLIP.exec(words);
  return match === null
    ? undefined
    : { invalidates: match[1] === 'flip', level: Number(match[2]), bit: Number(match[3]) };
}
