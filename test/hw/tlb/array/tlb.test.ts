import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SIZE_4K, toBigInt } from '../../../../hw/base/address.js';
import { Random } from '../../../../hw/base/random.js';
import { globalBits, globalTag, makeTag, NO_SPACE } from '../../../../hw/tlb/tag.js';
import { HitBatch } from '../../../../hw/tlb/array/hits.js';
import { HOT_USES } from '../../../../hw/tlb/array/cells.js';
import { Tlb } from '../../../../hw/tlb/array/tlb.js';
import type { Replacement } from '../../../../hw/tlb/array/replacement.js';

const TAG = makeTag(0, 12, 0, 0);

/** The rules, written as slowly and plainly as possible: a list a set, and the policy's own book-keeping. */
class PlainTlb {
  readonly sets: { page: number; used: number; filled: number }[][];
  private time = 0;
  constructor(
    entries: number,
    private readonly ways: number,
    private readonly policy: 'lru' | 'fifo',
  ) {
    this.sets = Array.from({ length: entries / ways }, () => []);
  }
  access(page: number): boolean {
    const set = this.sets[page % this.sets.length];
    const found = set.find((entry) => entry.page === page);
    this.time++;
    if (found) {
      found.used = this.time;
      return true;
    }
    if (set.length === this.ways) {
      const key = this.policy === 'lru' ? 'used' : 'filled';
      const oldest = set.reduce((a, b) => (b[key] < a[key] ? b : a));
      set.splice(set.indexOf(oldest), 1);
    }
    set.push({ page, used: this.time, filled: this.time });
    return false;
  }
}

function access(tlb: Tlb, page: number): boolean {
  const hit = tlb.lookup(page, TAG) >= 0;
  if (!hit) tlb.insert(page, TAG, page, 0);
  return hit;
}

describe('Tlb', () => {
  it.each(['lru', 'fifo'] as const)('hits and misses as a plain %s list does, for any sets and ways', (policy) => {
    const shape = fc.constantFrom([8, 2], [8, 8], [12, 4], [15, 5], [21, 7], [6, 1], [1, 1]);
    const pages = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 300 });
    fc.assert(
      fc.property(shape, pages, ([entries, ways], sequence) => {
        const tlb = new Tlb({ entries: entries, ways: ways, replacement: policy });
        const plain = new PlainTlb(entries, ways, policy);
        for (const page of sequence) expect(access(tlb, page)).toBe(plain.access(page));
      }),
    );
  });

  it('has sets that are no power of two: 1536 entries of 8 ways are 192 sets', () => {
    const tlb = new Tlb({ entries: 1536, ways: 8 });
    expect(tlb.sets).toBe(192);
    for (let i = 0; i < 9; i++) access(tlb, 5 + 192 * i);
    expect(tlb.find(5, TAG)).toBe(-1);
    expect(tlb.find(5 + 192, TAG)).not.toBe(-1);
  });

  it('takes page numbers of 45 bits modulo the sets', () => {
    const tlb = new Tlb({ entries: 21, ways: 1 });
    const [hi, lo] = [0x1a_2b3c, 0x4d5e_6f70];
    const tag = makeTag(hi, 12, 0, 0);
    const low = (hi << 20) | (lo >>> 12);
    const set = Number(toBigInt(hi, lo) >> 12n) % 21;
    tlb.insert(low, tag, 1, 0);
    expect(tlb.find(low, tag)).toBe(set * 16);
  });

  it('follows the tree in tree-plru: the half used longer ago goes', () => {
    const tlb = new Tlb({ entries: 4, ways: 4, replacement: 'tree-plru' });
    for (const page of [0, 1, 2, 3]) access(tlb, page);
    access(tlb, 0);
    // The tree points away from way 0: to the right half, and there to way 2, way 3 having been filled after it.
    access(tlb, 9);
    expect([0, 1, 2, 3, 9].filter((page) => tlb.find(page, TAG) >= 0)).toEqual([0, 1, 3, 9]);
  });

  it('never evicts from a set that has a free way, whatever the policy and number of ways', () => {
    const policy = fc.constantFrom<Replacement>('lru', 'tree-plru', 'fifo', 'random');
    fc.assert(
      fc.property(policy, fc.integer({ min: 1, max: 32 }), (replacement, ways) => {
        const tlb = new Tlb({ entries: ways, ways, replacement });
        for (let page = 0; page < ways; page++) access(tlb, page);
        expect(tlb.occupied).toBe(ways);
        access(tlb, 1000);
        expect(tlb.occupied).toBe(ways);
        expect(tlb.find(1000, TAG)).not.toBe(-1);
      }),
    );
  });

  it('draws the same victims from the same seed', () => {
    const run = (seed: number): boolean[] => {
      const tlb = new Tlb({ entries: 8, ways: 8, replacement: 'random', seed });
      const random = new Random(5);
      return Array.from({ length: 200 }, () => access(tlb, random.below(12)));
    };
    expect(run(3)).toEqual(run(3));
    expect(run(3)).not.toEqual(run(4));
  });

  it('keeps PCIDs apart, and lets a global entry answer all of them', () => {
    const tlb = new Tlb({ entries: 8, ways: 8 });
    tlb.insert(5, makeTag(0, 12, 1, 0), 10, 0);
    tlb.insert(6, globalTag(makeTag(0, 12, 1, 0), globalBits(0)), 11, 0);
    expect(tlb.find(5, makeTag(0, 12, 2, 0))).toBe(-1);
    expect(tlb.frameAt(tlb.find(6, makeTag(0, 12, 2, 0)))).toBe(11);
    tlb.dropSpace(1, NO_SPACE);
    expect(tlb.find(5, makeTag(0, 12, 1, 0))).toBe(-1);
    expect(tlb.find(6, makeTag(0, 12, 1, 0))).not.toBe(-1);
    tlb.dropAll();
    expect(tlb.occupied).toBe(0);
  });

  it.each([
    [{ entries: 0, ways: 1 }, /entries 0/],
    [{ entries: 10, ways: 4 }, /ways 4 must be a whole number that divides the 10 entries/],
    [{ entries: 64, ways: 64, replacement: 'tree-plru' as const }, /at most 32/],
  ])('refuses %j', (shape, message) => {
    expect(() => new Tlb(shape)).toThrow(message);
  });
});

describe('what drawings see of a Tlb', () => {
  it('is the entries where lookups find them, with all that was put in', () => {
    const tlb = new Tlb({ entries: 12, ways: 4 });
    const [hi, lo] = [0x7fff, 0x1234_5000];
    const page = hi * 2 ** 20 + 0x1_2345;
    tlb.insert((hi << 20) | (lo >>> 12), makeTag(hi, 12, 7, 0), 99, 6);
    const set = tlb.setOf(page);
    expect(set).toBe(page % 3);
    expect(tlb.entryAt(set, 0)).toEqual({ page, size: 0, space: 7, global: false, frame: 99, rights: 6 });
    expect([1, 2, 3].map((way) => tlb.entryAt(set, way))).toEqual([null, null, null]);
  });
});

describe('a page held for one PCID and for all', () => {
  const PCID = makeTag(0, 12, 1, 0);
  const held = (): Tlb => {
    const tlb = new Tlb({ entries: 8, ways: 8 });
    tlb.insert(2, globalTag(PCID, globalBits(0)), 200, 0);
    tlb.insert(2, PCID, 100, 0);
    return tlb;
  };

  it.each([
    ['looked up just before', []],
    ['with others looked up between', [18, 34, 6]],
  ])("answers with the PCID's own entry, %s", (_when, others) => {
    const tlb = held();
    for (const page of others) tlb.insert(page, PCID, page, 0);
    expect(tlb.frameAt(tlb.lookup(2, PCID))).toBe(100);
    expect(tlb.frameAt(tlb.lookup(2, makeTag(0, 12, 2, 0)))).toBe(200);
    expect(tlb.frameAt(tlb.lookup(2, PCID))).toBe(100);
  });

  it('loses both to INVLPG, the one to INVPCID', () => {
    const invlpg = held();
    invlpg.drop(2, PCID, 1, 0);
    expect(invlpg.occupied).toBe(0);
    const invpcid = held();
    invpcid.drop(2, PCID, 1, NO_SPACE);
    expect(invpcid.occupied).toBe(1);
    expect(invpcid.frameAt(invpcid.lookup(2, PCID))).toBe(200);
  });
});

const POLICIES = ['lru', 'tree-plru', 'fifo', 'random'] as const;

/** The pages in each way of every set. */
function held(tlb: Tlb): (number | undefined)[] {
  return Array.from(
    { length: tlb.sets * tlb.ways },
    (_, i) => tlb.entryAt(i % tlb.sets, Math.floor(i / tlb.sets))?.page,
  );
}

/** Looks up 4 KiB pages in one batch; how many were found before the first that is not here. */
function batch(tlb: Tlb, pages: readonly number[]): number {
  const batched = new HitBatch();
  batched.base = TAG;
  batched.rule.permitted = -1;
  const los = Int32Array.from(pages, (page) => page * 4096);
  los.forEach((lo) => {
    batched.sizes.add(0, lo, SIZE_4K);
  });
  return tlb.translateHits(batched, new Int32Array(pages.length), los, 0, pages.length, new Int32Array(pages.length));
}

it('a batch of lookups leaves every policy as the same lookups one at a time do', () => {
  const steps = fc.array(fc.array(fc.integer({ min: 0, max: 11 }), { minLength: 1, maxLength: 6 }), { maxLength: 40 });
  fc.assert(
    fc.property(fc.constantFrom(...POLICIES), fc.constantFrom(1, 2), steps, (replacement, sets, batches) => {
      const [batched, single] = [1, 2].map(() => new Tlb({ entries: 4 * sets, ways: 4, replacement }));
      for (const pages of batches) {
        const found = batch(batched, pages);
        for (const page of pages.slice(0, found)) expect(single.lookup(page, TAG)).not.toBe(-1);
        if (found < pages.length) for (const tlb of [batched, single]) expect(access(tlb, pages[found])).toBe(false);
        expect(held(batched)).toEqual(held(single));
      }
    }),
  );
});

it.each(POLICIES)(
  'an entry that was dropped is the first to be filled again, however recent it was: %s',
  (replacement) => {
    for (let dropped = 0; dropped < 4; dropped++) {
      const tlb = new Tlb({ entries: 4, ways: 4, replacement });
      for (const page of [0, 1, 2, 3, dropped]) access(tlb, page);
      tlb.drop(dropped, TAG, 0, NO_SPACE);
      access(tlb, 9);
      expect(held(tlb)).toEqual([0, 1, 2, 3].map((page) => (page === dropped ? 9 : page)));
    }
  },
);

describe('when the clock of the stamps ends', () => {
  /** No test waits for 2^31 uses: the clock is put forward. */
  const almostOver = (tlb: Tlb, left: number): void => {
    const cells = Reflect.get(tlb, 'cells') as Int32Array;
    cells[cells.length - 1] = 2 ** 31 - 1 - HOT_USES - left;
  };
  const uses: readonly (readonly [string, (tlb: Tlb, pages: readonly number[]) => number])[] = [
    ['by one', (tlb, pages): number => pages.filter((page) => access(tlb, page)).length],
    ['in a batch', batch],
  ];

  it.each(uses)('LRU goes on as before, pages being used one %s', (_how, use) => {
    for (let left = 0; left <= 4; left++) {
      const tlb = new Tlb({ entries: 4, ways: 4 });
      for (const page of [0, 1, 2, 3]) access(tlb, page);
      almostOver(tlb, left);
      expect(use(tlb, [2, 0, 3])).toBe(3);
      const victims = [4, 5, 6].map((page) => {
        const before = held(tlb);
        access(tlb, page);
        return before.find((old) => !held(tlb).includes(old));
      });
      expect(victims).toEqual([1, 2, 0]);
    }
  });

  it.each(POLICIES)('a free way stays free, and is filled before %s evicts', (replacement) => {
    const tlb = new Tlb({ entries: 4, ways: 4, replacement });
    for (const page of [0, 1]) access(tlb, page);
    almostOver(tlb, 0);
    for (const page of [2, 3]) access(tlb, page);
    expect(held(tlb)).toEqual([0, 1, 2, 3]);
  });
});

it('tree-plru takes a fill for a use: victims alternate between the halves', () => {
  const tlb = new Tlb({ entries: 4, ways: 4, replacement: 'tree-plru' });
  for (const page of [0, 1, 2, 3, 4, 5, 6, 7]) access(tlb, page);
  expect(held(tlb)).toEqual([4, 6, 5, 7]);
});
