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

/** Sets of page numbers, least recently used first. */
class ReferenceLevel {
  readonly #sets = new Map<bigint, bigint[]>();

  constructor(readonly shape: ReferenceShape) {}

  #set(page: bigint): bigint[] {
    const index = page % BigInt(this.shape.entries / this.shape.ways);
    const set = this.#sets.get(index) ?? [];
    this.#sets.set(index, set);
    return set;
  }

  hit(page: bigint): boolean {
    const set = this.#set(page);
    const way = set.indexOf(page);
    if (way < 0) return false;
    set.push(...set.splice(way, 1));
    return true;
  }

  fill(page: bigint): void {
    const set = this.#set(page);
    if (set.length === this.shape.ways) set.shift();
    set.push(page);
  }
}

function zeroCounts(): ReferenceCounts {
  return { lookups: 0, l1Hits: 0, l2Hits: 0, walks: 0, entryReads: 0 };
}

/**
 * Counts of accesses (lackey's kind, address, size), a lookup a page, for pages of `2^shift` bytes: of data and of
 * instruction fetches, which have an L1 of their own and share the L2.
 */
export function referenceReplay(
  accesses: readonly (readonly [string, bigint, number])[],
  shift: number,
  { l1, l2: second, store }: ReferenceShapes,
): { data: ReferenceCounts; fetch: ReferenceCounts } {
  const l2 = second === undefined ? undefined : new ReferenceLevel(second);
  const data = { l1: new ReferenceLevel(l1), counts: zeroCounts() };
  const stores = store === undefined ? data : { l1: new ReferenceLevel(store), counts: data.counts };
  const fetch = { l1: new ReferenceLevel(l1), counts: zeroCounts() };
  const readsPerWalk = { 12: 4, 21: 3, 30: 2 }[shift] ?? 0;
  const lookup = ({ l1, counts }: typeof data, page: bigint): void => {
    counts.lookups++;
    if (l1.hit(page)) {
      counts.l1Hits++;
      return;
    }
    if (l2?.hit(page) === true) {
      counts.l2Hits++;
    } else {
      counts.walks++;
      counts.entryReads += readsPerWalk;
      l2?.fill(page);
    }
    l1.fill(page);
  };
  for (const [kind, address, size] of accesses) {
    const rounds = kind === 'M' ? 2 : 1;
    const last = (address + BigInt(size) - 1n) >> BigInt(shift);
    for (let round = 0; round < rounds; round++) {
      const side = kind === 'I' ? fetch : kind === 'S' || round === 1 ? stores : data;
      for (let page = address >> BigInt(shift); page <= last; page++) lookup(side, page);
    }
  }
  return { data: data.counts, fetch: fetch.counts };
}
