/**
 * What the host of a virtual machine reads to translate one of its frames: a simple model of the second dimension of a
 * walk, priced without its tables. The host maps all memory in pages of one size, its tables lie one entry after the
 * other, and it remembers translations and the entries above them.
 */

import { LineCache } from '../../../hw/memory/line-cache.js';
import { SHIFT_4K } from '../../../hw/base/address.js';
import { DEFAULT_WALK_CACHES } from '../../../hw/tlb/presets.js';

/** Entries of a table, and of a line. */
const INDEX_BITS = 9;
const LINE_ENTRIES_SHIFT = 3;
/** The last level of a host's four whose entries are looked for: the root's is always at hand. */
const TOP_LEVEL = 2;
/** A host's tables are told from a guest's by two bits, and its levels by two more. */
const HOST_TABLES = 0b11 << 30;
const LEVEL_SHIFT = 28;
/** Model default: translations of frames that are kept, as many as the paging-structure caches keep PDEs. */
const KEPT_FRAMES = DEFAULT_WALK_CACHES.level1.entries;
/** By level: entries that the host's own paging-structure caches keep, model defaults as for any machine. */
const KEPT_ENTRIES = [0, DEFAULT_WALK_CACHES.level1.entries, DEFAULT_WALK_CACHES.level2.entries];

/** Fully associative. */
function kept(entries: number): LineCache {
  return new LineCache({ bytes: entries * 64, ways: entries }, 'host walk cache');
}

/** log2 of the 4 KiB frames of the guest. Model default: 16 GiB. */
const GUEST_FRAMES_SHIFT = 22;
/** log2 of the 4 KiB frames side by side in a guest after a while: see docs/time-model.md. */
const CLUMP_SHIFT = 1;
const SCATTER = 0x9e37_79b1;

/**
 * The place of a clump of frames, or of a large page, among all of its size. Frames of a guest that has run for a while
 * lie anywhere: 8,192 pages of one, touched in a row, lay in 2,377 frames of 2 MiB. One to one.
 */
const scattered = (clump: number, bits: number): number => {
  const mask = (1 << bits) - 1;
  const mixed = Math.imul(clump, SCATTER) & mask;
  return Math.imul(mixed ^ (mixed >>> (bits >> 1)), SCATTER) & mask;
};

/** Walks of a host over its pages of one size. */
export class HostWalkModel {
  /** The lines that the last walk read, the last read first. */
  readonly lines = new Int32Array(TOP_LEVEL + 1);
  private readonly leafLevel: number;
  private readonly frames = kept(KEPT_FRAMES);
  private readonly entries = KEPT_ENTRIES.map((entries) => (entries === 0 ? null : kept(entries)));

  /** @param shift log2 of the host's page size: 12, 21 or 30 */
  constructor(private readonly shift: number) {
    this.leafLevel = (shift - SHIFT_4K) / INDEX_BITS;
  }

  /**
   * Translates a 4 KiB frame in a page of `2^guestShift` bytes of the guest's.
   * @returns how many lines it read: they are in {@link lines}
   */
  walk(frame: number, guestShift: number): number {
    const together = Math.max(CLUMP_SHIFT, guestShift - SHIFT_4K);
    const place = scattered(frame >>> together, GUEST_FRAMES_SHIFT - together);
    return this.walkPlaced((place << together) | (frame & ((1 << together) - 1)));
  }

  private walkPlaced(frame: number): number {
    const page = frame >>> (this.shift - SHIFT_4K);
    if (this.frames.read(page)) return 0;
    let reads = 0;
    for (let level = this.leafLevel; level <= TOP_LEVEL; level++) {
      const entry = frame >>> (INDEX_BITS * level);
      if (level > this.leafLevel && this.entries[level]?.read(entry) === true) break;
      this.lines[reads++] = HOST_TABLES | (level << LEVEL_SHIFT) | (entry >>> LINE_ENTRIES_SHIFT);
    }
    return reads;
  }
}
