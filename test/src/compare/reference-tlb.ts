/** The counting rules once more, as plainly as they can be written, for the tests to compare with. */

interface ReferenceShape {
  readonly entries: number;
  readonly ways: number;
}

export interface ReferenceShapes {
  readonly l1: ReferenceShape;
  readonly l2?: ReferenceShape;
  /** A first level for stores alone. */
  readonly store?: ReferenceShape;
}

interface ReferenceCounts {
  lookups: number;
  l1Hits: number;
  l2Hits: number;
  walks: number;
  entryReads: number;
}

/** Sets of pages of any size, least recently used first. */
class ReferenceLevel {
  /** Addresses of pages. */
  readonly #sets = new Map<bigint, bigint[]>();

  constructor(readonly shape: ReferenceShape) {}

  #set(page: bigint, shift: number): bigint[] {
    const index = (page >> BigInt(shift)) % BigInt(this.shape.entries / this.shape.ways);
    const set = this.#sets.get(index) ?? [];
    this.#sets.set(index, set);
    return set;
  }

  hit(page: bigint, shift: number): boolean {
    const set = this.#set(page, shift);
    const way = set.indexOf(page);
    if (way < 0) return false;
    set.push(...set.splice(way, 1));
    return true;
  }

  fill(page: bigint, shift: number): void {
    const set = this.#set(page, shift);
    if (set.length === this.shape.ways) set.shift();
    set.push(page);
  }
}

function zeroCounts(): ReferenceCounts {
  return { lookups: 0, l1Hits: 0, l2Hits: 0, walks: 0, entryReads: 0 };
}

/**
 * Counts of accesses (lackey's kind, address, size), a lookup a page: of data and of instruction fetches, which have an L1 of
 * their own and share the L2.
 * @param sizes log2 of the page size, or that of the page at an address
 */
export function referenceReplay(
  accesses: readonly (readonly [string, bigint, number])[],
  sizes: number | ((address: bigint) => number),
  { l1, l2: second, store }: ReferenceShapes,
): { data: ReferenceCounts; fetch: ReferenceCounts } {
  const l2 = second === undefined ? undefined : new ReferenceLevel(second);
  const data = { l1: new ReferenceLevel(l1), counts: zeroCounts() };
  const stores = store === undefined ? data : { l1: new ReferenceLevel(store), counts: data.counts };
  const fetch = { l1: new ReferenceLevel(l1), counts: zeroCounts() };
  const shiftAt = typeof sizes === 'number' ? () => sizes : sizes;
  const lookup = ({ l1, counts }: typeof data, page: bigint, shift: number): void => {
    counts.lookups++;
    if (l1.hit(page, shift)) {
      counts.l1Hits++;
      return;
    }
    if (l2?.hit(page, shift) === true) {
      counts.l2Hits++;
    } else {
      counts.walks++;
      counts.entryReads += { 12: 4, 21: 3, 30: 2 }[shift] ?? 0;
      l2?.fill(page, shift);
    }
    l1.fill(page, shift);
  };
  for (const [kind, address, size] of accesses) {
    const rounds = kind === 'M' ? 2 : 1;
    const end = address + BigInt(size);
    for (let round = 0; round < rounds; round++) {
      const side = kind === 'I' ? fetch : kind === 'S' || round === 1 ? stores : data;
      for (let at = address; at < end;) {
        const shift = shiftAt(at);
        const page = (at >> BigInt(shift)) << BigInt(shift);
        lookup(side, page, shift);
        at = page + (1n << BigInt(shift));
      }
    }
  }
  return { data: data.counts, fetch: fetch.counts };
}
