/** The places of a recording's windows in the run of its program. */

import { ACCESS_WORDS, type AccessBlock } from './block.js';

/**
 * Windows of `length` accesses at even distances, at most `most` of them. Positions are accesses of the run. The first
 * window begins at `from`, and the distance at first is the length. When there would be one window too many, the
 * distance doubles, and every other window goes. So a short run is in one piece, and a long one is seen from its start
 * to its end.
 *
 * `node/qemu/windows.c` has the same rule.
 */
export interface WindowPlan {
  readonly from: number;
  readonly length: number;
  readonly most: number;
}

/** The default without a choice: up to 33,554,432 accesses. */
export const DEFAULT_WINDOW = 2 ** 19;
export const DEFAULT_WINDOWS = 64;

/** The share of a window after a gap for warming up TLBs and caches, not counted. */
const WARM_UP_SHARE = 1 / 4;

/** Accesses for warming up in a window after a gap. */
export function warmUpOf(windowLength: number): number {
  return Math.floor(windowLength * WARM_UP_SHARE);
}

/** From the beginning of one window to that of the next, for a run at `position`. */
export function distanceAt({ from, length, most }: WindowPlan, position: number): number {
  let distance = length;
  while ((position - from) / distance >= most) distance *= 2;
  return distance;
}

/** Whether the window from `start` on is still wanted once one begins at `newest`. */
export function keepsWindow(plan: WindowPlan, start: number, newest: number): boolean {
  return (start - plan.from) % distanceAt(plan, newest) === 0;
}

/** The accesses in windows of `blocks`, all of a run from its start. Changes the blocks on their way. */
export async function* cutWindows(
  blocks: AsyncIterable<AccessBlock>,
  plan: () => WindowPlan | undefined,
): AsyncGenerator<AccessBlock> {
  let position = 0;
  for await (const block of blocks) {
    const { length } = block;
    // The content of a piece is moved to the front, so the rest of the block must be kept elsewhere.
    const words = block.words.slice(0, ACCESS_WORDS * length);
    for (let at = 0; at < length;) {
      const { start, room } = placeAt(plan(), position);
      const end = Math.min(length, at + room);
      if (start !== undefined) {
        block.words.set(words);
        block.length = length;
        block.keep(at, end);
        block.window = start;
        yield block;
      }
      position += end - at;
      at = end;
    }
  }
}

/** The window at a position, absent between two; and how many accesses from there on share this answer. */
function placeAt(plan: WindowPlan | undefined, position: number): { start?: number; room: number } {
  if (plan === undefined) return { room: Infinity };
  if (position < plan.from) return { room: plan.from - position };
  const distance = distanceAt(plan, position);
  const into = (position - plan.from) % distance;
  return into < plan.length ? { start: position - into, room: plan.length - into } : { room: distance - into };
}
