import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { missesOf, TlbMachine } from '../../../web/tlb/machine.js';
import { MOST_PAGE, pagesIn, TLB_PROGRAMS } from '../../../web/tlb/programs.js';
import { runs } from '../../runs.js';

function pagesOf(program: string): readonly number[] {
  return TLB_PROGRAMS.find(({ name }) => name === program)!.pages;
}

/** Misses of least recently used replacement in sets, counted apart from the machine. */
function lruMisses(pages: readonly number[], sets: number, ways: number): number {
  const held = Array.from({ length: sets }, (): number[] => []);
  let misses = 0;
  for (const page of pages) {
    const set = held[page % sets];
    const at = set.indexOf(page);
    if (at < 0) misses++;
    else set.splice(at, 1);
    set.push(page);
    if (set.length > ways) set.shift();
  }
  return misses;
}

describe('TlbMachine', () => {
  // OSTEP, chapter "Paging: Faster Translations (TLBs)": miss, hit, hit, miss, hit, hit, hit, miss, hit, hit.
  it("gives the book's array its 70 % of hits", () => {
    const machine = new TlbMachine('4xfa/lru');
    for (const page of pagesOf('array')) machine.act(`page.${page}`);
    expect(machine.touches.map(({ hit }) => (hit ? 'h' : 'm')).join('')).toBe('mhhmhhhmhh');
  });

  it('misses every touch of a loop over one page more than it has entries, and only the first ones with one more', () => {
    expect(missesOf(pagesOf('loop'), '4xfa/lru')).toBe(20);
    expect(missesOf(pagesOf('loop'), '8xfa/lru')).toBe(5);
  });

  it('agrees with a count of its own for any pages, touch by touch and in one run', () => {
    const shapes = [
      [1, 4],
      [4, 1],
      [4, 2],
      [4, 4],
    ] as const;
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: MOST_PAGE }), { maxLength: 40 }),
        fc.constantFrom(...shapes),
        (pages, [sets, ways]) => {
          const shape = `${sets * ways}x${ways}/lru`;
          const machine = new TlbMachine(shape);
          for (const page of pages) machine.act(`page.${page}`);
          const misses = machine.touches.filter(({ hit }) => !hit).length;
          expect([misses, missesOf(pages, shape)]).toEqual([misses, lruMisses(pages, sets, ways)]);
          expect(misses).toBe(lruMisses(pages, sets, ways));
        },
      ),
      { numRuns: runs(5) },
    );
  });

  it('shows a page in its set, with the frame that the tables give it', () => {
    const machine = new TlbMachine('8x2/lru');
    machine.act('page.6');
    const { array } = machine;
    const found = array.rows.flatMap(({ set, ways }) =>
      ways.flatMap((entry) => (entry === null ? [] : [{ set, entry }])),
    );
    expect(found.map(({ set, entry }) => [set, entry.page, entry.frame])).toEqual([[2, 6, 0x106]]);
    expect(array.rows.map(({ lookedUp }) => lookedUp)).toEqual([false, false, true, false]);
  });

  it.each(['page.64', 'page.', 'touch.1'])('refuses %s with a sentence', (words) => {
    expect(() => new TlbMachine('4xfa/lru').act(words)).toThrow('pages go from 0 to 63');
  });
});

describe('pagesIn', () => {
  it('reads pages apart by spaces or commas, and refuses others by name', () => {
    expect(pagesIn('0 1,2, 0')).toEqual([0, 1, 2, 0]);
    expect(() => pagesIn('1 x')).toThrow("'x' is no page");
    expect(() => pagesIn('64')).toThrow("'64' is no page");
    expect(() => pagesIn('1 '.repeat(61))).toThrow('61 pages are more than 60');
  });
});
