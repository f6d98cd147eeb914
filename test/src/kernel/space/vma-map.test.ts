import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressSpace, Vma } from '../../../../src/kernel/space/model.js';
import { alignDown, USER_END } from '../../../../src/kernel/abi/layout.js';
import { ENOMEM } from '../../../../src/kernel/abi/errno.js';
import { chooseAddress } from '../../../../src/kernel/calls/mmap.js';
import { MMAP_MIN_ADDRESS } from '../../../../src/kernel/vmas/stack.js';
import { VM_GROWSDOWN } from '../../../../src/kernel/abi/vma-flags.js';
import { runs } from '../../../runs.js';

const PAGE = 4096;

/** The rule itself, at the price of a look at every VMA from the top down. */
function linearChoice(vmas: readonly Vma[], base: number, hint: number, length: number, shift: number): number {
  const wanted = alignDown(hint, shift);
  const above = vmas.find((vma) => vma.end > wanted);
  const free = above === undefined || above.startWithGap >= wanted + length;
  if (wanted >= MMAP_MIN_ADDRESS && wanted <= USER_END - length && free) return wanted;
  let ceiling = base;
  for (const vma of [...vmas].reverse()) {
    const start = alignDown(ceiling - length, shift);
    if (start >= vma.end) return start;
    ceiling = Math.min(ceiling, vma.startWithGap);
  }
  const start = alignDown(ceiling - length, shift);
  return start >= MMAP_MIN_ADDRESS ? start : ENOMEM;
}

/** A tree of VMAs, and the same VMAs in a plain list. */
class World {
  readonly space = new AddressSpace(1, 1, 'never');
  list: Vma[] = [];

  constructor(mmapBase: number) {
    this.space.mmapBase = mmapBase;
  }

  insert(start: number, length: number, stack: boolean): void {
    const end = start + length;
    if (this.list.some((vma) => vma.start < end && vma.end > start)) return;
    const vma = new Vma(this.space, start, end, stack ? VM_GROWSDOWN : 0, start / PAGE, null);
    this.space.vmas.insert(vma);
    this.list = [...this.list, vma].sort((a, b) => a.start - b.start);
  }

  remove(which: number): void {
    if (this.list.length === 0) return;
    const [vma] = this.list.splice(which % this.list.length, 1);
    this.space.vmas.remove(vma);
  }

  /** Moves one edge by some pages, as far as the neighbours let it. */
  resize(which: number, pages: number, atStart: boolean): void {
    if (this.list.length === 0) return;
    const i = which % this.list.length;
    const vma = this.list[i];
    const low = this.list[i - 1]?.end ?? MMAP_MIN_ADDRESS;
    const high = this.list[i + 1]?.start ?? USER_END;
    const move = (edge: number, from: number, to: number): number => Math.min(to, Math.max(from, edge + pages * PAGE));
    if (atStart) this.space.vmas.resize(vma, move(vma.start, low, vma.end - PAGE), vma.end);
    else this.space.vmas.resize(vma, vma.start, move(vma.end, vma.start + PAGE, high));
  }

  check(address: number): void {
    const { list } = this;
    const { vmas } = this.space;
    expect([...vmas]).toEqual(list);
    expect(vmas.size).toBe(list.length);
    expect(vmas.stale()).toEqual([]);
    expect(vmas.atOrAbove(address)).toBe(list.find((vma) => vma.end > address));
    expect(vmas.before(address)).toBe(list.findLast((vma) => vma.end <= address));
    const end = address + 3 * PAGE;
    expect(vmas.overlapping(address, end)).toEqual(list.filter((vma) => vma.end > address && vma.start < end));
  }
}

/** Addresses crowded at three scales, so that gaps of every page size come and go. */
const address = fc.oneof(
  fc.nat(300).map((page) => MMAP_MIN_ADDRESS + page * PAGE),
  fc.tuple(fc.nat(12), fc.nat(2)).map(([huge, page]) => 2 ** 21 * (1 + huge) + page * PAGE),
  fc.tuple(fc.nat(6), fc.nat(1)).map(([giga, page]) => 2 ** 30 * (1 + giga) + page * PAGE),
);
const length = fc.oneof(
  fc.nat(8).map((pages) => (1 + pages) * PAGE),
  fc
    .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: -1, max: 1 }))
    .map(([n, pages]) => n * 2 ** 21 + pages * PAGE),
  fc.constantFrom(2 ** 30, 2 ** 30 + PAGE),
);
const operation = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(
      fc.constant('insert' as const),
      address,
      length,
      fc.nat(9).map((n) => n === 0),
    ),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constant('remove' as const), fc.nat()) },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.constant('resize' as const), fc.nat(), fc.integer({ min: -300, max: 300 }), fc.boolean()),
  },
);
const question = fc.record({
  hint: fc.oneof(fc.constant(0), address),
  pages: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 700 })),
  shift: fc.constantFrom(12, 12, 21, 30),
});

describe('the tree of VMAs', () => {
  it('holds what a list would, and chooses the place that a look at every VMA chooses', () => {
    fc.assert(
      fc.property(
        fc.array(operation, { maxLength: 120, size: 'max' }),
        fc.array(question, { minLength: 10, maxLength: 10 }),
        fc.constantFrom(USER_END, 2 ** 33, 5 * 2 ** 30 + PAGE, 2 ** 24, MMAP_MIN_ADDRESS + 200 * PAGE),
        (operations, questions, base) => {
          const world = new World(base);
          for (const step of operations) {
            if (step[0] === 'insert') world.insert(step[1], step[2], step[3]);
            else if (step[0] === 'remove') world.remove(step[1]);
            else world.resize(step[1], step[2], step[3]);
          }
          for (const { hint, pages, shift } of questions) {
            world.check(hint);
            const bytes = shift === 12 ? pages * PAGE : Math.ceil(pages / 300) * 2 ** shift;
            const expected = linearChoice(world.list, base, hint, bytes, shift);
            expect(chooseAddress(world.space, hint, bytes, shift)).toBe(expected);
          }
        },
      ),
      { numRuns: runs(120) },
    );
  });

  /** How many edges of 32,000 VMAs, a page apart, are read by `use`. */
  function looks(use: (space: AddressSpace, vmas: readonly Vma[]) => void): number {
    const world = new World(2 ** 40);
    let reads = 0;
    for (let i = 0; i < 32_000; i++) {
      const start = 2 ** 30 + i * 2 * PAGE;
      const vma = new Vma(world.space, start, start + PAGE, 0, 0, null);
      world.space.vmas.insert(vma);
      world.list.push(vma);
    }
    for (const vma of world.list) {
      for (const edge of ['start', 'end'] as const) {
        const at = vma[edge];
        Object.defineProperty(vma, edge, { get: () => (reads++, at) });
      }
    }
    use(world.space, world.list);
    return reads;
  }

  it.each<[string, (space: AddressSpace, vmas: readonly Vma[]) => void]>([
    ['finding room above them all', (space) => chooseAddress(space, 0, PAGE, 12)],
    [
      'finding the one gap of three pages, in the middle',
      (space, vmas) => {
        space.mmapBase = 2 ** 30 + 64_000 * PAGE;
        for (const vma of vmas.slice(16_000, 16_002)) space.vmas.remove(vma);
        expect(chooseAddress(space, 0, 3 * PAGE, 12)).toBe(2 ** 30 + 32_001 * PAGE);
      },
    ],
    [
      'finding that only the bottom has room for a huge page',
      (space) => {
        space.mmapBase = 2 ** 30 + 64_000 * PAGE;
        expect(chooseAddress(space, 0, 2 ** 21, 21)).toBe(2 ** 30 - 2 ** 21);
      },
    ],
    [
      'a VMA more in the middle',
      (space) => {
        const start = 2 ** 30 + 32_001 * PAGE;
        space.vmas.insert(new Vma(space, start, start + PAGE, 0, 0, null));
      },
    ],
    [
      'a VMA less in the middle',
      (space, vmas) => {
        space.vmas.remove(vmas[16_000]);
      },
    ],
  ])('takes about log(VMAs) looks for %s', (_what, use) => {
    expect(looks(use)).toBeLessThan(400);
  });
});
