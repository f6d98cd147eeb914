import { describe, expect, it } from 'vitest';
import { FETCH, READ, WRITE } from '../../../hw/base/access.js';
import { BUS_ERROR, PAGE_FAULT } from '../../../hw/base/fault.js';
import { Ram } from '../../../hw/memory/ram.js';
import { Hart } from '../../../hw/riscv/hart.js';
import { MODEL_DEFAULT, NO_TLB } from '../../../hw/tlb/presets.js';
import { AD, DATA, R, register, RWX, Tables, U, V, W, X } from './tables.js';

const PAGE = 0x40_2000;
/** A guest-physical page past those of the guest's tables. */
const GUEST_PAGE = 0x30_0000;
const MXR = 1 << 19;

/** A guest under Sv39 over Sv39x4: its tables at their physical addresses, and one page. */
class Guest {
  readonly tables = new Tables();
  readonly host = this.tables.root(4);
  readonly root = this.tables.root();
  readonly hart: Hart;

  constructor(guestFlags = RWX, hostFlags = RWX | U, tableFlags = RWX | U) {
    const { tables, host, root } = this;
    for (let frame = 0; frame < 32; frame++) tables.map(host, frame * 4096, frame, tableFlags);
    tables.map(host, GUEST_PAGE, DATA, hostFlags);
    tables.map(root, PAGE, GUEST_PAGE >>> 12, guestFlags);
    this.hart = new Hart({ ram: tables.ram });
    this.hart.writeCsr('vsatp', register(root));
    this.hart.writeCsr('hgatp', register(host));
    this.hart.setPrivilege('S', true);
  }

  /** The frame, or the cause. */
  tell(access: number, address = PAGE): string {
    const frame = this.hart.translate(0, address, access);
    const { cause, tval2, tinst, gva } = this.hart.trap();
    if (frame >= 0) return `frame ${frame - DATA}`;
    return `cause ${cause}${gva ? ' gva' : ''} ${(tval2 << 2n).toString(16)} ${tinst.toString(16)}`;
  }
}

describe('two stages', () => {
  it('translate to the page that both give', () => {
    const guest = new Guest();
    expect([guest.tell(READ), guest.tell(WRITE), guest.tell(FETCH)]).toEqual(['frame 0', 'frame 0', 'frame 0']);
  });

  it('what the guest refuses is a page fault, what the host refuses a guest page fault', () => {
    expect(new Guest(R | X).tell(WRITE)).toBe('cause 15 gva 0 0');
    expect(new Guest(RWX, R | U).tell(WRITE)).toBe('cause 23 gva 300000 0');
    expect(new Guest(RWX, R | W | U).tell(FETCH)).toBe('cause 20 gva 300000 0');
    expect(new Guest(RWX, RWX).tell(READ)).toBe('cause 21 gva 300000 0');
  });

  it('the same after a hit, where only a walk can tell', () => {
    const guest = new Guest(RWX, R | U);
    expect([guest.tell(READ), guest.tell(WRITE), guest.tell(READ)]).toEqual([
      'frame 0',
      'cause 23 gva 300000 0',
      'frame 0',
    ]);
    const { hart } = new Guest(R, RWX | U);
    expect([hart.translate(0, PAGE, READ), hart.translate(0, PAGE, WRITE), hart.trap().cause]).toEqual([
      DATA,
      PAGE_FAULT,
      15,
    ]);
  });

  it("an entry of the guest that the host refuses: the entry's address, and the pseudoinstruction of its read", () => {
    const guest = new Guest();
    guest.tables.map(guest.host, guest.root * 4096, guest.root, X | U);
    expect(guest.tell(WRITE)).toBe(`cause 23 gva ${(guest.root * 4096).toString(16)} 3000`);
    // HS-level MXR is for explicit loads.
    guest.hart.setPrivilege('M');
    guest.hart.writeCsr('mstatus', MXR);
    guest.hart.setPrivilege('S', true);
    expect(guest.tell(READ)).toBe(`cause 21 gva ${(guest.root * 4096).toString(16)} 3000`);
  });

  it("bits that the hart may not store in the guest's entry: the pseudoinstruction of a write", () => {
    const guest = new Guest(RWX, RWX | U, R | U);
    const { tables, root, hart } = guest;
    const entry = tables.entry(root, PAGE, 0);
    tables.ram.write64(entry, (GUEST_PAGE >>> 2) | RWX | V);
    hart.writeCsr('menvcfg', 1n << 61n);
    hart.writeCsr('henvcfg', 1n << 61n);
    expect(guest.tell(READ)).toBe(`cause 21 gva ${entry.toString(16)} 3020`);
    expect(tables.ram.read64(entry) & 0xc0n).toBe(0n);
  });

  it('henvcfg.ADUE is about the guest, menvcfg.ADUE about the host', () => {
    for (const [host, own, expected] of [
      [1n, 0n, 'cause 13 gva 0 0'],
      [1n, 1n, 'frame 0'],
    ] as const) {
      const guest = new Guest();
      const { tables, root, hart } = guest;
      tables.ram.write64(tables.entry(guest.host, GUEST_PAGE, 0), (DATA << 10) | RWX | U | V);
      tables.ram.write64(tables.entry(root, PAGE, 0), (GUEST_PAGE >>> 2) | RWX | V);
      hart.writeCsr('menvcfg', host << 61n);
      hart.writeCsr('henvcfg', own << 61n);
      expect(guest.tell(READ)).toBe(expected);
      const bits = [tables.entry(root, PAGE, 0), tables.entry(guest.host, GUEST_PAGE, 0)].map(
        (entry) => tables.ram.read64(entry) & 0xc0n,
      );
      expect(bits).toEqual(own === 1n ? [0x40n, 0x40n] : [0n, 0n]);
    }
  });

  it('a store after a load sets D in both', () => {
    const guest = new Guest();
    const { tables, root, hart } = guest;
    const entries = [tables.entry(root, PAGE, 0), tables.entry(guest.host, GUEST_PAGE, 0)];
    for (const entry of entries) tables.ram.write64(entry, tables.ram.read64(entry) & ~0xc0n);
    hart.writeCsr('menvcfg', 1n << 61n);
    hart.writeCsr('henvcfg', 1n << 61n);
    const bits = (): bigint[] => entries.map((entry) => tables.ram.read64(entry) & 0xc0n);
    expect([guest.tell(READ), ...bits()]).toEqual(['frame 0', 0x40n, 0x40n]);
    expect([guest.tell(WRITE), ...bits()]).toEqual(['frame 0', 0xc0n, 0xc0n]);
  });

  it.each([
    ['no MXR', 0, 0, RWX, 'cause 13 gva 0 0'],
    ['vsstatus.MXR over a readable page', 0, MXR, R, 'frame 0'],
    ['vsstatus.MXR over an executable page', 0, MXR, X, 'cause 21 gva 300000 0'],
    ['sstatus.MXR over an executable page', MXR, 0, X, 'frame 0'],
  ] as const)('a page that the guest has execute-only, %s', (_, host, own, hostFlags, expected) => {
    const guest = new Guest(X, hostFlags | U);
    guest.hart.setPrivilege('M');
    guest.hart.writeCsr('mstatus', host);
    guest.hart.writeCsr('vsstatus', own);
    guest.hart.setPrivilege('S', true);
    // The second time the TLB answers.
    expect([guest.tell(READ), guest.tell(READ)]).toEqual([expected, expected]);
  });

  it('a page readable by vsstatus.MXR is so in the TLB, too: the next read hits', () => {
    const guest = new Guest(X, R | U);
    guest.hart.writeCsr('vsstatus', MXR);
    expect([guest.tell(READ), guest.tell(READ)]).toEqual(['frame 0', 'frame 0']);
    const { walks, l1Hits } = guest.hart.counters.snapshot().data;
    expect([walks, l1Hits]).toEqual([1, 1]);
  });

  it('vsatp bare: the host alone, whose pages the U bit and SUM do not concern', () => {
    const guest = new Guest();
    guest.hart.writeCsr('satp', 0);
    expect([guest.tell(READ, GUEST_PAGE), guest.tell(READ, GUEST_PAGE + 4096)]).toEqual([
      'frame 0',
      'cause 21 gva 301000 0',
    ]);
    const wide = (hi: number): unknown[] => [guest.hart.translate(hi, GUEST_PAGE, READ), guest.hart.trap().cause];
    expect(wide(0x200)).toEqual([PAGE_FAULT, 21]);
    expect(wide(0x100)).toEqual([PAGE_FAULT, 21]);
  });

  it('hgatp bare: guest-physical addresses are physical', () => {
    const guest = new Guest();
    guest.hart.writeCsr('hgatp', 0);
    expect(guest.hart.translate(0, PAGE, READ)).toBe(GUEST_PAGE >>> 12);
    guest.tables.map(guest.root, PAGE, 0x8000, RWX);
    guest.hart.sfenceVma();
    expect([guest.hart.translate(0, PAGE, READ), guest.hart.trap().cause]).toEqual([BUS_ERROR, 5]);
  });

  it('the size in the TLB is the smaller of the two', () => {
    const guest = new Guest();
    const { tables, root, host, hart } = guest;
    tables.map(root, 0x80_0000, 0x400, RWX, 1);
    for (let page = 0; page < 3; page++) tables.map(host, (0x400 + page) * 4096, DATA + 8 - page, RWX | U);
    expect([0, 1, 2].map((page) => hart.translate(0, 0x80_0000 + page * 4096, READ) - DATA)).toEqual([8, 7, 6]);
    tables.map(root, 0x80_0000, 0, RWX, 1);
    // One fence of the guest's large page drops all of its pieces.
    hart.sfenceVma({ hi: 0, lo: 0x80_0000 });
    expect([0, 1, 2].map((page) => hart.translate(0, 0x80_0000 + page * 4096, READ))).toEqual([0, 1, 2]);
  });

  it('mstatus.MPRV with MPV: loads are the guest’s', () => {
    const guest = new Guest();
    guest.hart.setPrivilege('M');
    guest.hart.writeCsr('mstatus', (1n << 39n) | (1n << 17n) | (1n << 11n));
    expect([guest.tell(READ), guest.hart.translate(0, PAGE, FETCH)]).toEqual(['frame 0', PAGE >>> 12]);
    expect(guest.tell(READ, PAGE + 4096)).toBe('cause 13 gva 0 0');
  });
});

describe('traps of guests', () => {
  it('go to the mode that medeleg and hedeleg name, with htval, htinst and GVA', () => {
    const guest = new Guest(RWX, R | U);
    const { hart } = guest;
    const take = (access: number, address: number): void => {
      hart.translate(0, address, access);
      hart.latch(hart.fault.take());
    };
    take(WRITE, PAGE);
    expect([hart.readCsr('mcause'), hart.readCsr('mtval'), hart.readCsr('mtval2')]).toEqual([
      23n,
      BigInt(PAGE),
      BigInt(GUEST_PAGE >>> 2),
    ]);
    expect((hart.readCsr('mstatus') >> 38n) & 1n).toBe(1n);
    hart.writeCsr('medeleg', (1 << 23) | (1 << 13));
    hart.writeCsr('hedeleg', -1n);
    take(WRITE, PAGE);
    hart.setPrivilege('M');
    const host = (['scause', 'stval', 'htval', 'htinst'] as const).map((name) => hart.readCsr(name));
    expect(host).toEqual([23n, BigInt(PAGE), BigInt(GUEST_PAGE >>> 2), 0n]);
    expect((hart.readCsr('hstatus') >> 6n) & 1n).toBe(1n);
    hart.setPrivilege('S', true);
    take(READ, 0x1000);
    hart.setPrivilege('M');
    expect([hart.readCsr('vscause'), hart.readCsr('vstval'), hart.readCsr('scause')]).toEqual([13n, 0x1000n, 23n]);
  });

  it('RV32: entries of 4 bytes have pseudoinstructions of their own', () => {
    const ram = new Ram({ bytes: 1 << 16 });
    const hart = new Hart({ ram, xlen: 32 });
    hart.writeCsr('hgatp', (2n ** 31n) | 4n);
    hart.writeCsr('vsatp', (2n ** 31n) | 1n);
    hart.setPrivilege('S', true);
    expect([hart.translate(0, 0x5000, READ), hart.trap()]).toEqual([
      PAGE_FAULT,
      { cause: 21, tval: 0x5000n, tval2: 0x400n, tinst: 0x2000, gva: true },
    ]);
  });
});

describe('reads of a walk of two stages', () => {
  /** A chain of tables of the second stage that maps the first 2 MiB to itself, and one of the first. */
  function nested(mode: bigint, levels: number, options: object = {}): Hart {
    const ram = new Ram({ bytes: 1 << 20 });
    const chain = (from: number, step: number): void => {
      for (let n = 1; n < levels; n++) {
        const table = n === 1 ? from : from + step + n - 2;
        ram.write64(table * 4096, ((from + step + n - 1) << 10) | V);
      }
    };
    chain(4, 4);
    for (let page = 0; page < 64; page++) {
      ram.write64((4 + 4 + levels - 2) * 4096 + page * 8, (page << 10) | RWX | U | V | AD);
    }
    chain(0x20, 1);
    ram.write64((0x20 + 1 + levels - 2) * 4096, (0x30 << 10) | RWX | V | AD);
    const hart = new Hart({ ram, ...options });
    hart.writeCsr('hgatp', (mode << 60n) | 4n);
    hart.writeCsr('vsatp', (mode << 60n) | 0x20n);
    hart.setPrivilege('S', true);
    return hart;
  }

  it.each([
    ['Sv39', 8n, 3, 15],
    ['Sv48', 9n, 4, 24],
    ['Sv57', 10n, 5, 35],
  ] as const)('%s over %i, without TLBs: as many as (levels + 1)² - 1', (_, mode, levels, reads) => {
    const hart = nested(mode, levels, { tlb: NO_TLB });
    expect(hart.translate(0, 0x123, READ)).toBe(0x30);
    const { data } = hart.counters.snapshot();
    expect([data.entryReads, data.secondStageReads]).toEqual([levels, reads - levels]);
    expect(hart.walkRecord.reads().map(({ stage }) => stage)).toEqual(
      Array.from({ length: reads }, (_read, n) => (n % (levels + 1) === levels ? 1 : 2)),
    );
    expect(hart.counters.check()).toEqual([]);
  });

  it('the TLB of the second stage leaves the reads of the first', () => {
    const hart = nested(9n, 4, { tlb: { ...NO_TLB, secondStage: [{ entries: 16, ways: 16, pages: [12] }] } });
    for (let n = 0; n < 2; n++) hart.translate(0, 0x123, READ);
    expect(hart.counters.snapshot().data).toMatchObject({ walks: 2, entryReads: 8, secondStageReads: 20 });
  });

  it.each([
    ["the guest's walk caches", { secondStageWalkCaches: {} }, '1.0 2.3 2.2 2.1 2.0'],
    ['those of the host too', {}, '1.0 2.0'],
  ])('%s leave the last entry, and the page', (_, caches, left) => {
    const walkCaches = { level1: { entries: 4, ways: 4 } };
    const hart = nested(9n, 4, { tlb: { ...NO_TLB, walkCaches, ...caches } });
    for (let n = 0; n < 2; n++) expect(hart.translate(0, 0x123, READ)).toBe(0x30);
    expect(
      hart.walkRecord
        .reads()
        .map(({ stage, level }) => `${stage}.${level}`)
        .join(' '),
    ).toBe(left);
  });

  it('a hit of the whole translation reads nothing', () => {
    const hart = nested(10n, 5, { tlb: MODEL_DEFAULT, check: true });
    for (let n = 0; n < 3; n++) expect(hart.translate(0, 0x123, WRITE)).toBe(0x30);
    expect(hart.counters.snapshot().data).toMatchObject({ l1Hits: 2, walks: 1 });
    expect(hart.checker?.found).toEqual([]);
  });
});
