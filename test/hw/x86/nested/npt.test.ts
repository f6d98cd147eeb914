import { describe, expect, it } from 'vitest';
import { FETCH, READ, USER, WRITE } from '../../../../hw/base/access.js';
import { toHex } from '../../../../hw/base/address.js';
import { GUEST_PAGE, Nest, PAGE, RWX } from './nest.js';

const page = toHex(GUEST_PAGE).slice(2);
const NX = 1n << 63n;

describe('nested page faults: "Nested versus Guest Page Faults, Fault Ordering" (15.25.6)', () => {
  it.each([
    ['not present, read', 0, READ, '100000004'],
    ['not present, write', 0, WRITE, '100000006'],
    ['read-only, write', 5, WRITE, '100000007'],
    ['a supervisor page: every access is a user one', 3, READ, '100000005'],
  ])('for the page, bit 32 of EXITINFO1: %s', (_, hostFlags, access, info1) => {
    expect(new Nest('npt', { hostFlags }).tell(access)).toBe(`#VMEXIT(NPF) ${info1} at ${page}`);
  });

  it("for an entry of the guest's tables, bit 33: a user write, whatever the access", () => {
    for (const access of [READ, WRITE, FETCH | USER]) {
      const nest = new Nest('npt');
      nest.clear(nest.hostEntry(nest.guestRoot * 4096, 0), 2n);
      const entry = toHex(nest.guestEntry(PAGE, 3)).slice(2);
      expect(nest.tell(access)).toBe(`#VMEXIT(NPF) 200000007 at ${entry}`);
    }
  });

  it("obeys NX by the host's EFER.NXE; without it the bit is reserved", () => {
    const nest = new Nest('npt');
    nest.set(nest.hostEntry(GUEST_PAGE, 0), NX);
    expect([nest.tell(READ), nest.tell(FETCH)]).toEqual(['frame 0', `#VMEXIT(NPF) 100000015 at ${page}`]);
    nest.mmu.vm.vmexit();
    nest.mmu.writeEfer(0x100);
    nest.enter({ nestedCr3: nest.hostRoot * 4096, asid: 1, tlbControl: 1, guest: nest.control.guest });
    expect([nest.tell(READ), nest.tell(FETCH)]).toEqual([
      `#VMEXIT(NPF) 10000000d at ${page}`,
      `#VMEXIT(NPF) 10000000d at ${page}`,
    ]);
  });

  it("the guest's own fault comes before that of its page", () => {
    const nest = new Nest('npt', { hostFlags: 0, guestFlags: 5 });
    expect([nest.tell(WRITE), nest.tell(READ)]).toEqual(['fault -14 3', `#VMEXIT(NPF) 100000004 at ${page}`]);
  });

  it('reserved bits of a PML4E: bits 7 and 8', () => {
    for (const bit of [0x80n, 0x100n]) {
      const nest = new Nest('npt');
      nest.set(nest.hostEntry(GUEST_PAGE, 3), bit);
      expect(nest.tell(READ)).toMatch(/^#VMEXIT\(NPF\) 20000000f/);
      const guest = new Nest('npt');
      guest.set(guest.guestEntry(PAGE, 3), bit);
      expect(guest.tell(READ)).toBe('fault -14 9');
    }
  });
});

describe('nested tables', () => {
  it("get A and D by the guest's accesses; the guest's tables are written to", () => {
    const nest = new Nest('npt');
    const bits = (address: number): string => toHex(Number(nest.ram.read64(nest.hostEntry(address, 0)) & 0x60n));
    expect([nest.tell(READ), bits(GUEST_PAGE), bits(nest.guestRoot * 4096)]).toEqual(['frame 0', '0x20', '0x60']);
    expect([nest.tell(WRITE), bits(GUEST_PAGE)]).toEqual(['frame 0', '0x60']);
  });

  it('have the paging mode of the host: 5 levels by its CR4.LA57', () => {
    const nest = new Nest('npt', { hostLevels: 5 });
    expect(nest.tell(READ)).toBe('frame 0');
    nest.clear(nest.hostEntry(GUEST_PAGE, 4), 1n);
    expect(nest.tell(READ)).toBe('frame 0');
    nest.mmu.vm.vmexit();
    nest.enter({ nestedCr3: nest.hostRoot * 4096, asid: 1, tlbControl: 3, guest: nest.control.guest });
    expect(nest.tell(READ)).toMatch(/^#VMEXIT\(NPF\) 200000006/);
  });
});

describe('PAE guests: "Guest PAE" (15.25.10)', () => {
  it('walk their PDPTEs at each access, without an accessed bit', () => {
    const nest = new Nest('npt', { guest: 'pae' });
    const pdpte = nest.guestEntry(PAGE, 2);
    expect([nest.tell(READ), nest.ram.read64(pdpte) & 0xfffn]).toEqual(['frame 0', 1n]);
  });

  it('fault for a reserved bit of one at the access, not at a write of CR3', () => {
    const nest = new Nest('npt', { guest: 'pae' });
    nest.set(nest.guestEntry(PAGE, 2), 2n);
    expect(nest.mmu.writeCr3(0, nest.guestRoot * 4096)).toBe(0);
    expect(nest.tell(READ)).toBe('fault -14 9');
  });
});

describe('a page of both', () => {
  it('is as large as the smaller one', () => {
    const size = (guestPage: 0 | 1, hostPage: 0 | 1): number => {
      const nest = new Nest('npt', { guestPage, hostPage });
      nest.tell(READ);
      return nest.mmu.walkRecord.size;
    };
    expect([size(0, 0), size(1, 0), size(0, 1), size(1, 1)]).toEqual([0, 0, 0, 1]);
  });

  it('of 4 MiB over 4 KiB is the right piece of it', () => {
    const nest = new Nest('npt', { guest: '32' });
    nest.put(nest.guestEntry(PAGE, 1), BigInt((GUEST_PAGE & ~0x3f_ffff) + 0x80 + RWX), 4);
    expect(nest.tell(READ, (PAGE & ~0x3f_ffff) + (GUEST_PAGE & 0x3f_ffff))).toBe('frame 0');
  });
});
