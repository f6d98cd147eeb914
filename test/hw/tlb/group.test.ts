import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SIZE_2M, SIZE_4K } from '../../../hw/base/address.js';
import { DIRTY, GLOBAL } from '../../../hw/base/permission.js';
import { TlbGroup } from '../../../hw/tlb/group.js';
import { REPLACEMENTS } from '../../../hw/tlb/array/replacement.js';
import { HitRule } from '../../../hw/tlb/array/hits.js';
import { Tlb } from '../../../hw/tlb/array/tlb.js';
import { WalkCaches } from '../../../hw/tlb/walk-cache.js';

function group(arrays: number): TlbGroup {
  return new TlbGroup(
    Array.from({ length: arrays }, () => ({ tlb: new Tlb({ entries: 4, ways: 2 }), sizes: [SIZE_4K] })),
  );
}

it.each([
  ['the high word alone', [0, 0x5000], [1, 0x5000]],
  ['the low word alone', [0, 0xffff_f000 | 0], [0, 0x1000]],
])('an address that differs from the last one in %s is another page', (_what, [hi, lo], [otherHi, otherLo]) => {
  const tlb = group(1);
  tlb.fill(hi, lo, 0, 7, 0, SIZE_4K);
  expect(tlb.lookup(otherHi, otherLo, 0)).toBe(false);
  expect(tlb.lookup(hi, lo + 0xabc, 0)).toBe(true);
});

it('two arrays of one page size hold together what one of twice the sets would', () => {
  const tlb = group(2);
  for (let page = 0; page < 8; page++) tlb.fill(0, page * 4096, 0, 100 + page, 0, SIZE_4K);
  for (let page = 0; page < 8; page++) {
    expect(tlb.lookup(0, page * 4096, 0)).toBe(true);
    expect(tlb.frame).toBe(100 + page);
  }
});

const seldom = fc.integer({ min: 0, max: 9 }).map((n) => n === 0);
/** Accesses to few pages of two sizes, some global, some not dirty, from two address spaces. */
const accesses = fc.array(
  fc.record({
    page: fc.integer({ min: 0, max: 11 }),
    large: seldom,
    elsewhere: seldom,
    write: seldom,
    drop: seldom,
  }),
  { minLength: 100, maxLength: 120 },
);

it('the shortest way to a hit finds what a search finds, or nothing, and leaves every policy as a search does', () => {
  fc.assert(
    fc.property(accesses, fc.constantFrom(...REPLACEMENTS), fc.boolean(), (list, replacement, keepsLarge) => {
      const [short, long] = [1, 2].map(() => {
        const tlb = new Tlb({ entries: 8, ways: 4, replacement });
        return { tlb, group: new TlbGroup([{ tlb, sizes: keepsLarge ? [SIZE_4K, SIZE_2M] : [SIZE_4K] }]) };
      });
      const rule = new HitRule();
      for (const { page, large, elsewhere, write, drop } of list) {
        const space = elsewhere ? 2 : 1;
        const lo = large ? 0x4000_0000 + page * 0x20_0000 : page * 0x1000;
        const rights = (page === 3 ? GLOBAL : 0) | (page === 4 ? 0 : DIRTY);
        if (space !== rule.space) for (const { group } of [short, long]) group.forget();
        Object.assign(rule, { space, permitted: 1, needed: write ? DIRTY : 0 });
        const frame = short.group.hitFrame(0, lo, rule);
        const found = long.group.lookup(0, lo, space);
        if (frame >= 0) expect([found, long.group.frame, long.group.size]).toEqual([true, frame, short.group.size]);
        else expect(short.group.lookup(0, lo, space)).toBe(found);
        for (const { group } of [short, long]) {
          if (!found) group.fill(0, lo, space, 0x1000 + page, rights, large ? SIZE_2M : SIZE_4K);
          if (drop) group.dropAddress(0, lo, space, 0);
        }
        expect(ways(short.tlb)).toEqual(ways(long.tlb));
      }
    }),
  );
});

it('the shortest way to a hit refuses what its rule does not allow', () => {
  const rule = new HitRule();
  const tlb = group(1);
  tlb.fill(0, 0x5000, 0, 7, 2, SIZE_4K);
  rule.permitted = 1 << 2;
  expect(tlb.hitFrame(0, 0x5000, rule)).toBe(7);
  rule.needed = DIRTY;
  expect(tlb.hitFrame(0, 0x5000, rule)).toBe(-1);
  Object.assign(rule, { needed: 0, permitted: ~(1 << 2) });
  expect(tlb.hitFrame(0, 0x5000, rule)).toBe(-1);
  tlb.forget();
  expect(tlb.hitFrame(0, 0x5000, rule)).toBe(-1);
});

function ways(tlb: Tlb): unknown[] {
  return Array.from({ length: tlb.sets * tlb.ways }, (_, i) => tlb.entryAt(i % tlb.sets, Math.floor(i / tlb.sets)));
}

/** log2 of what an entry of each level covers: 4-level paging, and 32-bit paging. */
const WIDE = [12, 21, 30, 39];
const NARROW = [12, 22];

it("a walk cache may have its architecture's name, and must have a level", () => {
  const caches = new WalkCaches({ pde: { entries: 4, ways: 4 } }, ['', 'PDE']);
  caches.fill(0, 0, 0, 1, WIDE[1], 66, 6);
  expect([caches.lookup(0, 0, 0, 3, WIDE), caches.nameAbove(0)]).toEqual([0, 'PDE cache']);
  expect(() => new WalkCaches({ pde: { entries: 4, ways: 4 } })).toThrow("walk cache 'pde': must be 'level1' or");
  expect(() => new WalkCaches({ pde: { entries: 4, ways: 3 } }, ['', 'PDE'])).toThrow('PDE cache: ways 3');
});

it('a walk cache of some levels keeps nothing of the others', () => {
  const caches = new WalkCaches({ level1: { entries: 4, ways: 4 } });
  caches.fill(0, 0, 0, 2, WIDE[2], 55, 6);
  expect(caches.lookup(0, 0, 0, 3, WIDE)).toBe(3);
  caches.fill(0, 0, 0, 1, WIDE[1], 66, 6);
  expect([caches.lookup(0, 0, 0, 3, WIDE), caches.table]).toEqual([0, 66]);
});

it.each([
  ['2 MiB with entries of 8 bytes', WIDE, 0x20_0000],
  ['4 MiB with entries of 4 bytes', NARROW, 0x40_0000],
])('an entry of a page directory covers %s, and no more', (_what, shifts, covers) => {
  const caches = new WalkCaches({ level1: { entries: 4, ways: 4 } });
  caches.fill(0, 2 * covers, 0, 1, shifts[1], 66, 6);
  const found = [0, 1, 2, 3, 4].map((place) => caches.lookup(0, place * covers, 0, 1, shifts) === 0);
  expect(found).toEqual([false, false, true, false, false]);
  expect(caches.lookup(0, 3 * covers - 1, 0, 1, shifts)).toBe(0);
});

it.each([
  ['8 bytes', WIDE, 0x20_0000],
  ['4 bytes', NARROW, 0x40_0000],
])(
  'dropping an address drops what its walk would use, and not its neighbour: entries of %s',
  (_what, shifts, covers) => {
    const caches = new WalkCaches({ level1: { entries: 4, ways: 4 } });
    for (const place of [1, 2, 3]) caches.fill(0, place * covers, 0, 1, shifts[1], 60 + place, 6);
    caches.dropAddress(0, 2 * covers + 0x5000, 0, shifts);
    const found = [1, 2, 3].map((place) => caches.lookup(0, place * covers, 0, 1, shifts) === 0);
    expect(found).toEqual([true, false, true]);
  },
);
