/**
 * Page replacement over a reference string: which page gives way when all frames are full.
 *
 * Source: Arpaci-Dusseau, Operating Systems: Three Easy Pieces, "Beyond Physical Memory: Policies".
 */

import { checkWhole } from '../../hw/base/arguments.js';
import { Random } from '../../hw/base/random.js';

export const REPLACEMENT_POLICIES = ['fifo', 'lru', 'clock', 'optimal', 'random'] as const;
export type ReplacementPolicy = (typeof REPLACEMENT_POLICIES)[number];

/** One reference and its effect. */
export interface ReplacementStep {
  readonly page: number;
  readonly hit: boolean;
  /** The page that gave way; null when none had to. */
  readonly replaced: number | null;
  /** The pages in memory after it: the next to give way first under FIFO and LRU, the ring from frame 0 on under CLOCK. */
  readonly memory: readonly number[];
}

export interface ReplacementRules {
  readonly policy: ReplacementPolicy;
  readonly frames: number;
  /** Draws the victims of `random`: a number from 0 up to, not including, 1 for each; seeded with 1 when absent. */
  readonly source?: Pick<Random, 'unit'>;
}

/** Pages in memory, and the choice of the one to give way. */
abstract class Policy {
  readonly memory: number[] = [];

  constructor(readonly frames: number) {}

  /** The page was found in memory; most policies forget it. */
  hit?(page: number): void;

  /** Takes a page in. The one to give way, or null. */
  load(page: number, at: number): number | null {
    const [replaced = null] = this.memory.length < this.frames ? [] : this.memory.splice(this.victim(at), 1);
    this.memory.push(page);
    return replaced;
  }

  /** The number in `memory` of the page to give way at reference `at`. */
  abstract victim(at: number): number;
}

/** In memory longest. */
class Fifo extends Policy {
  override victim(): number {
    return 0;
  }
}

/** Used longest ago: each use puts a page at the end. */
class Lru extends Fifo {
  override hit(page: number): void {
    this.memory.push(...this.memory.splice(this.memory.indexOf(page), 1));
  }
}

class RandomChoice extends Policy {
  constructor(
    frames: number,
    private readonly source: Pick<Random, 'unit'>,
  ) {
    super(frames);
  }

  override victim(): number {
    return Math.floor(this.source.unit() * this.frames);
  }
}

/** Used again last, or never. Of several never used again, the one that came last. */
class Optimal extends Policy {
  constructor(
    frames: number,
    private readonly references: readonly number[],
  ) {
    super(frames);
  }

  override victim(at: number): number {
    const next = this.memory.map((page) => nextUse(this.references, page, at));
    return next.lastIndexOf(Math.max(...next));
  }
}

/** The hand goes round the frames: it clears use bits, and takes the first page with a clear one. */
class Clock extends Policy {
  #hand = 0;
  readonly #used: boolean[] = [];

  override hit(page: number): void {
    this.#used[this.memory.indexOf(page)] = true;
  }

  override load(page: number): number | null {
    const frame = this.memory.length < this.frames ? this.memory.length : this.victim();
    const replaced = this.memory.at(frame) ?? null;
    this.memory[frame] = page;
    this.#used[frame] = true;
    return replaced;
  }

  override victim(): number {
    for (;;) {
      const frame = this.#hand;
      this.#hand = (frame + 1) % this.frames;
      if (!this.#used[frame]) return frame;
      this.#used[frame] = false;
    }
  }
}

/** The number of the next reference to `page` after `at`; Infinity when there is none. */
export function nextUse(references: readonly number[], page: number, at: number): number {
  const next = references.indexOf(page, at + 1);
  return next < 0 ? Infinity : next;
}

function policyOf({ policy, frames, source }: ReplacementRules, references: readonly number[]): Policy {
  switch (policy) {
    case 'fifo':
      return new Fifo(frames);
    case 'lru':
      return new Lru(frames);
    case 'clock':
      return new Clock(frames);
    case 'optimal':
      return new Optimal(frames, references);
    case 'random':
      return new RandomChoice(frames, source ?? new Random(1));
  }
}

/**
 * Plays a reference string over empty frames.
 * @throws RangeError for fewer than one frame
 */
export function replacePages(references: readonly number[], rules: ReplacementRules): readonly ReplacementStep[] {
  checkWhole('frames', rules.frames, 1, 2 ** 20);
  const policy = policyOf(rules, references);
  return references.map((page, at) => {
    const hit = policy.memory.includes(page);
    if (hit) policy.hit?.(page);
    const replaced = hit ? null : policy.load(page, at);
    return { page, hit, replaced, memory: [...policy.memory] };
  });
}
