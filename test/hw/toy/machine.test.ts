import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { FETCH, READ, USER, WRITE } from '../../../hw/base/access.js';
import { BUS_ERROR, PAGE_FAULT } from '../../../hw/base/fault.js';
import { DIRTY } from '../../../hw/base/permission.js';
import { ToyMachine, TOY_SEGMENT_FAULT } from '../../../hw/toy/machine.js';
import { packToyEntry, TOY_EXECUTABLE, TOY_RIGHTS, TOY_USER, TOY_WRITABLE } from '../../../hw/toy/shape.js';
import type { ToyEntry, ToyShape, ToyTlbShape } from '../../../hw/toy/shape.js';
import type { TranslationEvent } from '../../../hw/translate/walk/events.js';
import { referenceAnswer } from './reference-walker.js';
import type { ReferenceAnswer } from './reference-walker.js';

/** Layouts of a byte, of two, and of four with every bit that there is. */
const LAYOUTS: readonly ToyEntry[] = [
  { bytes: 1, valid: 7, frame: [4, 0] },
  { bytes: 1, valid: 0, writable: 1, user: 2, frame: [7, 3] },
  { bytes: 2, valid: 15, executable: 14, accessed: 13, dirty: 12, frame: [4, 0] },
  { bytes: 4, valid: 0, writable: 1, user: 2, accessed: 5, dirty: 6, executable: 31, frame: [16, 12] },
];
const TLBS: readonly ToyTlbShape[] = [
  { sets: 1, ways: 2, replacement: 'lru' },
  { sets: 4, ways: 1, replacement: 'fifo' },
];
const ACCESSES = [READ, WRITE, FETCH, USER, WRITE | USER, FETCH | USER];

const pagedShape = fc
  .record({
    shift: fc.constantFrom(4, 5, 6),
    levels: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }),
    entry: fc.constantFrom(...LAYOUTS),
    tableEntry: fc.option(fc.constantFrom(...LAYOUTS), { nil: undefined }),
    root: fc.nat(256),
    memoryBytes: fc.integer({ min: 512, max: 2048 }),
  })
  .map(({ shift, levels, root, memoryBytes, entry, tableEntry }): ToyShape => ({
    virtualBits: levels.reduce((sum, bits) => sum + bits, shift),
    physicalBits: 12,
    memoryBytes,
    paging: { pageBytes: 2 ** shift, root, levels, entry, ...(tableEntry && { tableEntry }) },
  }));

const segmentedShape = fc
  .record({
    bits: fc.nat(3),
    registers: fc.array(
      fc.record({
        base: fc.nat(1100),
        limit: fc.nat(128),
        grows: fc.constantFrom('up' as const, 'down' as const),
        writable: fc.boolean(),
        executable: fc.boolean(),
      }),
      { minLength: 1, maxLength: 8 },
    ),
  })
  .map(({ bits, registers }): ToyShape => ({
    virtualBits: 7 + bits,
    physicalBits: 11,
    memoryBytes: 1024,
    segmentation: { bits, registers: registers.slice(0, 2 ** bits) },
  }));

/** The machine's answer in the words of the reference. */
function answerOf(machine: ToyMachine, address: number, access: number): ReferenceAnswer {
  const physical = machine.translate(address, access);
  if (physical >= 0) return BigInt(physical);
  const { status, errorCode, level } = machine.fault;
  if (status === BUS_ERROR) return 'no memory';
  const missing = [
    [TOY_WRITABLE, 'write'],
    [TOY_EXECUTABLE, 'fetch'],
    [TOY_USER, 'user'],
  ] as const;
  const words = missing.filter(([right]) => (errorCode & right) !== 0).map(([, name]) => name);
  if (words.length > 0) return words.join(' ');
  return status === TOY_SEGMENT_FAULT ? 'outside' : `invalid ${level}`;
}

/** A machine with random bytes; entries are valid more often than not. */
function filled(shape: ToyShape, bytes: readonly number[]): ToyMachine {
  const machine = new ToyMachine(shape);
  for (let at = 0; at < shape.memoryBytes; at++) machine.store(at, 1, bytes[at % bytes.length]);
  return machine;
}

const bytes = fc.array(
  fc.oneof(
    fc.nat(255),
    fc.nat(127).map((low) => low | 0x81),
  ),
  { minLength: 61, maxLength: 61 },
);
const accesses = fc.array(fc.tuple(fc.nat(2 ** 20), fc.constantFrom(...ACCESSES)), { minLength: 1, maxLength: 20 });

test('without a TLB each access ends as the reference walker says, with the memory of that moment', () => {
  fc.assert(
    fc.property(fc.oneof(pagedShape, segmentedShape), bytes, accesses, (shape, content, list) => {
      const machine = filled(shape, content);
      for (const [number, access] of list) {
        const address = number % 2 ** shape.virtualBits;
        const expected = referenceAnswer(shape, (at) => machine.byteAt(Number(at)), address, access);
        expect(answerOf(machine, address, access)).toBe(expected);
      }
      expect(machine.counters.check()).toEqual([]);
    }),
  );
});

test('with a TLB, tables that do not change and lie apart from their marks answer the same', () => {
  fc.assert(
    fc.property(pagedShape, fc.constantFrom(...TLBS), bytes, accesses, (shape, tlb, content, list) => {
      const plain = filled(shape, content);
      const machine = filled({ ...shape, tlb }, content);
      for (const [number, access] of list) {
        const address = number % 2 ** shape.virtualBits;
        // Accessed and dirty bits may fall into a table that is read as another one: then both must see the same.
        for (let at = 0; at < shape.memoryBytes; at++) plain.store(at, 1, machine.byteAt(at));
        const expected = referenceAnswer(shape, (at) => plain.byteAt(Number(at)), address, access);
        if (machine.tlb!.sets.flat().length > 0 && hasMarks(shape)) machine.flush();
        expect(answerOf(machine, address, access)).toBe(expected);
      }
      expect(machine.counters.check()).toEqual([]);
    }),
  );
});

function hasMarks({ paging }: ToyShape): boolean {
  const { entry, tableEntry = entry } = paging!;
  return [entry, tableEntry].some(({ accessed, dirty }) => accessed !== undefined || dirty !== undefined);
}

const ENTRY: ToyEntry = { bytes: 2, valid: 0, writable: 1, accessed: 2, dirty: 3, frame: [15, 8] };

/** Pages 0 to 3 of 16 bytes in frames 8 to 11, the table at 0x20. */
function paged(tlb?: ToyTlbShape): ToyMachine {
  const machine = new ToyMachine({
    virtualBits: 6,
    physicalBits: 8,
    memoryBytes: 256,
    paging: { pageBytes: 16, root: 0x20, levels: [2], entry: ENTRY },
    ...(tlb && { tlb }),
  });
  for (let page = 0; page < 4; page++) {
    machine.store(0x20 + 2 * page, 2, packToyEntry(ENTRY, 8 + page, page === 3 ? ['valid'] : ['valid', 'writable']));
  }
  return machine;
}

function eventsOf(machine: ToyMachine, address: number, access: number): TranslationEvent[] {
  const events: TranslationEvent[] = [];
  const stop = machine.listen((event) => events.push(event));
  machine.translate(address, access);
  stop();
  return events;
}

describe('a machine with a TLB of one entry', () => {
  const one: ToyTlbShape = { sets: 1, ways: 1, replacement: 'lru' };

  it('tells lookup, read, marks, walk and fill of a miss, then lookup and hit', () => {
    const machine = paged(one);
    expect(eventsOf(machine, 0x13, READ).map(({ kind }) => kind)).toEqual(['lookup', 'read', 'set', 'walked', 'fill']);
    expect(eventsOf(machine, 0x17, READ).map(({ kind }) => kind)).toEqual(['lookup', 'hit']);
    expect(eventsOf(machine, 0x23, READ).map(({ kind }) => kind)).toContain('drop');
  });

  it('tells a mark when memory has it, and of an entry that is not valid no rights', () => {
    const machine = paged();
    machine.store(0x22, 2, packToyEntry(ENTRY, 9, ['writable']));
    const told: number[] = [];
    machine.listen((event) => {
      if (event.kind === 'set') told.push(machine.valueAt(event.address, 2) & event.mask);
      else if (event.kind === 'read') told.push(event.rights);
    });
    machine.translate(0, WRITE);
    machine.translate(0x10, READ);
    expect(told).toEqual([TOY_RIGHTS, 1 << 2, 1 << 3, 0]);
  });

  it('walks again for the first store to a page it holds clean, and not for the second', () => {
    const machine = paged(one);
    machine.translate(0x10, READ);
    const kinds = eventsOf(machine, 0x10, WRITE).map(({ kind }) => kind);
    expect(kinds).toEqual(['lookup', 'hit', 'read', 'set', 'walked', 'fill']);
    expect(machine.valueAt(0x22, 2) & 0b1100).toBe(0b1100);
    expect(eventsOf(machine, 0x10, WRITE).map(({ kind }) => kind)).toEqual(['lookup', 'hit']);
    expect(machine.counters.snapshot()).toMatchObject({
      data: { lookups: 3, l1Hits: 2, walks: 1 },
      dirtyUpdates: 1,
      dirtyUpdateReads: 1,
    });
    expect(machine.counters.check()).toEqual([]);
  });

  it('refuses a store by the rights in the TLB', () => {
    const machine = paged(one);
    machine.translate(0x30, READ);
    expect(machine.translate(0x30, WRITE)).toBe(PAGE_FAULT);
    expect(machine.fault.errorCode).toBe(TOY_WRITABLE);
    expect(machine.counters.snapshot()).toMatchObject({ faultsOnHit: 1, faultsOnWalk: 0 });
  });

  it.each([
    [
      'invalidatePage',
      (machine: ToyMachine): void => {
        machine.invalidatePage(0x1f);
      },
    ],
    [
      'flush',
      (machine: ToyMachine): void => {
        machine.flush();
      },
    ],
  ])('answers from a stale entry until %s', (_, invalidate) => {
    const machine = paged(one);
    expect(machine.translate(0x10)).toBe(0x90);
    machine.store(0x22, 2, packToyEntry(ENTRY, 4, ['valid']));
    expect(machine.translate(0x10)).toBe(0x90);
    invalidate(machine);
    expect(machine.translate(0x10)).toBe(0x40);
  });
});

test('under FIFO a hit saves no entry, under LRU it does', () => {
  const held = (replacement: 'fifo' | 'lru'): number[] => {
    const machine = paged({ sets: 1, ways: 2, replacement });
    for (const page of [0, 1, 0, 2]) machine.translate(page * 16);
    return machine.tlb!.sets[0].map(({ page }) => page);
  };
  expect(held('fifo')).toEqual([1, 2]);
  expect(held('lru')).toEqual([0, 2]);
});

test('entries put into the TLB answer without any table', () => {
  const machine = paged({ sets: 2, ways: 1, replacement: 'lru' });
  machine.tlb!.fill({ page: 1, frame: 2, rights: TOY_RIGHTS | DIRTY });
  expect(machine.translate(0x15, WRITE)).toBe(0x25);
  expect([machine.tlb!.setOf(3), machine.tlb!.tagOf(3)]).toEqual([1, 1]);
});

test('a table or a page behind the end of memory is a bus error', () => {
  const machine = paged();
  machine.store(0x20, 2, packToyEntry(ENTRY, 16, ['valid']));
  expect(machine.translate(0x5)).toBe(BUS_ERROR);
  expect(machine.fault.lo).toBe(0x105);
});

const SHAPE: ToyShape = {
  virtualBits: 6,
  physicalBits: 8,
  memoryBytes: 256,
  paging: { pageBytes: 16, root: 0, levels: [2], entry: ENTRY },
};
const PAGING = SHAPE.paging!;

test.each<[string, ToyShape]>([
  ['virtualBits 40: must be a whole number from 4 to 32', { ...SHAPE, virtualBits: 40 }],
  ['physicalBits 3: must', { ...SHAPE, physicalBits: 3 }],
  ['memoryBytes 257: must be a whole number from 16 to 256', { ...SHAPE, memoryBytes: 257 }],
  ['pages.bytes 8: must be a whole number from 16', { ...SHAPE, paging: { ...PAGING, pageBytes: 8 } }],
  ['pages.bytes 24: must be a power of two', { ...SHAPE, paging: { ...PAGING, pageBytes: 24 } }],
  [
    'virtualBits 6: 2 + 2 bits of indices and 4 of the offset make 8; let both be the same',
    { ...SHAPE, paging: { ...PAGING, levels: [2, 2] } },
  ],
  ['pages.levels, how many 5: must', { ...SHAPE, paging: { ...PAGING, levels: [1, 1, 1, 1, 1] } }],
  ['pages.root 256: must', { ...SHAPE, paging: { ...PAGING, root: 256 } }],
  [
    "pages.entry.valid 9: that bit is frame's; give a free one",
    { ...SHAPE, paging: { ...PAGING, entry: { ...ENTRY, valid: 9 } } },
  ],
  [
    'pages.entry.dirty 16: must be a whole number from 0 to 15',
    { ...SHAPE, paging: { ...PAGING, entry: { ...ENTRY, dirty: 16 } } },
  ],
  ['tlb.sets 3: must be a power of two', { ...SHAPE, tlb: { sets: 3, ways: 1, replacement: 'lru' } }],
  ['pages, segments: neither is given', { virtualBits: 6, physicalBits: 8, memoryBytes: 256 }],
  [
    'segments.registers.0.limit 65: must be a whole number from 0 to 64',
    {
      virtualBits: 6,
      physicalBits: 8,
      memoryBytes: 256,
      segmentation: { bits: 0, registers: [{ base: 0, limit: 65, grows: 'up' }] },
    },
  ],
])('a shape is refused with %j', (words, shape) => {
  expect(() => new ToyMachine(shape)).toThrow(words);
});
