/** Random addresses with a memory: most of them lie in a few pages, as those of programs do, so that TLBs hit. */

import { Random } from '../../hw/base/random.js';

/** Pages that addresses come back to. */
const POOL = 6;

export abstract class RandomAddresses {
  readonly random: Random;
  readonly #pages: bigint[] = [];

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  chance(likelihood: number): boolean {
    return this.random.unit() < likelihood;
  }

  /** An address whose indices are in use, more often than not in a page seen before; rarely not canonical. */
  linear(): bigint {
    const known = this.#pages[this.random.below(POOL)] as bigint | undefined;
    if (known !== undefined && this.chance(0.7)) return known ^ BigInt(this.random.below(4096));
    const fresh = this.freshLinear();
    this.#pages[this.random.below(POOL)] = fresh;
    return fresh;
  }

  protected abstract freshLinear(): bigint;
}
