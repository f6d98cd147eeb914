import { describe, expect, it } from 'vitest';
import { READ } from '../../../hw/base/access.js';
import { PAGE_FAULT } from '../../../hw/base/fault.js';
import type { Hart } from '../../../hw/riscv/hart.js';
import { DATA, G, register, RWX, Tables, U } from './tables.js';

const PAGE = 0x40_2000;
const OTHER = 0x40_3000;
const SHARED = 0x8000_0000;
const at = (lo: number): { hi: number; lo: number } => ({ hi: 0, lo });

/** The frame that a load finds, in frames past DATA; below 0 for a fault. */
function seen(hart: Hart, address: number): number {
  const frame = hart.translate(0, address | 0, READ);
  return frame < 0 ? frame : frame - DATA;
}

/** Two address spaces, each with two pages of its own and one global page; all cached, then mapped elsewhere. */
class TwoSpaces {
  readonly tables = new Tables();
  readonly roots = [this.tables.root(), this.tables.root()];
  readonly hart: Hart;

  constructor() {
    this.roots.forEach((root, n) => {
      this.#map(root, 8 * n);
    });
    this.hart = this.tables.hart(this.roots[0]);
    this.all();
    this.roots.forEach((root, n) => {
      this.#map(root, 0x80 + 8 * n);
    });
  }

  #map(root: number, frame: number): void {
    this.tables.map(root, PAGE, DATA + frame + 1, RWX);
    this.tables.map(root, OTHER, DATA + frame + 2, RWX);
    this.tables.map(root, SHARED, DATA + frame + 3, RWX | G);
  }

  /** What each space sees of each page: whether the old mapping. */
  all(): readonly string[] {
    return this.roots.map((root, asid) => {
      this.hart.writeCsr('satp', register(root, asid + 5));
      return [PAGE, OTHER, SHARED].map((page) => (seen(this.hart, page) < 0x80 ? 'old' : 'new')).join(' ');
    });
  }
}

describe('SFENCE.VMA', () => {
  it('nothing changes without one, not even by satp', () => {
    expect(new TwoSpaces().all()).toEqual(['old old old', 'old old old']);
  });

  it('x0, x0: everything', () => {
    const machine = new TwoSpaces();
    machine.hart.sfenceVma();
    expect(machine.all()).toEqual(['new new new', 'new new new']);
  });

  it('x0, ASID: all of the space but global pages', () => {
    const machine = new TwoSpaces();
    machine.hart.sfenceVma(null, 6);
    expect(machine.all()).toEqual(['old old old', 'new new old']);
  });

  it('address, x0: the page in every space', () => {
    const machine = new TwoSpaces();
    machine.hart.sfenceVma(at(PAGE));
    expect(machine.all()).toEqual(['new old old', 'new old old']);
  });

  it('address, x0: a global page too', () => {
    const machine = new TwoSpaces();
    machine.hart.sfenceVma(at(SHARED));
    expect(machine.all()).toEqual(['old old new', 'old old new']);
  });

  it('address, ASID: the page in one space, but no global page', () => {
    const machine = new TwoSpaces();
    machine.hart.sfenceVma(at(OTHER), 5);
    machine.hart.sfenceVma(at(SHARED | 0), 5);
    expect(machine.all()).toEqual(['old new old', 'old old old']);
  });

  it('ignores bits of an ASID past 16', () => {
    const machine = new TwoSpaces();
    machine.hart.sfenceVma(null, 0x1_0006);
    expect(machine.all()[1]).toBe('new new old');
  });

  it('has no effect with an address that is not valid', () => {
    const machine = new TwoSpaces();
    machine.hart.sfenceVma({ hi: 0x8000_0000 | 0, lo: PAGE });
    expect(machine.all()).toEqual(['old old old', 'old old old']);
  });

  it('of an address leaves what leads to its last entry', () => {
    const tables = new Tables();
    const root = tables.root();
    tables.map(root, PAGE, DATA + 1, RWX);
    tables.map(root, OTHER, DATA + 2, RWX);
    const hart = tables.hart(root);
    seen(hart, PAGE);
    // Another last table, which only a fence of x0 shows.
    tables.ram.write64(tables.entry(root, PAGE, 1), 0);
    tables.map(root, PAGE, DATA + 3, RWX);
    hart.sfenceVma(at(PAGE));
    expect(seen(hart, PAGE)).toBe(1);
    hart.sfenceVma(null, 0);
    expect(seen(hart, PAGE)).toBe(3);
  });

  it('drops all of a page of 64 KiB by any address in it', () => {
    const tables = new Tables();
    const root = tables.root();
    const napot = (frame: number): void => {
      for (let page = 0; page < 16; page++) {
        const entry = tables.entry(root, 0x1_0000 + page * 4096, 0);
        tables.ram.write64(entry, (1n << 63n) | BigInt(((frame | 8) << 10) | RWX | 0xc1));
      }
    };
    napot(DATA);
    const hart = tables.hart(root);
    expect([0x1_0000, 0x1_5000, 0x1_f000].map((address) => seen(hart, address))).toEqual([0, 5, 15]);
    napot(DATA + 16);
    hart.sfenceVma(at(0x1_5000));
    expect([0x1_0000, 0x1_5000, 0x1_f000].map((address) => seen(hart, address))).toEqual([16, 21, 31]);
  });

  it('without it the checking mode names the stale entry', () => {
    const tables = new Tables();
    const root = tables.root();
    tables.map(root, PAGE, DATA, RWX);
    const hart = tables.hart(root, { check: true });
    seen(hart, PAGE);
    tables.map(root, PAGE, DATA + 1, RWX);
    seen(hart, PAGE);
    expect(hart.checker?.found.map(({ why, missing }) => [why, missing])).toEqual([
      ['another frame', 'SFENCE.VMA 0x402000'],
    ]);
  });

  it('more address spaces than numbers in a tag stay apart', () => {
    const tables = new Tables();
    const roots = [tables.root(), tables.root()];
    roots.forEach((root, n) => {
      tables.map(root, PAGE, DATA + n, RWX);
    });
    const hart = tables.hart(roots[0]);
    for (let asid = 0; asid < 5000; asid++) {
      hart.writeCsr('satp', register(roots[asid & 1], asid));
      expect(seen(hart, PAGE)).toBe(asid & 1);
    }
    for (const asid of [1, 4998, 4999]) {
      hart.writeCsr('satp', register(roots[asid & 1], asid));
      expect(seen(hart, PAGE)).toBe(asid & 1);
    }
  });
});

/** Two guests and the host at the same virtual addresses; each guest has two address spaces, and global pages. */
class TwoGuests {
  readonly tables = new Tables();
  readonly hart: Hart;
  readonly roots: number[] = [];
  readonly hosts: number[] = [];

  constructor() {
    const { tables } = this;
    for (const vmid of [0, 1]) {
      const host = tables.root(4);
      this.hosts.push(host);
      // Guest-physical addresses of tables are physical; those of pages are moved by 0x400 frames a guest.
      tables.map(host, 0, 0, RWX | U, 1);
      for (let page = 0; page < 8; page++) tables.map(host, (0x400 + page) * 4096, this.#page(vmid, page), RWX | U);
      for (const asid of [0, 1]) {
        const root = tables.root();
        this.roots.push(root);
        tables.map(root, PAGE, 0x400 + asid, RWX);
        tables.map(root, SHARED, 0x402, RWX | G);
      }
    }
    this.roots.push(tables.root());
    tables.map(this.roots[4], PAGE, 0x7f0, RWX);
    tables.map(this.roots[4], SHARED, 0x7f2, RWX | G);
    this.hart = tables.hart(this.roots[4]);
  }

  #page(vmid: number, page: number): number {
    return 0x500 + 0x100 * vmid + page;
  }

  /** The frames that a guest's address space sees, or the host's. */
  see(vmid: number | null, asid = 0): readonly number[] {
    const { hart } = this;
    hart.setPrivilege('M');
    hart.writeCsr('hgatp', register(this.hosts[vmid ?? 0], vmid ?? 0));
    hart.writeCsr('vsatp', register(this.roots[2 * (vmid ?? 0) + asid], asid));
    hart.setPrivilege('S', vmid !== null);
    return [PAGE, SHARED].map((page) => hart.translate(0, page | 0, READ));
  }

  seeAll(): readonly (readonly number[])[] {
    return [this.see(0, 0), this.see(0, 1), this.see(1, 0), this.see(1, 1), this.see(null)];
  }

  /** Maps guest-physical pages of a guest elsewhere. */
  moveHost(vmid: number): void {
    for (let page = 0; page < 8; page++) {
      this.tables.map(this.hosts[vmid], (0x400 + page) * 4096, this.#page(vmid, page) + 0x10, RWX | U);
    }
  }
}

const BEFORE = [
  [0x500, 0x502],
  [0x501, 0x502],
  [0x600, 0x602],
  [0x601, 0x602],
  [0x7f0, 0x7f2],
];

describe('fences of guests', () => {
  it('guests, their address spaces and the host stay apart, global pages too', () => {
    const machine = new TwoGuests();
    for (let n = 0; n < 3; n++) expect(machine.seeAll()).toEqual(BEFORE);
  });

  it('HFENCE.GVMA x0, VMID: one guest', () => {
    const machine = new TwoGuests();
    machine.seeAll();
    for (const vmid of [0, 1]) machine.moveHost(vmid);
    expect(machine.seeAll()).toEqual(BEFORE);
    machine.hart.setPrivilege('M');
    machine.hart.hfenceGvma(null, 1);
    expect(machine.seeAll()).toEqual([...BEFORE.slice(0, 2), [0x610, 0x612], [0x611, 0x612], BEFORE[4]]);
  });

  it('HFENCE.GVMA x0, x0: every guest', () => {
    const machine = new TwoGuests();
    machine.seeAll();
    for (const vmid of [0, 1]) machine.moveHost(vmid);
    machine.hart.hfenceGvma();
    expect(machine.seeAll()).toEqual([[0x510, 0x512], [0x511, 0x512], [0x610, 0x612], [0x611, 0x612], BEFORE[4]]);
  });

  it.each([null, 0])('HFENCE.GVMA address, %s: what came through that guest-physical page', (vmid) => {
    const machine = new TwoGuests();
    machine.seeAll();
    machine.moveHost(0);
    machine.hart.hfenceGvma(at(0x400 * 4096), vmid);
    // The page of the other address space is still in the TLB of guest-physical addresses.
    expect([machine.see(0, 0)[0], machine.see(0, 1)[0]]).toEqual([0x510, 0x501]);
  });

  it('HFENCE.VVMA: the guest that hgatp names, as SFENCE.VMA from within', () => {
    for (const within of [false, true]) {
      const machine = new TwoGuests();
      const { tables, roots } = machine;
      machine.seeAll();
      for (const root of roots) tables.map(root, PAGE, 0x405, RWX);
      machine.see(1);
      machine.hart.setPrivilege('S', within);
      if (within) machine.hart.sfenceVma(at(PAGE), 1);
      else machine.hart.hfenceVvma(at(PAGE), 1);
      expect(machine.seeAll().map(([frame]) => frame)).toEqual([0x500, 0x501, 0x600, 0x605, 0x7f0]);
      machine.see(1);
      machine.hart.hfenceVvma(null, 0);
      expect(machine.seeAll().map(([frame]) => frame)).toEqual([0x500, 0x501, 0x605, 0x605, 0x7f0]);
      machine.see(0);
      machine.hart.hfenceVvma();
      expect(machine.seeAll().map(([frame]) => frame)).toEqual([0x505, 0x505, 0x605, 0x605, 0x7f0]);
    }
  });

  it('SFENCE.VMA outside does not reach guests', () => {
    const machine = new TwoGuests();
    machine.seeAll();
    for (const root of machine.roots) machine.tables.map(root, PAGE, 0x405, RWX);
    machine.see(null);
    machine.hart.sfenceVma();
    expect(machine.seeAll().map(([frame]) => frame)).toEqual([0x500, 0x501, 0x600, 0x601, 0x405]);
  });

  it('a page that a guest unmaps faults after the fence, and not before', () => {
    const machine = new TwoGuests();
    machine.see(0, 0);
    machine.tables.ram.write64(machine.tables.entry(machine.roots[0], PAGE, 0), 0);
    expect(machine.see(0, 0)[0]).toBe(0x500);
    machine.hart.sfenceVma(at(PAGE));
    expect(machine.see(0, 0)[0]).toBe(PAGE_FAULT);
  });
});
