/**
 * Memory in pieces. If free memory is fragmented, Linux finds huge pages for a part of a program alone, and the rest stays in
 * 4 KiB pages: one process with pages of both sizes.
 */

import { SHIFT_2M, SHIFT_4K, toNumber } from '../../../hw/base/address.js';
import { mix } from '../../../hw/base/random.js';
import type { Kernel } from '../../kernel/kernel.js';
import type { AddressSpace } from '../../kernel/space/model.js';
import type { Process } from '../../kernel/space/process.js';

const PAGE_BYTES = 2 ** SHIFT_4K;
const HUGE_BYTES = 2 ** SHIFT_2M;
/** Keeps seed 0 from being a hash of the block alone. */
const SALT = 0x9e3779b9;

/** Whether the 2 MiB with this number (address / 2 MiB) gets a huge page. */
export type HugeChoice = (block: number) => boolean;

/**
 * Gives huge pages to a share of all 2 MiB. Each block is chosen by itself, whatever was touched before. With the same seed a
 * larger share keeps the blocks of a smaller one.
 * @param share 0 to 1
 * @param seed any int32
 * @throws RangeError for another share
 */
export function hugeShare(share: number, seed: number): HugeChoice {
  if (!(share >= 0 && share <= 1)) throw new RangeError(`share must be from 0 to 1, not ${share}`);
  const key = mix(seed + SALT);
  return (block) => (mix(key ^ block) >>> 0) * 2 ** -32 < share;
}

/** Makes the pages of one process resident, huge by choice, else of 4 KiB. */
export class MixedPages {
  readonly #small = new Set<number>();
  readonly #huge = new Set<number>();
  readonly #space: AddressSpace;

  /** @param process its anonymous memory must hold every address to come, at multiples of 2 MiB */
  constructor(
    private readonly kernel: Kernel,
    private readonly process: Process,
    private readonly isHuge: HugeChoice,
  ) {
    if (process.space === null) throw new RangeError('the process has ended: it has no memory');
    this.#space = process.space;
  }

  /**
   * Makes the page of `(hi, lo)`, an address below 2^47, resident.
   * @returns 0; EFAULT without memory of the process there, ENOMEM without free memory of the model
   */
  makeResident(hi: number, lo: number): number {
    const address = toNumber(hi, lo);
    const block = Math.floor(address / HUGE_BYTES);
    const page = Math.floor(address / PAGE_BYTES);
    if (this.#huge.has(block) || this.#small.has(page)) return 0;
    this.#space.hugePages = this.isHuge(block) ? 'always' : 'never';
    const status = this.kernel.populate(this.process, page * PAGE_BYTES);
    if (status < 0) return status;
    // Without a free huge page the kernel has fallen back to a small one.
    const { tables } = this.kernel.memory;
    tables.findLeaf(this.#space, address);
    if (tables.shift === SHIFT_2M) this.#huge.add(block);
    else this.#small.add(page);
    return 0;
  }

  /** Resident pages of 4 KiB. */
  get smallPages(): number {
    return this.#small.size;
  }

  /** Resident pages of 2 MiB. */
  get hugePages(): number {
    return this.#huge.size;
  }

  get mappedBytes(): number {
    return this.smallPages * PAGE_BYTES + this.hugePages * HUGE_BYTES;
  }
}
