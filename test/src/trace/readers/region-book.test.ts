import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RegionBook } from '../../../../src/trace/readers/region-book.js';

const PAGE = 4096;
const PAGES = 24;
const MAP_PRIVATE = 2;
const [READ, WRITE, EXECUTE] = [1, 2, 4];

const range = fc
  .record({ from: fc.nat(PAGES - 1), pages: fc.integer({ min: 1, max: 6 }) })
  .map(({ from, pages }) => ({ start: PAGE * from, end: PAGE * Math.min(PAGES, from + pages) }));
const change = fc.oneof(
  fc.record({ what: fc.constant('map' as const), range, protection: fc.nat(7) }),
  fc.record({ what: fc.constant('protect' as const), range, protection: fc.nat(7) }),
  fc.record({ what: fc.constant('unmap' as const), range, protection: fc.constant(0) }),
);

const letters = (protection: number): string =>
  (protection & READ ? 'r' : '-') + (protection & WRITE ? 'w' : '-') + (protection & EXECUTE ? 'x' : '-');

describe('RegionBook', () => {
  it('knows of each page what a table of pages knows, in the fewest regions', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const book = new RegionBook();
        const table = new Map<number, string>();
        for (const { what, range: where, protection } of changes) {
          if (what === 'map') book.map(where.start, where.end, protection, MAP_PRIVATE, 0, '', 0);
          else if (what === 'protect') book.protect(where.start, where.end, protection);
          else book.unmap(where.start, where.end, 0);
          for (let page = where.start; page < where.end; page += PAGE) {
            if (what === 'unmap') table.delete(page);
            else if (what === 'map' || table.has(page)) table.set(page, `${letters(protection)}p`);
          }
        }
        const live = book.regions().filter(({ wentAt }) => wentAt === null);
        const pages = live.flatMap(({ start, end, permissions }) =>
          Array.from({ length: (end - start) / PAGE }, (_, i) => [start + PAGE * i, permissions] as const),
        );
        expect(new Map(pages)).toEqual(table);
        expect(pages).toHaveLength(table.size);
        const borders = [...table].filter(([page, permissions]) => table.get(page - PAGE) !== permissions);
        expect(live).toHaveLength(borders.length);
      }),
    );
  });

  it('keeps what went, with its time', () => {
    const book = new RegionBook();
    book.map(0x10000, 0x14000, READ | WRITE, MAP_PRIVATE, 0, '', 100);
    book.unmap(0x11000, 0x12000, 200);
    expect(book.regions().map(({ start, end, cameAt, wentAt }) => [start, end, cameAt, wentAt])).toEqual([
      [0x10000, 0x11000, 100, null],
      [0x11000, 0x12000, 100, 200],
      [0x12000, 0x14000, 100, null],
    ]);
  });

  it('follows the heap up and down', () => {
    const book = new RegionBook();
    const heap = (): number[][] =>
      book
        .regions()
        .flatMap(({ name, start, end, wentAt }) => (name === '[heap]' && wentAt === null ? [[start, end]] : []));
    book.break(0x5000, 0);
    expect(heap()).toEqual([]);
    book.break(0x8000, 1);
    book.break(0x9800, 2);
    expect(heap()).toEqual([[0x5000, 0xa000]]);
    book.break(0x6000, 3);
    expect(heap()).toEqual([[0x5000, 0x6000]]);
  });

  it('takes name, advice and place along when a mapping moves', () => {
    const book = new RegionBook();
    book.map(0x10000, 0x12000, READ | WRITE, MAP_PRIVATE, 0, '', 5);
    book.advise(0x10000, 0x12000, 'huge');
    book.move(0x10000, 0x12000, 0x40000, 0x4000, 9);
    expect(book.regions()).toMatchObject([{ start: 0x40000, end: 0x44000, advice: 'huge', cameAt: 5, wentAt: null }]);
  });

  it('knows the page size of hugetlb mappings, shared memory and stacks by mmap’s flags', () => {
    const book = new RegionBook();
    book.map(0, 2 ** 30, READ | WRITE, 0x40000 | (30 << 26) | 1, 0, '/anon_hugepage', 0);
    book.map(2 ** 31, 2 ** 31 + PAGE, READ | WRITE, 0x20022, 0, '', 0);
    expect(book.regions()).toMatchObject([
      { pageBytes: 2 ** 30, permissions: 'rw-s' },
      { pageBytes: PAGE, stack: true, permissions: 'rw-p' },
    ]);
  });

  it('shares what is in RAM out over the regions of a mapping, and keeps the most', () => {
    const book = new RegionBook();
    book.map(0x10000, 0x12000, READ, MAP_PRIVATE, 0, '/lib/x.so', 0);
    book.map(0x12000, 0x16000, READ | EXECUTE, MAP_PRIVATE, 0x2000, '/lib/x.so', 0);
    book.beginResident();
    book.noteResident(0x10000, 0x16000, 0x3000);
    book.noteResident(0x7f0000000000, 0x7f0000010000, 0x10000);
    book.beginResident();
    book.noteResident(0x10000, 0x16000, 0x1800);
    expect(book.residentBytes).toBe(0x3000);
    expect(book.regions().map(({ residentBytes }) => residentBytes)).toEqual([0x1000, 0x2000]);
  });

  it('gives a child the mappings of its parent, which go their own ways then', () => {
    const parent = new RegionBook();
    parent.map(0x10000, 0x12000, READ, MAP_PRIVATE, 0, '', 1);
    const child = parent.copy(7);
    parent.unmap(0x10000, 0x12000, 8);
    expect(child.regions()).toMatchObject([{ start: 0x10000, cameAt: 7, wentAt: null }]);
  });

  it('keeps the largest of very many that went', () => {
    const book = new RegionBook();
    for (let i = 1; i <= 5000; i++) {
      book.map(0, PAGE * (i % 100 === 0 ? 50 : 1), READ, MAP_PRIVATE, 0, '', i);
      book.unmap(0, PAGE * 50, i);
    }
    const regions = book.regions();
    expect(regions.length).toBeLessThan(2000);
    expect(regions.filter(({ end }) => end === PAGE * 50)).toHaveLength(50);
  });
});
