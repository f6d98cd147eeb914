import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TlbGroup } from '../../../hw/tlb/group.js';
import { NO_MACHINE, SpaceNumbers } from '../../../hw/tlb/spaces.js';
import { EVERY_SPACE, globalBits, globalTag, makeTag, NO_SPACE, SPACE_NUMBERS, spaceOf } from '../../../hw/tlb/tag.js';
import { Tlb } from '../../../hw/tlb/array/tlb.js';
import { GLOBAL } from '../../../hw/base/permission.js';

const PAGE = 0x5000;

const space = fc.record({ machine: fc.integer({ min: NO_MACHINE, max: 2 }), id: fc.integer({ min: 0, max: 3 }) });

it('gives a number to one space at a time, and tells of each before another gets it', () => {
  fc.assert(
    fc.property(fc.array(space), fc.integer({ min: 1, max: 6 }), (entered, most) => {
      const holders = new Map<number, string>();
      const numbers = new SpaceNumbers((number) => holders.delete(number), most);
      for (const { machine, id } of entered) {
        const number = numbers.enter(machine, id);
        const name = `${machine}:${id}`;
        expect(holders.get(number) ?? name).toBe(name);
        holders.set(number, name);
        expect(number).toBeLessThan(most);
        expect(numbers.find(machine, id)).toBe(number);
        const own = [...holders].filter(([, holder]) => holder.startsWith(`${machine}:`)).map(([held]) => held);
        expect(numbers.ofMachine(machine).sort()).toEqual(own.sort());
      }
    }),
  );
});

it('gives numbers that were taken back again, and never the one in use', () => {
  const numbers = new SpaceNumbers(() => expect.unreachable(), 4);
  const [inUse, ...others] = [1, 2, 3].map((id) => numbers.enter(7, id));
  const host = numbers.enter(NO_MACHINE, 1);
  numbers.takeBack(7, inUse);
  expect(numbers.ofMachine(7)).toEqual([inUse]);
  expect(numbers.find(7, 2)).toBe(NO_SPACE);
  expect([4, 5].map((id) => numbers.enter(7, id)).sort()).toEqual(others);
  expect([numbers.find(7, 1), numbers.find(NO_MACHINE, 1)]).toEqual([inUse, host]);
});

it('takes the number of the space that was entered longest ago', () => {
  const recycled: number[] = [];
  const numbers = new SpaceNumbers((number) => recycled.push(number), 3);
  const [first, second] = [1, 2, 3].map((id) => numbers.enter(NO_MACHINE, id));
  numbers.enter(NO_MACHINE, 1);
  expect([numbers.enter(NO_MACHINE, 4), recycled]).toEqual([second, [second]]);
  expect([numbers.find(NO_MACHINE, 1), numbers.find(NO_MACHINE, 2)]).toEqual([first, NO_SPACE]);
});

it('has a number for each PCID at once', () => {
  const numbers = new SpaceNumbers(() => expect.unreachable());
  const given = Array.from({ length: SPACE_NUMBERS }, (_, pcid) => numbers.enter(NO_MACHINE, pcid));
  expect(new Set(given).size).toBe(4096);
});

it('tells apart the longest names', () => {
  const numbers = new SpaceNumbers(() => expect.unreachable());
  const names = [NO_MACHINE, 0, 1, 0xffff].flatMap((machine) => [0, 1, 0xffff].map((id) => [machine, id] as const));
  expect(new Set(names.map(([machine, id]) => numbers.enter(machine, id))).size).toBe(names.length);
});

it('a tag tells every page size, space and virtual machine apart, up to addresses of 59 bits', () => {
  const tags = [0, 1, 4095].flatMap((number) =>
    [0, 1, 7].flatMap((size) =>
      [0, 1 << 12, 1 << 26].flatMap((hi) => {
        const tag = makeTag(hi, 12, number, size);
        expect(spaceOf(tag)).toBe(number);
        return [tag, globalTag(tag, globalBits(number))];
      }),
    ),
  );
  expect(new Set(tags).size).toBe(54);
});

/** A page in spaces 1 and 2, and global in virtual machines 1 and 2. */
function group(): TlbGroup {
  const made = new TlbGroup([{ tlb: new Tlb({ entries: 4, ways: 4 }), sizes: [0] }]);
  for (const number of [1, 2]) {
    made.enterMachine(number);
    made.fill(0, PAGE, number, 10 + number, 0, 0);
    made.fill(0, PAGE, 9, 20 + number, GLOBAL, 0);
  }
  return made;
}

/** The frame that a space of a virtual machine finds; -1 for none. */
function found(tlb: TlbGroup, machine: number, number: number): number {
  tlb.enterMachine(machine);
  return tlb.lookup(0, PAGE, number) ? tlb.frame : -1;
}

it('a global entry is found in every space of its virtual machine, and in no other', () => {
  const tlb = group();
  const frames = [1, 2, 3].map((machine) => [1, 2, 3].map((number) => found(tlb, machine, number)));
  expect(frames).toEqual([
    [11, 12, 21],
    [11, 12, 22],
    [11, 12, -1],
  ]);
});

it.each([
  ['one space', 1, NO_SPACE, [-1, 12, 21, 22]],
  ['one space and the global entries of one machine', 1, 2, [-1, 12, 21, -1]],
  ['every space', EVERY_SPACE, NO_SPACE, [-1, -1, 21, 22]],
  ['the global entries of one machine', NO_SPACE, 1, [11, 12, -1, 22]],
  ['all global entries', NO_SPACE, EVERY_SPACE, [11, 12, -1, -1]],
  ['everything', EVERY_SPACE, EVERY_SPACE, [-1, -1, -1, -1]],
])('an invalidation of %s reaches it and leaves the rest, by address or not', (_what, number, machine, left) => {
  const [byAddress, whole] = [group(), group()];
  byAddress.dropAddress(0, PAGE, number, machine);
  whole.dropSpace(number, machine);
  for (const tlb of [byAddress, whole]) {
    expect([found(tlb, 3, 1), found(tlb, 3, 2), found(tlb, 1, 3), found(tlb, 2, 3)]).toEqual(left);
  }
});

it('keeps pages of other sizes than those of x86, and the largest in pieces', () => {
  const shifts = [12, 16, 21, 30, 39];
  const tlb = new TlbGroup([{ tlb: new Tlb({ entries: 8, ways: 8 }), sizes: [0, 1, 2, 3, 4] }], shifts);
  tlb.fill(0, 0x1_2000, 0, 0x102, 0, 1);
  tlb.fill(0x80, 0x4000_3000, 0, 0x80_0003, 0, 4);
  expect([tlb.lookup(0, 0x1_f000, 0), tlb.frame, tlb.size]).toEqual([true, 0x10f, 1]);
  expect([tlb.lookup(0x80, 0x7fff_f000, 0), tlb.frame, tlb.size]).toEqual([true, 0x83_ffff, 3]);
  expect([tlb.lookup(0, 0x2_0000, 0), tlb.lookup(0x80, 0x3fff_f000, 0)]).toEqual([false, false]);
});
