/** How much RAM a machine has, and at which addresses. */

import { PAGE_BYTES } from '../base/address.js';
import { checkKind, checkObject, isWhole, arrayOf, NUMBER, objectWith, shown } from '../base/arguments.js';
import type { Kind } from '../base/arguments.js';

/** Installed RAM: `base` and `bytes` in bytes, multiples of 4 KiB. */
export interface RamRange {
  readonly base: number;
  readonly bytes: number;
}

/** How much RAM, its addresses, and whether other threads share it. */
export interface RamOptions {
  /** One range from address 0, in bytes; give this or `ranges`. */
  readonly bytes?: number;
  /** Installed ranges; between them are holes. */
  readonly ranges?: readonly RamRange[];
  /** Put the memory into a SharedArrayBuffer: several workers can be processors over it. */
  readonly shared?: boolean;
  /**
   * False: batches never use WebAssembly. For pages with a content policy against it, since a browser reports each
   * attempt, and for large RAMs beside one another, since each such memory takes 10 GiB of the host's address space.
   */
  readonly webAssembly?: boolean;
  /** The memory of another Ram, for a worker as a second processor over it; see {@link Ram.share}. */
  readonly buffer?: SharedArrayBuffer;
}

const MAX_BYTES = 2 ** 34;
const BYTES: Kind = { words: 'a number, such as 2 ** 24; or give ranges', fits: NUMBER.fits };
const RANGES = arrayOf(objectWith('base', 'an object { base, bytes }'));

/** Bytes or a place: whole frames of 4 KiB. */
function isFrames(value: number): boolean {
  return isWhole(value, 0) && value % PAGE_BYTES === 0;
}

/**
 * The ranges in the order of their addresses.
 * @throws RangeError for ranges that cannot be installed, TypeError for no options or a list that is none
 */
export function checkedRanges(options: RamOptions): readonly RamRange[] {
  checkObject('Ram: options', options, 'bytes or ranges');
  const { bytes: all, buffer } = options;
  if (buffer !== undefined && options.ranges === undefined && all === undefined) {
    throw new RangeError('RAM buffer does not tell where memory answers: give its ranges too, as share() does');
  }
  if (options.ranges === undefined) checkKind('Ram: options.bytes', all, BYTES);
  const ranges = options.ranges ?? [{ base: 0, bytes: all ?? 0 }];
  checkKind('Ram: options.ranges', ranges, RANGES);
  if (ranges.length === 0) throw new RangeError('RAM ranges: at least one is needed');
  const sorted = [...ranges].sort((a, b) => a.base - b.base);
  let end = 0;
  for (const { base, bytes } of sorted) {
    const name = `base ${shown(base)}, bytes ${shown(bytes)}`;
    if (!isFrames(base) || !isFrames(bytes) || bytes === 0)
      throw new RangeError(`RAM range (${name}): base and bytes must be multiples of 4096 from 0, bytes above 0`);
    if (base < end) throw new RangeError(`RAM range (${name}) overlaps the one before it`);
    end = base + bytes;
    if (end > MAX_BYTES) throw new RangeError(`RAM range (${name}) ends past 16 GiB, the most that can be installed`);
  }
  return sorted;
}
