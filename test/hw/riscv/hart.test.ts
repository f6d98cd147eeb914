import { describe, expect, it } from 'vitest';
import { FETCH, READ, USER, WRITE } from '../../../hw/base/access.js';
import { BUS_ERROR, PAGE_FAULT } from '../../../hw/base/fault.js';
import { Ram } from '../../../hw/memory/ram.js';
import { causeName } from '../../../hw/riscv/exception.js';
import { Hart } from '../../../hw/riscv/hart.js';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { NO_TLB } from '../../../hw/tlb/presets.js';
import { LogicalProcessor } from '../../../hw/translate/logical-processor.js';
import { AD, DATA, R, register, RWX, SV39, Tables, U, V, W, X } from './tables.js';

const PAGE = 0x40_2000;
const MPRV = 1n << 17n;
const MPP_SHIFT = 11n;

function simple(flags: number): { tables: Tables; hart: Hart; root: number } {
  const tables = new Tables();
  const root = tables.root();
  tables.map(root, PAGE, DATA, flags);
  return { tables, root, hart: tables.hart(root) };
}

describe('privilege', () => {
  it('begins in machine mode, without translation', () => {
    const { hart } = simple(RWX);
    const fresh = new Hart({ ram: hart.ram });
    expect([fresh.privilege, fresh.virtual, fresh.translate(0, 0x5000, READ)]).toEqual(['M', false, 5]);
  });

  it('satp does not matter in machine mode', () => {
    const { hart } = simple(RWX);
    hart.setPrivilege('M');
    expect([hart.translate(0, PAGE, READ), hart.translate(0, PAGE, FETCH)]).toEqual([PAGE >>> 12, PAGE >>> 12]);
  });

  it.each([
    ['U', R | U, 0],
    ['U', R, 13],
    ['S', R | U, 13],
    ['S', R, 0],
  ] as const)('%s-mode with flags %i: cause %i', (privilege, flags, cause) => {
    const { hart } = simple(flags);
    hart.setPrivilege(privilege);
    const frame = hart.translate(0, PAGE, READ);
    expect(frame < 0 ? hart.trap().cause : 0).toBe(cause);
  });

  it('an access with USER is made as user mode makes it', () => {
    const { hart } = simple(RWX | U);
    expect([hart.translate(0, PAGE, READ), hart.translate(0, PAGE, READ | USER)]).toEqual([PAGE_FAULT, DATA]);
  });

  it('mstatus.MPRV: loads and stores as MPP, fetches as before', () => {
    const { hart } = simple(RWX | U);
    hart.setPrivilege('M');
    hart.writeCsr('mstatus', MPRV | (0n << MPP_SHIFT));
    expect([hart.translate(0, PAGE, READ), hart.translate(0, PAGE, FETCH)]).toEqual([DATA, PAGE >>> 12]);
    expect([hart.fetch(0, PAGE, 4, 0), hart.firstFrame]).toEqual([0, PAGE >>> 12]);
    expect([hart.read(0, PAGE, 4, READ), hart.firstFrame]).toEqual([0, DATA]);
    expect([hart.locate(0, PAGE, 4, FETCH), hart.firstFrame]).toEqual([0, PAGE >>> 12]);
    hart.writeCsr('mstatus', MPRV | (1n << MPP_SHIFT));
    expect([hart.translate(0, PAGE, READ), hart.trap().cause]).toEqual([PAGE_FAULT, 13]);
    hart.writeCsr('mstatus', MPRV | (3n << MPP_SHIFT));
    expect(hart.translate(0, PAGE, READ)).toBe(PAGE >>> 12);
  });

  it('batches of fetches under MPRV are not translated either', () => {
    const { hart } = simple(RWX | U);
    hart.setPrivilege('M');
    hart.writeCsr('mstatus', MPRV);
    const frames = new Int32Array(2);
    const batch = [new Int32Array(2), Int32Array.of(PAGE, PAGE + 8), 2] as const;
    expect([hart.translateMany(...batch, FETCH, frames), ...frames]).toEqual([2, PAGE >>> 12, PAGE >>> 12]);
    expect([hart.translateMany(...batch, READ, frames), ...frames]).toEqual([2, DATA, DATA]);
  });

  it('SUM and MXR take effect at once', () => {
    const { hart } = simple(X | U);
    expect(hart.translate(0, PAGE, READ | USER)).toBe(PAGE_FAULT);
    hart.writeCsr('sstatus', 1 << 19);
    expect([hart.translate(0, PAGE, READ | USER), hart.translate(0, PAGE, READ)]).toEqual([DATA, PAGE_FAULT]);
    hart.writeCsr('sstatus', (1 << 19) | (1 << 18));
    expect([hart.translate(0, PAGE, READ), hart.translate(0, PAGE, FETCH)]).toEqual([DATA, PAGE_FAULT]);
  });
});

describe('accessed and dirty', () => {
  function clean(bits: number, adue: boolean): { hart: Hart; entry: () => number } {
    const { tables, root, hart } = simple(RWX);
    const place = tables.entry(root, PAGE, 0);
    tables.ram.write64(place, (DATA << 10) | RWX | V | bits);
    hart.writeCsr('menvcfg', adue ? 1n << 61n : 0);
    return { hart, entry: () => Number(tables.ram.read64(place)) & AD };
  }

  it.each([
    [0, READ, 13],
    [0x40, READ, 0],
    [0x40, WRITE, 15],
    [0xc0, WRITE, 0],
    [0, FETCH, 12],
  ])('Svade: with bits %i access %i ends with cause %i, and nothing is set', (bits, access, cause) => {
    const { hart, entry } = clean(bits, false);
    const frame = hart.translate(0, PAGE, access);
    expect([frame < 0 ? hart.trap().cause : 0, entry()]).toEqual([cause, bits]);
  });

  it('Svadu: the hart sets them, a store both', () => {
    const { hart, entry } = clean(0, true);
    expect([hart.translate(0, PAGE, READ), entry()]).toEqual([DATA, 0x40]);
    expect([hart.translate(0, PAGE, WRITE), entry()]).toEqual([DATA, 0xc0]);
    expect(hart.counters.snapshot()).toMatchObject({ dirtyUpdates: 1, data: { l1Hits: 1, walks: 1 } });
  });

  it('Svade: a store that hits a clean page is a page fault', () => {
    const { hart, entry } = clean(0x40, false);
    expect([hart.translate(0, PAGE, READ), hart.translate(0, PAGE, WRITE), entry()]).toEqual([DATA, PAGE_FAULT, 0x40]);
    expect([hart.trap().cause, hart.counters.snapshot().faultsOnHit]).toEqual([15, 1]);
  });

  it('stores go by both halves of a page of shared RAM', () => {
    const ram = new Ram({ bytes: 1 << 20, shared: true });
    ram.write64(0x1000 + 8, (2 << 10) | V);
    ram.write64(0x2000, (3 << 10) | V);
    ram.write64(0x3000, (0x80 << 10) | R | W | V);
    const hart = new Hart({ ram });
    hart.writeCsr('menvcfg', 1n << 61n);
    hart.writeCsr('satp', register(1));
    hart.setPrivilege('S');
    expect(hart.write(0, 0x4000_0000, 8, 1, 2, WRITE)).toBe(0);
    expect([ram.read64(0x8_0000), ram.read64(0x3000) & 0xc0n]).toEqual([0x1_0000_0002n, 0xc0n]);
  });
});

describe('faults', () => {
  it.each([
    [READ, 13, 5],
    [WRITE, 15, 7],
    [FETCH, 12, 1],
  ])('access %i: page fault %i, and access fault %i with the virtual address', (access, page, bus) => {
    const { tables, root, hart } = simple(RWX);
    expect([hart.translate(0x20, 0, access), hart.trap()]).toEqual([
      PAGE_FAULT,
      { cause: page, tval: 0x20n << 32n, tval2: 0n, tinst: 0, gva: false },
    ]);
    tables.map(root, PAGE, 0x3f_ffff, RWX);
    expect([hart.translate(0, PAGE + 4, access), hart.trap().cause, hart.trap().tval]).toEqual([
      BUS_ERROR,
      bus,
      BigInt(PAGE + 4),
    ]);
    hart.setPrivilege('M');
    expect([hart.translate(0x100, 0, access), hart.trap().cause, hart.trap().tval]).toEqual([
      BUS_ERROR,
      bus,
      1n << 40n,
    ]);
  });

  it('say the level that ended the walk', () => {
    const { hart } = simple(RWX);
    const levels = [0x8000_0000, 0x60_0000, PAGE + 0x1000].map((address) => {
      hart.translate(0, address | 0, READ);
      return hart.fault.level;
    });
    expect(levels).toEqual([2, 1, 0]);
  });

  it('have names', () => {
    expect([1, 5, 7, 12, 13, 15, 20, 21, 23].map(causeName)).toEqual([
      'instruction access fault',
      'load access fault',
      'store/AMO access fault',
      'instruction page fault',
      'load page fault',
      'store/AMO page fault',
      'instruction guest-page fault',
      'load guest-page fault',
      'store/AMO guest-page fault',
    ]);
    expect(causeName(3)).toBe('cause 3');
  });

  it('of the second page of an access have its first address, and nothing is stored', () => {
    const { tables, hart } = simple(RWX);
    expect(hart.write(0, PAGE + 0xffe, 4, 0, -1, WRITE)).toBe(PAGE_FAULT);
    expect([hart.trap().tval, tables.ram.read64(DATA * 4096 + 0xff8)]).toEqual([BigInt(PAGE + 0x1000), 0n]);
  });

  it('of a page of 64 KiB: the next 4 KiB has an entry of its own', () => {
    const { tables, root, hart } = simple(RWX);
    tables.ram.write64(tables.entry(root, 0x1_0000, 0), (1n << 63n) | BigInt(((DATA | 8) << 10) | RWX | V | AD));
    expect([hart.read(0, 0x1_0ffe, 2, READ), hart.read(0, 0x1_0fff, 2, READ), hart.trap().tval]).toEqual([
      0,
      PAGE_FAULT,
      0x1_1000n,
    ]);
  });

  it('go to the handler of a processor, which mends the entry and restarts the access', () => {
    const { tables, root, hart } = simple(RWX);
    hart.writeCsr('medeleg', 1 << 15);
    const processor = new LogicalProcessor(hart);
    const seen: unknown[] = [];
    processor.onException(({ errorCode }) => {
      seen.push([errorCode, hart.readCsr('scause'), hart.readCsr('stval'), hart.readCsr('mcause')]);
      tables.map(root, PAGE + 0x1000, DATA + 1, RWX);
      hart.sfenceVma({ hi: 0, lo: PAGE + 0x1000 });
      return true;
    });
    expect(processor.poke(PAGE + 0x1008, 8, 7n)).toBe(true);
    expect(seen).toEqual([[15, 15n, BigInt(PAGE + 0x1008), 0n]]);
    expect(tables.ram.read64((DATA + 1) * 4096 + 8)).toBe(7n);
  });

  it('that are not delegated go to machine mode', () => {
    const { hart } = simple(RWX);
    const processor = new LogicalProcessor(hart);
    expect(processor.peek(0x123000, 4)).toBeUndefined();
    expect([hart.readCsr('mcause'), hart.readCsr('mtval'), hart.readCsr('scause')]).toEqual([13n, 0x123000n, 0n]);
  });
});

describe('TLBs of a hart', () => {
  it.each([
    ['sv39', 30, 2],
    ['sv48', 39, 3],
    ['sv57', 48, 4],
  ] as const)('%s: a page of the root covers 2^%i bytes, and RAM ends before it does', (mode, shift, level) => {
    const ram = new Ram({ bytes: 1 << 24 });
    const hart = new Hart({ ram });
    ram.write64(0x1000 + 8, RWX | V | AD);
    hart.writeCsr('satp', (BigInt({ sv39: 8, sv48: 9, sv57: 10 }[mode]) << 60n) | 1n);
    hart.setPrivilege('S');
    const hi = Math.floor(2 ** shift / 2 ** 32);
    const lo = shift < 32 ? 2 ** shift : 0;
    expect(hart.translate(hi, lo + 0x5678, READ)).toBe(5);
    expect(hart.walkRecord.endLevel).toBe(level);
    expect(hart.translate(hi, lo + (1 << 24), READ)).toBe(BUS_ERROR);
    expect(hart.translate(hi, lo + 0x6000, READ)).toBe(6);
  });

  it('walk caches shorten walks, and counts say so', () => {
    const { tables, root, hart } = simple(RWX);
    tables.map(root, PAGE + 0x1000, DATA + 1, RWX);
    hart.translate(0, PAGE, READ);
    hart.translate(0, PAGE + 0x1000, READ);
    expect(hart.counters.snapshot().data).toMatchObject({
      walks: 2,
      shortenedWalks: 1,
      entryReadsByLevel: [2, 1, 1, 0, 0],
    });
  });

  it.each(['soft', 'walk'] as const)('path %s gives the same frames', (path) => {
    const { tables, root } = simple(RWX);
    const hart = tables.hart(root, { path });
    for (let n = 0; n < 3; n++) expect(hart.translate(0, PAGE, WRITE)).toBe(DATA);
    expect(hart.translate(0, PAGE + 0x1000, READ)).toBe(PAGE_FAULT);
  });

  it('refuses options that cannot go together', () => {
    const ram = new Ram({ bytes: 4096 });
    expect(() => new Hart({ ram, path: 'soft', check: true })).toThrow("check cannot go with path 'soft'");
    expect(() => new Hart({ ram, tlb: { ...NO_TLB, secondStage: [{ entries: 3, ways: 2, pages: [12] }] } })).toThrow(
      'second-stage TLB',
    );
  });

  it('a page of another address space is not found', () => {
    const { tables, hart } = simple(RWX);
    hart.translate(0, PAGE, READ);
    hart.writeSatp(Number(SV39 >> 32n) | (1 << 12), tables.root());
    expect(hart.translate(0, PAGE, READ)).toBe(PAGE_FAULT);
  });
});

describe('RV32', () => {
  it('maps pages of 4 KiB and 4 MiB, at physical addresses of 34 bits', () => {
    const ram = new Ram({
      ranges: [
        { base: 0, bytes: 1 << 16 },
        { base: 2 ** 33, bytes: 1 << 22 },
      ],
    });
    const hart = new Hart({ ram, xlen: 32, tlb: parseTlb('16x4+64x4') });
    ram.store32(0, 0x1000 + 4 * 3, ((2 ** 33 / 2 ** 12) << 10) | RWX | V | AD);
    ram.store32(0, 0x1000, (2 << 10) | V);
    ram.store32(0, 0x2000 + 4 * 5, (0x8 << 10) | R | V | AD);
    hart.writeCsr('satp', (2n ** 31n) | 1n);
    hart.setPrivilege('S');
    for (let n = 0; n < 2; n++) {
      expect([hart.translate(0, 0xc0_3000, WRITE), hart.lastSize]).toEqual([2 ** 21 + 3, 3]);
      expect([hart.translate(0, 0x5000, READ), hart.lastSize]).toEqual([8, 0]);
    }
  });

  it('an access at the end of the address space goes on at 0', () => {
    const ram = new Ram({ bytes: 1 << 16 });
    const hart = new Hart({ ram, xlen: 32 });
    ram.store32(0, 0x1000, (2 << 10) | V);
    ram.store32(0, 0x1000 + 4 * 1023, (2 << 10) | V);
    ram.store32(0, 0x2000, (4 << 10) | R | V | AD);
    ram.store32(0, 0x2000 + 4 * 1023, (5 << 10) | R | V | AD);
    hart.writeCsr('satp', (2n ** 31n) | 1n);
    hart.setPrivilege('S');
    expect([hart.read(0, -2, 4, READ), hart.firstFrame, hart.secondFrame]).toEqual([0, 5, 4]);
  });
});
