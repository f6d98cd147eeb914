/** What callers give in plain numbers: nonsense is an error that names it, before anything is done. */

import { describe, expect, it } from 'vitest';
import { READ, WRITE } from '../../../hw/base/access.js';
import { Core } from '../../../hw/x86/core.js';
import { GENERAL_PROTECTION } from '../../../hw/x86/exception.js';
import { Mmu } from '../../../hw/x86/mmu.js';
import { Ram } from '../../../hw/memory/ram.js';
import { Random } from '../../../hw/base/random.js';
import { packCallGate, packSegment } from '../../../hw/x86/segmentation/descriptor.js';
import { DS } from '../../../hw/x86/segmentation/register.js';
import { SegmentationUnit } from '../../../hw/x86/segmentation/unit.js';
import type { TlbArrayShape } from '../../../hw/tlb/hierarchy.js';
import { parseTlb } from '../../../hw/tlb/parse.js';
import type { TranslationPath } from '../../../hw/translate/path/caches.js';
import { RWU, Tables } from '../tables.js';

const NONSENSE = [NaN, Infinity, -Infinity, -1, 1.5];

const ram = new Ram({ bytes: 1 << 20 });
const core = new Core(new Mmu({ ram }));
const unit = new SegmentationUnit(core.mmu);

function bare(): Core {
  return new Core(new Mmu({ ram: new Ram({ bytes: 1 << 20 }) }));
}

describe.each(NONSENSE)('%d', (value) => {
  it.each<[string, () => unknown, RegExp]>([
    ['bytes of a RAM', () => new Ram({ bytes: value }), /RAM range \(base 0, bytes /],
    ['base of a range', () => new Ram({ ranges: [{ base: 4096 * value, bytes: 4096 }] }), /RAM range \(base /],
    ['an address of RAM', () => ram.read64(value), /^physical address .* from 0 to 0xfffffffffffff$/],
    ['an address to peek at', () => core.peek(value, 4), /^address .* from 0 to 0xffffffff$/],
    ['an address to poke', () => core.poke(value, 4, 0), /^address .* from 0 to 0xffffffff$/],
    ['a limit', () => new Random(1).below(value), /^limit .* from 1 to 4294967296$/],
    ['maxPhysicalBits', () => new Mmu({ ram, maxPhysicalBits: value }), /^maxPhysicalBits .* from 36 to 52$/],
    ['entries', () => new Mmu({ ram, tlb: shaped({ entries: value }) }), /entries .* from 1 to 1048576$/],
    ['ways', () => new Mmu({ ram, tlb: shaped({ ways: value }) }), /ways .* that divides the 8 entries$/],
    [
      'pages',
      () => new Mmu({ ram, tlb: shaped({ pages: [value] }) }),
      /pages .* must be at least one of 12, 14, 15, 16, 21, 22, 25, 29, 30, 34, and no other$/,
    ],
    ['a length', () => batch(value), /^length .* from 0 to 4$/],
    ['an index to begin with', () => batch(4, value), /^from .* from 0 to 4$/],
    ['bytes to read', () => core.mmu.read(0, 0, value, READ), /^size .* from 1 to 8$/],
    ['bytes to write', () => core.mmu.write(0, 0, value, 1, 0, WRITE), /^size .* from 1 to 8$/],
    ['bytes to load', () => core.load(0, 0, value), /^size .* from 1 to 8$/],
    ['bytes to store', () => core.store(0, 0, value, 0, 1), /^size .* from 1 to 8$/],
    ['bytes to fetch', () => core.fetch(0, 0, value), /^size .* from 1 to 8$/],
    ['bytes of a segment to read', () => unit.read(DS, 0, 0, value), /^size .* from 1 to 8$/],
    ['bytes of a segment to write', () => unit.write(DS, 0, 0, value, 1, 0), /^size .* from 1 to 8$/],
    ['bytes of code', () => unit.fetch(0, 0, value), /^size .* from 1 to 8$/],
    [
      'a frame to copy',
      () => {
        ram.copyFrame(value, 0);
      },
      /^frame .* from 0 to 255$/,
    ],
    [
      'a frame to copy to',
      () => {
        ram.copyFrame(0, value);
      },
      /^frame .* from 0 to 255$/,
    ],
    [
      'a frame to clear',
      () => {
        ram.zeroFrames(value);
      },
      /^frame .* from 0 to 255$/,
    ],
    [
      'a count of frames',
      () => {
        ram.zeroFrames(0, value);
      },
      /^count .* from 0 to 256$/,
    ],
    ['a base', () => packSegment({ ...SEGMENT, base: value }), /^base .* from 0 to 4294967295$/],
    ['a limit of a segment', () => packSegment({ ...SEGMENT, limit: value }), /^limit .* from 0 to 1048575$/],
    ['a type', () => packSegment({ ...SEGMENT, type: value }), /^type .* from 0 to 15$/],
    ['an offset', () => packCallGate({ ...GATE, offset: value }), /^offset .* from 0 to 4294967295$/],
    ['a selector', () => packCallGate({ ...GATE, selector: value }), /^selector .* from 0 to 65535$/],
    ['parameters', () => packCallGate({ ...GATE, parameters: value }), /^parameters .* from 0 to 31$/],
    ['a privilege', () => packCallGate({ ...GATE, privilege: value }), /^privilege .* from 0 to 3$/],
  ])('is refused as %s', (_name, call, message) => {
    expect(call).toThrow(RangeError);
    expect(call).toThrow(message);
    expect(call).toThrow(String(value * (_name === 'base of a range' ? 4096 : 1)));
  });

  it('is a type of INVPCID that the processor refuses', () => {
    expect(core.mmu.invpcid(value, 0, 0, 0)).toBe(GENERAL_PROTECTION);
  });
});

const SEGMENT = {
  base: 0,
  limit: 0,
  type: 3,
  codeOrData: true,
  privilege: 0,
  present: true,
  available: false,
  long: false,
  big: true,
  granular: false,
};
const GATE = { offset: 0, selector: 8, parameters: 0, type: 12, privilege: 0, present: true };

const SMALL: TlbArrayShape = { entries: 8, ways: 2, pages: [12] };

function shaped(changes: Partial<TlbArrayShape>): ReturnType<typeof parseTlb> {
  return { ...parseTlb('none'), l1Data: [{ ...SMALL, ...changes }] };
}

function batch(length: number, from = 0): number {
  return new Mmu({ ram }).translateMany(new Int32Array(8), new Int32Array(4), length, READ, new Int32Array(6), from);
}

it.each([NaN, Infinity, 0.5])('a seed of %d is refused, and a negative one is not', (seed) => {
  expect(() => new Random(seed)).toThrow(`seed ${seed}: must be a whole number`);
  expect(() => new Mmu({ ram, tlb: parseTlb('8x2/random', seed) })).toThrow('seed');
  expect(new Random(-5).below(10)).toBeLessThan(10);
});

it.each([NaN, Infinity, 5])('neither form of a batch takes a length of %d that its arrays do not have', (length) => {
  for (const path of ['modelled', 'soft', 'walk'] as const) {
    const mmu = new Tables().mmu({ path });
    const [his, los, results] = [new Int32Array(4), new Int32Array(4), new Int32Array(4)];
    expect(() => mmu.translateMany(his, los, length, READ, results)).toThrow('length');
    expect(() => mmu.loadMany(his, los, length, READ, results)).toThrow('length');
  }
});

it('refuses a RAM without ranges, a path and a replacement that there are not, and a third array of a page size', () => {
  expect(() => new Ram({ ranges: [] })).toThrow('at least one');
  expect(() => new Mmu({ ram, path: 'quick' as TranslationPath })).toThrow(
    "path 'quick': must be 'modelled' or 'soft' or 'walk'",
  );
  expect(() => new Mmu({ ram, tlb: shaped({ replacement: 'mru' as 'lru' }) })).toThrow(
    "replacement 'mru': must be 'lru' or 'tree-plru' or 'fifo' or 'random'",
  );
  expect(() => new Mmu({ ram, tlb: shaped({ pages: [] }) })).toThrow("pages '' must be at least one");
  expect(() => new Mmu({ ram, tlb: { ...parseTlb('none'), l2: [SMALL, SMALL, SMALL] } })).toThrow(
    'L2 TLB: 3 arrays hold pages of 2^12 bytes; give at most two a page size',
  );
});

it.each([0, 9, 4097, 2 ** 32])('a size of %d is refused before anything is translated or stored', (size) => {
  const cpu = bare();
  expect(() => cpu.load(0, 0, size)).toThrow(`size ${size}: must be a whole number from 1 to 8`);
  expect(() => cpu.store(0, 0, size, 0, 1)).toThrow(RangeError);
  expect(() => new SegmentationUnit(cpu.mmu).read(DS, 0, 0, size)).toThrow(RangeError);
  expect([cpu.mmu.counters.snapshot().data.lookups, cpu.mmu.ram.load32(0, 0)]).toEqual([0, 0]);
});

describe('an address to peek at or poke', () => {
  it('has 32 bits outside IA-32e mode', () => {
    const cpu = bare();
    expect(() => cpu.poke(2 ** 32 + 0x1000, 4, 1)).toThrow(
      'address 4294971392: must be a whole number from 0 to 0xffffffff',
    );
    expect(() => cpu.peek(2 ** 32, 1)).toThrow('address 4294967296: must');
    expect(cpu.mmu.ram.load32(0, 0x1000)).toBe(0);
    expect(cpu.poke(2 ** 20 - 4, 4, 7)).toBe(true);
    expect(cpu.peek(2 ** 32 - 4, 4)).toBeUndefined();
  });

  it('has the bits of a plain number in IA-32e mode, and paging says which are canonical', () => {
    const tables = new Tables();
    tables.map(0x7fff_ffff_f000, 70, RWU);
    const cpu = new Core(tables.mmu());
    expect(cpu.poke(0x7fff_ffff_f010, 4, 0xffff_ffff)).toBe(true);
    expect(cpu.peek(0x7fff_ffff_f010, 4)).toBe(0xffff_ffff);
    expect(cpu.peek(2 ** 47, 4)).toBeUndefined();
    expect(() => cpu.peek(2 ** 53, 4)).toThrow('address 9007199254740992: must');
  });

  it.each([0, 3, 9, NaN])('goes with a size of 1, 2, 4 or 8, not %d', (size) => {
    expect(() => bare().peek(0, size as 4)).toThrow(`size ${size}: must be 1 or 2 or 4 or 8`);
    expect(() => bare().poke(0, size as 4, 0)).toThrow(`size ${size}: must be 1 or 2 or 4 or 8`);
  });

  it('is a bigint where a number is not exact, as a value of 8 bytes is', () => {
    const tables = new Tables();
    tables.map(0x7fff_ffff_f000, 70, RWU);
    const cpu = new Core(tables.mmu());
    expect(cpu.poke(0x7fff_ffff_f010n, 8, 0xfedc_ba98_7654_3210n)).toBe(true);
    expect(cpu.peek(0x7fff_ffff_f010, 8)).toBe(0xfedc_ba98_7654_3210n);
    expect(cpu.peek(0x7fff_ffff_f014n, 4)).toBe(0xfedc_ba98);
    expect(cpu.poke(0x7fff_ffff_f010, 8, -2)).toBe(true);
    expect(cpu.peek(0x7fff_ffff_f010, 8)).toBe(2n ** 64n - 2n);
    expect(cpu.peek(0xffff_8000_0000_0000n, 8)).toBeUndefined();
    expect(cpu.mmu.cr2).toBe(0xffff_8000_0000_0000n);
    for (const beyond of [2n ** 64n, -1n]) expect(() => cpu.peek(beyond, 8)).toThrow(`address ${beyond}: must`);
  });

  it.each<[1 | 2 | 4 | 8, number | bigint]>([
    [1, 256],
    [2, -0x8001],
    [8, 2n ** 64n],
    [8, -(2n ** 63n) - 1n],
    [8, 2 ** 53],
  ])('goes with a value that %d bytes hold, not %d', (size, value) => {
    expect(() => bare().poke(0, size, value)).toThrow(`value ${value}: must be a whole number`);
  });

  it.each([NaN, 0.5, 2 ** 32, -(2 ** 31) - 1])('goes with a value that 32 bits hold, not %d', (value) => {
    expect(() => bare().poke(0, 4, value)).toThrow(`value ${value}: must be a whole number`);
  });
});

it('has one order of words everywhere: the high one first', () => {
  const cpu = bare();
  const { ram } = cpu.mmu;
  ram.store64(0, 0x100, 0x1111_1111, 0x2222_2222);
  cpu.store(0, 0x108, 8, 0x1111_1111, 0x2222_2222);
  cpu.mmu.write(0, 0x110, 8, 0x1111_1111, 0x2222_2222, WRITE);
  new SegmentationUnit(cpu.mmu).write(DS, 0, 0x118, 8, 0x1111_1111, 0x2222_2222);
  ram.write64(0x120, 0x1111_1111_2222_2222n);
  const read = [0x100, 0x108, 0x110, 0x118, 0x120].map((address) => ram.read64(address));
  expect(new Set(read)).toEqual(new Set([0x1111_1111_2222_2222n]));
});

it('reads registers back unsigned', () => {
  const { mmu } = bare();
  expect([mmu.writeCr4(0x20), mmu.writeEfer(0x900), mmu.writeCr3(0, 0xf000_1000), mmu.writeCr0(0x8001_0001)]).toEqual([
    0, 0, 0, 0,
  ]);
  mmu.writeCr2(-1, 0x8000_0000 | 0);
  expect([mmu.cr0, mmu.cr3Hi, mmu.cr3Lo, mmu.cr3]).toEqual([0x8001_0011, 0, 0xf000_1000, 0xf000_1000n]);
  expect([mmu.cr2Hi, mmu.cr2Lo, mmu.cr2]).toEqual([0xffff_ffff, 0x8000_0000, 0xffff_ffff_8000_0000n]);
});
