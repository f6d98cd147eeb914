/** An arena in long use: segments of random sizes come and go, and nothing is ever compacted. */

import { Random } from '../../hw/base/random.js';
import { externalFragmentation, HoleArena, internalFragmentation } from '../segments/arena/arena.js';
import type { Arena, Fit } from '../segments/arena/arena.js';
import { BuddyArena } from '../segments/arena/buddy-arena.js';

const BYTES = 2 ** 20;
/** Steps before and while measuring. */
const WARM_UP = 10_000;
const MEASURED = 20_000;
/** Sizes are so many granules of 16 bytes at most: a hole seldom fits exactly. */
const LARGEST = 512;
const SEED = 1;

export interface ArenaUse {
  /** Holes for each segment, on average. */
  readonly holesPerSegment: number;
  /** Average shares: of the segments' room the part nobody asked for, of the free bytes all but the largest hole. */
  readonly inside: number;
  readonly between: number;
}

function arenaOf(fit: Fit | 'buddy'): Arena {
  return fit === 'buddy' ? new BuddyArena(BYTES, BYTES) : new HoleArena(BYTES, BYTES, fit);
}

/** Keeps about three quarters of the arena in use, and measures. */
export function useArena(fit: Fit | 'buddy'): ArenaUse {
  const random = new Random(SEED);
  const arena = arenaOf(fit);
  const live: { base: number; asked: number; room: number }[] = [];
  const sums = { holes: 0, segments: 0, inside: 0, between: 0 };
  for (let step = 0; step < WARM_UP + MEASURED; step++) {
    const asked = 1 + random.below(16 * LARGEST);
    const room = arena.roomFor(asked);
    const base = arena.free > BYTES / 4 ? arena.allocate(room) : -1;
    if (base >= 0) live.push({ base, asked, room });
    else {
      const [gone] = live.splice(random.below(live.length), 1);
      arena.release(gone.base, gone.room);
    }
    if (step < WARM_UP) continue;
    sums.holes += arena.holes.length;
    sums.segments += live.length;
    sums.between += externalFragmentation(arena);
    if (step % 100 === 0) sums.inside += internalFragmentation(live);
  }
  return {
    holesPerSegment: sums.holes / sums.segments,
    inside: (sums.inside * 100) / MEASURED,
    between: sums.between / MEASURED,
  };
}
