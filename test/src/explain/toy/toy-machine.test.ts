import { describe, expect, it, test } from 'vitest';
import { StateError } from '../../../../src/explain/state-form.js';
import { dumpToy } from '../../../../src/explain/toy/toy-dump.js';
import { TOY_PRESETS } from '../../../../src/explain/toy/toy-presets.js';
import { buildToy, parseToyState } from '../../../../src/explain/toy/toy-state.js';
import type { ToyStateInput } from '../../../../src/explain/toy/toy-state.js';
import { toyDumpText, toyEventLines, toyWalkText } from '../../../../src/explain/toy/toy-text.js';
import { explainToyWalk } from '../../../../src/explain/toy/toy-walk.js';
import type { ToyWalkResult } from '../../../../src/explain/toy/toy-walk.js';

function walk(
  state: ToyStateInput | string,
  address: number,
  access: 'read' | 'write' | 'fetch' = 'read',
  user = false,
): ToyWalkResult {
  const parsed = parseToyState(typeof state === 'string' ? TOY_PRESETS[state] : state);
  return explainToyWalk(buildToy(parsed), parsed.about, { address, access, user }).result;
}

/** `0x75`, or the name of the fault with its table. */
function endOf({ outcome }: ToyWalkResult): string {
  return outcome.kind === 'mapped' ? outcome.physical : `${outcome.name}, ${outcome.table ?? 'no table'}`;
}

// Chapters of OSTEP unless said otherwise.
test.each([
  // "Introduction to Paging": virtual 21 is physical 117.
  ['linear', 21, '0x75'],
  // "Paging: Smaller Tables", a detailed multi-level example: VPN 254 is 55, so 0x3f80 is 0xdc0. VPN 2 and 16 are not valid.
  ['multi-level', 0x3f80, '0xdc0'],
  ['multi-level', 0x80, 'page fault, page table'],
  ['multi-level', 0x400, 'page fault, page directory'],
  // "Segmentation": 100 in the code, 4200 and 7 KiB in the heap, 15 KiB in the stack.
  ['segments', 100, '0x8064'],
  ['segments', 4200, '0x8868'],
  ['segments', 7 * 1024, 'segmentation violation, no table'],
  ['segments', 15 * 1024, '0x6c00'],
  // CS:APP 3rd ed., section 9.6.4; Harvey Mudd CS 105, ch. 10 VM exercise.
  ['csapp', 0x3d4, '0x354'],
  ['csapp', 0x175, '0x5b5'],
  ['csapp', 0xadd, '0xd1d'],
  ['csapp', 0x2ea, 'page fault, page table'],
  // GATE CS 2003: two pages from 0, two from 4 MiB, one at the top.
  ['two-level', 0x1004, '0x11004'],
  ['two-level', 0x401fff, '0x13fff'],
  ['two-level', 0xfffff000, '0x14000'],
  ['two-level', 0x2000, 'page fault, page table'],
  ['two-level', 0x800000, 'page fault, page directory'],
] as const)('%s: %i ends at %s', (preset, address, end) => {
  expect(endOf(walk(preset, address))).toBe(end);
});

test.each([
  [0x3d4, 'hit', 3, 3],
  [0x175, 'miss', 1, 1],
  [0xadd, 'hit', 3, 0xa],
  [0x2ea, 'miss', 3, 2],
] as const)('CS:APP, the TLB at %i: %s in set %i, tag %i', (address, answer, set, tag) => {
  expect(walk('csapp', address).tlb).toEqual({ answer, set, tag });
});

test('CS:APP, the byte at 0x3d4 is 0x36', () => {
  expect(walk('csapp', 0x3d4).outcome).toMatchObject({ value: '0x36' });
});

test('OSTEP, Faster Translations: ten integers from 100 on are 3 misses and 7 hits', () => {
  const machine = buildToy(parseToyState(TOY_PRESETS.tlb));
  for (let i = 0; i < 10; i++) expect(machine.translate(100 + 4 * i)).toBeGreaterThan(0);
  expect(machine.counters.snapshot().data).toMatchObject({ lookups: 10, l1Hits: 7, walks: 3 });
});

test('GATE CS 2003: five pages need three tables, 12 KiB, besides the root: 16 KiB', () => {
  const dump = dumpToy(buildToy(parseToyState(TOY_PRESETS['two-level'])), '');
  expect([dump.tables, dump.tableBytes]).toEqual([4, 16384]);
});

// OSTEP homework, paging-linear-translate.py -P 1k -a 16k -p 32k -v -u 50 -s 0.
const LINEAR_1K: ToyStateInput = {
  schemaVersion: 1,
  virtualBits: 14,
  physicalBits: 16,
  memoryBytes: 32768 + 64,
  pages: { bytes: 1024, root: '0x8000', entry: { bytes: 4, valid: 31, frame: [30, 0] } },
  memory: [
    {
      at: '8000',
      words: ['80000018', 0, 0, 0, '80000009', 0, '8000001d', 0, 0, 0, 0, 0, '8000000f', 0, 0, '80000008'],
    },
  ],
};

test.each([
  [0x3385, '0x3f85'],
  [0x231d, 'page fault, page table'],
  [0xe6, '0x60e6'],
  [0x2e0f, 'page fault, page table'],
  [0x1986, '0x7586'],
])('OSTEP, paging-linear-translate.py -s 0: %i is %s', (address, end) => {
  expect(endOf(walk(LINEAR_1K, address))).toBe(end);
});

// OSTEP homework, paging-multilevel-translate.py -s 0: the directory is page 108; the entries on the way alone.
const MULTILEVEL: ToyStateInput = {
  schemaVersion: 1,
  virtualBits: 15,
  physicalBits: 12,
  pages: { bytes: 32, root: 108 * 32, levels: [5, 5], entry: { bytes: 1, valid: 7, frame: [6, 0] } },
  memory: [
    { at: 108 * 32 + 24, bytes: 'a1' },
    { at: 33 * 32 + 8, bytes: 'b5' },
    { at: 53 * 32 + 0x1c, bytes: '08' },
    { at: 108 * 32 + 15, bytes: 'd6' },
    { at: 108 * 32 + 5, bytes: 'd4' },
    { at: 84 * 32 + 31, bytes: 'ce' },
    { at: 78 * 32 + 0x15, bytes: '1c' },
  ],
};

test.each([
  [0x611c, '0x6bc', '0x08'],
  [0x17f5, '0x9d5', '0x1c'],
])('OSTEP, paging-multilevel-translate.py -s 0: %i is %s with the value %s', (address, physical, value) => {
  expect(walk(MULTILEVEL, address).outcome).toEqual({ kind: 'mapped', physical, value });
});

test('OSTEP, paging-multilevel-translate.py -s 0: 0x3da8 is a fault of the page table', () => {
  expect(endOf(walk(MULTILEVEL, 0x3da8))).toBe('page fault, page table');
});

// Harvard CS 61, VM exercise solutions A5 to A8, on 32-bit tables at 0x2000 and 0x3000.
test.each([
  [0x2040, '0x40'],
  [0x0, '0x0'],
  [0x100, '0x100'],
  [0x1000, 'page fault, page table'],
])('Harvard CS 61: %i ends at %s', (address, end) => {
  const entry = { bytes: 4, valid: 0, writable: 1, user: 2, frame: [31, 12] } as const;
  const state: ToyStateInput = {
    schemaVersion: 1,
    virtualBits: 32,
    physicalBits: 32,
    pages: { bytes: 4096, root: '2000', levels: [10, 10], entry },
    memory: [
      { at: '2000', words: ['3007'] },
      { at: '3000', words: [1, 2, 3] },
    ],
  };
  expect(endOf(walk(state, address))).toBe(end);
});

test('OSTEP, relocation.py -s 1 and segmentation.py -s 0 with two segments of 20 bytes', () => {
  const bounds: ToyStateInput = {
    schemaVersion: 1,
    virtualBits: 10,
    physicalBits: 14,
    segments: { bits: 0, registers: [{ base: 0x363c, limit: 290 }] },
  };
  expect(endOf(walk(bounds, 0x105))).toBe('0x3741');
  const two: ToyStateInput = {
    schemaVersion: 1,
    virtualBits: 7,
    physicalBits: 9,
    segments: {
      bits: 1,
      registers: [
        { base: 0, limit: 20 },
        { base: 512, limit: 20, grows: 'down' },
      ],
    },
  };
  expect(endOf(walk(two, 108))).toBe('0x1ec');
  expect(endOf(walk(two, 107))).toBe('segmentation violation, no table');
});

describe('what is printed', () => {
  it('says each step of a hit in words', () => {
    expect(toyWalkText(walk('csapp', 0x3d4))).toBe(
      [
        'read of 0x3d4 in supervisor mode',
        'CS:APP, End-to-End Address Translation: 14-bit virtual, 12-bit physical',
        'addresses',
        '',
        ' 1  0x3d4 is 00001111 010100: page 0xf, offset 0x14',
        ' 2  TLB: page 0xf belongs to set 0x3, tag 0x3: a hit, frame 0xd',
        ' 3  frame 0xd x 64 + offset 0x14 = 0x354',
        '',
        'Result      physical address 0x354, the byte there is 0x36',
        '',
      ].join('\n'),
    );
  });

  it('says each step of a walk, and why it ends in a fault', () => {
    const { steps, outcome } = walk('pencil', 0x07, 'write', true);
    expect(steps).toEqual([
      '0x7 is 00 00 0111: directory index 0x0, table index 0x0, offset 0x7',
      'TLB: page 0x0 belongs to set 0x0, tag 0x0: no entry has it, a miss',
      'page directory: the entry at 0x10 + 0x0 = 0x10 is 0x82: V, frame 0x2',
      'page table: the entry at 0x20 + 0x0 = 0x20 is 0xe5: V W U, frame 0x5',
      'the TLB keeps page 0x0: frame 0x5',
      'frame 0x5 x 16 + offset 0x7 = 0x57',
    ]);
    expect(outcome).toMatchObject({ kind: 'mapped', physical: '0x57' });
    expect(walk('pencil', 0x17, 'write').outcome).toMatchObject({
      why: 'the page may not be written; this is a write',
    });
    expect(walk('pencil', 0x37, 'read', true).outcome).toMatchObject({
      why: 'the page is not for user mode; this is a read',
    });
    expect(walk('pencil', 0x27).steps.slice(-2)).toEqual([
      'page table: the entry at 0x20 + 0x2 = 0x22 is 0x0: V = 0, not valid',
      'page fault',
    ]);
  });

  it('says when a TLB refuses what the entry may allow by now', () => {
    const entry = { bytes: 1, valid: 7, writable: 6, frame: [3, 0] } as const;
    const readOnly: ToyStateInput = {
      schemaVersion: 1,
      virtualBits: 8,
      physicalBits: 8,
      pages: { bytes: 16, root: 0, entry },
      tlb: { sets: 1, ways: 2 },
      memory: [{ at: 0, bytes: '82' }],
      accesses: [{ at: 0 }],
    };
    const toy = buildToy(parseToyState(readOnly));
    toy.store(0, 1, 0xc2);
    const { result } = explainToyWalk(toy, '', { address: 0, access: 'write', user: false });
    expect(result.outcome).toMatchObject({
      table: null,
      why: 'the page, as the TLB has it, may not be written; this is a write',
    });
  });

  it('does the sum of a segment that grows down', () => {
    expect(walk('segments', 15 * 1024).steps).toEqual([
      '0x3c00 is 11 110000000000: segment 0x3, offset 0xc00',
      'segment 3: base 0x7000, limit 2048, grows down; offset 3072 - 4096 = -1024 is within the limit',
      '0x7000 - 1024 = 0x6c00',
    ]);
  });

  it('says which limit refused which offset', () => {
    const whyOf = (state: ToyStateInput | string, address: number): unknown => walk(state, address).outcome;
    const why = (text: string): unknown => expect.objectContaining({ name: 'segmentation violation', why: text });
    expect(whyOf('segments', 0x1c68)).toEqual(why('offset 3176 is not below 3072, the limit of segment 1'));
    expect(whyOf('segments', 0x3000)).toEqual(
      why('offset -4096 is beyond 2048, the limit of segment 3, which grows down'),
    );
    const one = { ...TOY_PRESETS.segments, segments: { bits: 2, registers: [{ base: 0, limit: 16 }] } };
    expect(whyOf(one, 0x1000)).toEqual(why('there is no segment 1: the machine has 1 segment'));
  });

  it('lists the marks that the access left in entries', () => {
    expect(
      walk('two-level', 0x400000, 'write').changes.map(({ entryAddress, field }) => [entryAddress, field]),
    ).toEqual([
      ['0x1004', 'A'],
      ['0x3000', 'A'],
      ['0x3000', 'D'],
    ]);
  });

  it('lists every event with its numbers', () => {
    const state = parseToyState(TOY_PRESETS.linear);
    const { events } = explainToyWalk(buildToy(state), '', { address: 21, access: 'read', user: false });
    expect(toyEventLines(events)).toEqual([
      ' 1  lookup  hi 0x0, lo 0x15, access 0x0, space 0x0',
      ' 2  read    address 0x1, high 0x0, low 0x87, level 0x0, stage 0x1, rights 0x7',
      ' 3  walked  frame 0x7, rights 0x47, shift 0x4',
    ]);
  });

  it('shows the machine: parts of the address, tables, TLB and memory', () => {
    const state = parseToyState(TOY_PRESETS.csapp);
    const text = toyDumpText(dumpToy(buildToy(state), state.about));
    expect(text).toContain('Virtual     14 bits: page 8, offset 6\n');
    expect(text).toContain('Tables      1, of 256 bytes\n');
    expect(text).toContain('  page table  0xf    0xf0f  0x8d   V      0xd\n');
    expect(text).toContain('  0x3  0xa  0x2b  0x34\n');
    expect(text).toContain('  0xf00  a8 00 b3 82 00 96 00 00 93 97 89 00 00 ad 91 8d\n');
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('shows segments', () => {
    const state = parseToyState(TOY_PRESETS.segments);
    expect(toyDumpText(dumpToy(buildToy(state), ''))).toContain('  3       0x7000  2048   down\n');
  });

  it('ends where memory does, in a table larger than memory', () => {
    const entry = { bytes: 4, valid: 31, frame: [19, 0] } as const;
    const pages = { bytes: 16, root: 0, entry };
    const memory = [{ at: '0xffc', words: ['80000001'] }];
    const shape = { schemaVersion: 1, virtualBits: 32, physicalBits: 24, memoryBytes: 4096 };
    const dump = dumpToy(buildToy(parseToyState({ ...shape, pages, memory })), '');
    expect(dump.entries.map(({ index, frame }) => [index, frame])).toEqual([[0x3ff, '0x1']]);
    expect([dump.tables, dump.tableBytes]).toEqual([1, 2 ** 30]);
  });

  it('ends at a table that leads back to itself', () => {
    const state = parseToyState(TOY_PRESETS.pencil);
    const machine = buildToy(state);
    machine.store(0x11, 1, 0x81);
    expect(dumpToy(machine, '').tables).toBe(3);
  });
});

const GOOD = TOY_PRESETS.csapp;
test.each<[object, string]>([
  [
    { virtualBits: 15, pages: { ...GOOD.pages, levels: [8] } },
    'virtualBits 15: 8 bits of indices and 6 of the offset make 14; let both be the same',
  ],
  [{ virtualBits: '14' }, "virtualBits: expected a whole number, found '14'"],
  [{ frames: 3 }, "there is no field 'frames'; there are schemaVersion, machine, about, virtualBits,"],
  [{ pages: { ...GOOD.pages, root: 'zz' } }, 'pages.root: expected a hexadecimal number'],
  [{ pages: { ...GOOD.pages, root: '0x100000000' } }, 'pages.root: must be below 0x100000000'],
  [{ pages: { ...GOOD.pages, entry: { bytes: 3, frame: [5, 0], valid: 7 } } }, 'pages.entry.bytes: expected 1, 2 or 4'],
  [{ memory: [{ at: '0xfff', bytes: '01 02' }] }, 'memory.0.at 0xfff: ends at 0x1001, past memoryBytes 4096'],
  [{ memory: [{ at: 0, bytes: '01', colour: 1 }] }, "memory.0: there is no field 'colour'; there are at, bytes"],
  [{ memory: [{ at: 0, bytes: '1' }] }, 'memory.0.bytes: expected bytes of two hexadecimal digits'],
  [{ memory: [{ at: 0, words: ['0x100'], wordBytes: 1 }] }, 'memory.0.words.0 0x100: needs more than wordBytes 1'],
  [{ tlb: { sets: 3, ways: 1 } }, 'tlb.sets 3: must be a power of two'],
  [{ tlb: { sets: 4, ways: 1, entries: [{ set: 4, tag: 0, frame: 0 }] } }, 'tlb.entries.0.set 0x4: must be below 4'],
  [
    { tlb: { sets: 4, ways: 1, entries: [{ page: 256, frame: 0 }] } },
    'tlb.entries.0.page 0x100: the last page is 0xff',
  ],
  [
    { tlb: { sets: 4, ways: 1, entries: [{ page: 0, frame: 64 }] } },
    'tlb.entries.0.frame 0x40: the last frame is 0x3f',
  ],
  [
    {
      tlb: {
        sets: 1,
        ways: 1,
        entries: [
          { page: 0, frame: 1 },
          { page: 1, frame: 1 },
        ],
      },
    },
    'tlb.entries.1.page 0x1: set 0 is full; give at most 1 a set',
  ],
  [
    {
      tlb: {
        sets: 1,
        ways: 2,
        entries: [
          { page: 0, frame: 1 },
          { page: 0, frame: 2 },
        ],
      },
    },
    'tlb.entries.1.page 0x0: the page is in the TLB already',
  ],
  [{ accesses: [{ at: '0x2ea' }] }, 'accesses.0.at 0x2ea: ends in a fault'],
])('a state with %j is refused', (change, words) => {
  expect(() => buildToy(parseToyState({ ...GOOD, ...change }))).toThrow(StateError);
  expect(() => buildToy(parseToyState({ ...GOOD, ...change }))).toThrow(words);
});
