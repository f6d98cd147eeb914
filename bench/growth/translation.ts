/**
 * The cost of a translation against the footprint: counts of the modelled TLB, and the host's time for both paths.
 *
 * Entries lead to frames never touched, so 8 GiB of guest memory takes no more of the host's than its tables. Every
 * point has MMUs of its own. They stay alive and take turns, round after round.
 */

import { READ, USER } from '../../hw/base/access.js';
import { highWord, lowWord, pageSizeName, SHIFT_1G, SHIFT_2M, SHIFT_4K } from '../../hw/base/address.js';
import { DEFAULT_COSTS, translationCycles } from '../../hw/translate/counts/cost.js';
import type { Mmu } from '../../hw/x86/mmu.js';
import { PTE_P, PTE_PS, PTE_RW, PTE_US } from '../../hw/x86/format.js';
import { Random } from '../../hw/base/random.js';
import type { Ram } from '../../hw/memory/ram.js';
import { reserveRam } from '../../hw/memory/reserve.js';
import { pagingMmu, ROOT } from '../native/machines.js';
import { cpuNow } from '../measure/ratio.js';
import { median } from '../../src/host/ratio.js';
import { sizesUpTo } from './sizes.js';

const GIB = 2 ** 30;
const TABLE = PTE_P | PTE_RW | PTE_US;
const SHIFTS = [SHIFT_4K, SHIFT_2M, SHIFT_1G];
/** First entries of the root table for each page size: at 1, 2 and 3 TiB. */
const ROOT_INDEX = [2, 4, 6];
/** Below this there are tables, above it the frames of pages. */
const DATA_BASE = GIB;
/** Bytes from one sequential access to the next. */
const STRIDE = 64;
/** The least footprint. */
const LEAST = 2 ** 14;
const TRANSLATIONS = 1 << 17;
const WARMING_SEED = 1;
const COUNTED_SEED = 2;
/** Of the first round that counts; the one before it is thrown away: V8 compiles then. */
const FIRST_TIMED_SEED = 4;

const PATTERNS = ['random', 'sequential'] as const;
type GrowthPattern = (typeof PATTERNS)[number];

export interface TranslationPoint {
  readonly footprint: number;
  readonly pattern: GrowthPattern;
  readonly pages: string;
  /** Modelled counts, per translation. */
  readonly walks: number;
  readonly entryReads: number;
  readonly cycles: number;
  /** Host time: CPU nanoseconds per translation, medians of the rounds, in batches. */
  readonly modelledNanoseconds: number;
  readonly softNanoseconds: number;
}

/** Maps `bytes` from each of {@link ROOT_INDEX}'s places, in pages of each size, to the same frames. */
function mapAll(ram: Ram, bytes: number): void {
  let tables = ROOT;
  const entry = (table: number, index: number): number => (table << 10) | (index << 1);
  const tableBelow = (table: number, index: number): number => {
    const at = entry(table, index);
    if (ram.words[at] === 0) ram.storeEntry(at, 0, (++tables << 12) | TABLE);
    return ram.words[at] >>> 12;
  };
  SHIFTS.forEach((shift, size) => {
    const pageFlag = shift === SHIFT_4K ? 0 : PTE_PS;
    for (let offset = 0; offset < bytes; offset += 2 ** shift) {
      let table = tableBelow(ROOT, ROOT_INDEX[size]);
      for (let level = SHIFT_1G; level > shift; level -= 9)
        table = tableBelow(table, Math.floor(offset / 2 ** level) & 511);
      const address = DATA_BASE + offset;
      const index = Math.floor(offset / 2 ** shift) & 511;
      ram.storeEntry(entry(table, index), highWord(address), lowWord(address) | TABLE | pageFlag);
    }
  });
}

/** One point's machines. */
class Point {
  readonly modelled: Mmu;
  readonly soft: Mmu;
  readonly modelledTimes: number[] = [];
  readonly softTimes: number[] = [];

  constructor(
    readonly footprint: number,
    readonly pattern: GrowthPattern,
    readonly size: number,
    ram: Ram,
  ) {
    this.modelled = pagingMmu({ ram });
    this.soft = pagingMmu({ ram, path: 'soft' });
  }
}

/** One buffer of addresses for all points, filled anew before each turn. */
class Addresses {
  readonly his: Int32Array;
  readonly los: Int32Array;
  private readonly frames: Int32Array;

  constructor(readonly length: number) {
    this.his = new Int32Array(length);
    this.los = new Int32Array(length);
    this.frames = new Int32Array(length);
  }

  fill({ footprint, pattern, size }: Point, seed: number): void {
    const random = new Random(seed);
    const base = ROOT_INDEX[size] << 7;
    for (let i = 0; i < this.length; i++) {
      const offset = STRIDE * (pattern === 'random' ? random.below(footprint / STRIDE) : i % (footprint / STRIDE));
      this.his[i] = base + highWord(offset);
      this.los[i] = lowWord(offset);
    }
  }

  /** CPU nanoseconds per translation. */
  translate(mmu: Mmu): number {
    const began = cpuNow();
    const done = mmu.translateMany(this.his, this.los, this.length, READ | USER, this.frames);
    const spent = cpuNow() - began;
    if (done !== this.length) throw new Error('a translation faulted');
    return spent / this.length;
  }
}

/** Counts of the modelled TLB once it is warm: deterministic. */
function countsOf(point: Point, addresses: Addresses): Pick<TranslationPoint, 'walks' | 'entryReads' | 'cycles'> {
  const { modelled } = point;
  addresses.fill(point, WARMING_SEED);
  addresses.translate(modelled);
  modelled.counters.reset();
  addresses.fill(point, COUNTED_SEED);
  addresses.translate(modelled);
  const { data } = modelled.counters.snapshot();
  return {
    walks: data.walks / data.lookups,
    entryReads: data.entryReads / data.lookups,
    cycles: translationCycles(data, DEFAULT_COSTS).total / data.lookups,
  };
}

/**
 * Measures footprints up to `most` bytes.
 * @throws RangeError when the host allows less than 2 GiB of address space for RAM
 * @returns the points, and how many bytes the host allowed: perhaps less than asked for
 */
export function measureTranslations(
  rounds: number,
  most: number,
  scale: number,
): { readonly points: TranslationPoint[]; readonly allowed: number } {
  const ram = reserveRam();
  const allowed = Math.min(most, Math.floor((ram.bytes - DATA_BASE) / GIB) * GIB);
  if (allowed === 0) throw new RangeError('growth needs 2 GiB of address space for RAM; raise the limit (ulimit -v)');
  mapAll(ram, allowed);
  const addresses = new Addresses(TRANSLATIONS * scale);
  const points = sizesUpTo(LEAST, allowed).flatMap((footprint) =>
    PATTERNS.flatMap((pattern) => SHIFTS.map((_, size) => new Point(footprint, pattern, size, ram))),
  );
  const counts = points.map((point) => countsOf(point, addresses));
  for (let round = -1; round < rounds; round++) {
    for (const point of points) {
      addresses.fill(point, FIRST_TIMED_SEED + round);
      const soft = addresses.translate(point.soft);
      const modelled = addresses.translate(point.modelled);
      if (round < 0) continue;
      point.softTimes.push(soft);
      point.modelledTimes.push(modelled);
    }
  }
  return {
    allowed,
    points: points.map(({ footprint, pattern, size, modelledTimes, softTimes }, i) => ({
      footprint,
      pattern,
      pages: pageSizeName(SHIFTS[size]),
      ...counts[i],
      modelledNanoseconds: median(modelledTimes),
      softNanoseconds: median(softTimes),
    })),
  };
}
