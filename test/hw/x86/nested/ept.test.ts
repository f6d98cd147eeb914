import { describe, expect, it } from 'vitest';
import { FETCH, READ, USER, WRITE } from '../../../../hw/base/access.js';
import { toHex } from '../../../../hw/base/address.js';
import { DATA, GUEST_PAGE, Nest, PAGE, RWX, WB } from './nest.js';

const page = toHex(GUEST_PAGE).slice(2);
const NX = 1n << 63n;
const CR0_WITHOUT_WP = 0x8000_0001;
const NO_WRITE = 5;
const NO_FETCH = 3;
const EXECUTE_ONLY = 4;
const XU = 1n << 10n;

/** Where the guest's entry of `level` lies for the host: its guest-physical address. */
function tableAddress(nest: Nest, level: number): string {
  return toHex(nest.guestEntry(PAGE, level)).slice(2);
}

describe('EPT violations: "EPT Violations", "Exit Qualification for EPT Violations"', () => {
  it.each([
    ['read', READ, EXECUTE_ONLY, '7a1'],
    ['write', WRITE, NO_WRITE, '7aa'],
    ['fetch', FETCH, NO_FETCH, '79c'],
  ])('a %s without its bit: the access, the AND of the entries, the page', (_, access, hostFlags, expected) => {
    expect(new Nest('ept', { hostFlags }).tell(access | USER)).toBe(`EPT violation ${expected} at ${page}`);
  });

  it('each level has to allow the access', () => {
    for (const level of [0, 1, 2, 3]) {
      const nest = new Nest('ept', { guest: 'none' });
      nest.clear(nest.hostEntry(GUEST_PAGE, level), 2n);
      expect([nest.tell(WRITE), nest.tell(READ)], `level ${level}`).toEqual([
        `EPT violation 7aa at ${page}`,
        'frame 0',
      ]);
    }
  });

  it('an entry with R, W and X clear is not present, whatever else it has', () => {
    const nest = new Nest('ept');
    nest.put(nest.hostEntry(GUEST_PAGE, 0), BigInt(DATA * 4096 + 0x40 + WB) | XU);
    expect(nest.tell(READ)).toBe(`EPT violation 781 at ${page}`);
  });

  it('execute-only pages fetch and refuse reads, after a hit too', () => {
    const nest = new Nest('ept', { hostFlags: EXECUTE_ONLY });
    expect([nest.tell(FETCH), nest.tell(READ), nest.tell(FETCH)]).toEqual([
      'frame 0',
      `EPT violation 7a1 at ${page}`,
      'frame 0',
    ]);
  });

  it('W of EPT is obeyed without CR0.WP, and X without EFER.NXE', () => {
    const nest = new Nest('ept', { cr0: CR0_WITHOUT_WP, guestFlags: 5, hostFlags: NO_WRITE & NO_FETCH });
    expect([nest.tell(READ), nest.tell(WRITE), nest.tell(FETCH)]).toEqual([
      'frame 0',
      `EPT violation 38a at ${page}`,
      `EPT violation 38c at ${page}`,
    ]);
  });

  it("bits 9, 10 and 11: the guest's U/S, R/W and XD", () => {
    const nest = new Nest('ept', { hostFlags: EXECUTE_ONLY, guestFlags: 1, nxe: true });
    expect(nest.tell(READ)).toBe(`EPT violation 1a1 at ${page}`);
    nest.set(nest.guestEntry(PAGE, 0), NX);
    expect(nest.tell(READ)).toBe(`EPT violation 9a1 at ${page}`);
    expect(new Nest('ept', { guest: 'none', hostFlags: EXECUTE_ONLY }).tell(READ)).toBe(`EPT violation 7a1 at ${page}`);
  });

  it("for an entry of the guest's tables: its address, bit 8 clear", () => {
    const nest = new Nest('ept');
    nest.put(nest.hostEntry(nest.guestRoot * 4096, 0), 0n);
    expect(nest.tell(FETCH)).toBe(`EPT violation 81 at ${tableAddress(nest, 3)}`);
  });

  it('what the guest refuses is its page fault, before its page is asked for', () => {
    const nest = new Nest('ept', { guestFlags: 5, hostFlags: 0 });
    expect([nest.tell(WRITE), nest.tell(READ)]).toEqual(['fault -14 3', `EPT violation 381 at ${page}`]);
  });

  it('an address beyond 48 bits under 4 levels', () => {
    const nest = new Nest('ept', { maxPhysicalBits: 52 });
    nest.set(nest.guestEntry(PAGE, 0), 1n << 50n);
    expect(nest.tell(READ)).toBe(`EPT violation 781 at 4000000${page}`);
  });
});

describe('accessed and dirty flags: "Accessed and Dirty Flags for EPT"', () => {
  const flags = (nest: Nest, address: number): string =>
    [3, 2, 1, 0].map((level) => ((nest.ram.read64(nest.hostEntry(address, level)) >> 8n) & 3n).toString()).join('');

  it('A in every entry, D in the last one at a write', () => {
    const nest = new Nest('ept', { accessedDirty: true });
    expect([nest.tell(READ), flags(nest, GUEST_PAGE)]).toEqual(['frame 0', '1111']);
    expect([nest.tell(WRITE), flags(nest, GUEST_PAGE)]).toEqual(['frame 0', '1113']);
  });

  it('none is set without bit 6 of EPTP', () => {
    const nest = new Nest('ept');
    expect([nest.tell(WRITE), flags(nest, GUEST_PAGE)]).toEqual(['frame 0', '0000']);
  });

  it("a read of a guest's entry is a write of its page: it sets D", () => {
    const nest = new Nest('ept', { accessedDirty: true });
    nest.tell(READ);
    expect(flags(nest, nest.guestRoot * 4096)).toBe('1113');
  });

  it('and without W it is a violation with bits 0 and 1', () => {
    const nest = new Nest('ept', { accessedDirty: true });
    nest.clear(nest.hostEntry(nest.guestRoot * 4096, 0), 2n);
    expect(nest.tell(READ)).toBe(`EPT violation ab at ${tableAddress(nest, 3)}`);
  });

  it("without these flags it is a read, but the guest's A bit to be set is a write", () => {
    const nest = new Nest('ept');
    const root = nest.guestEntry(PAGE, 3);
    nest.clear(nest.hostEntry(nest.guestRoot * 4096, 0), 2n);
    expect(nest.tell(READ)).toBe(`EPT violation aa at ${tableAddress(nest, 3)}`);
    expect(nest.ram.read64(root) & 0x20n).toBe(0n);
    nest.set(root, 0x20n);
    expect(nest.tell(READ)).toBe('frame 0');
  });
});

describe('mode-based execute control', () => {
  it('XU is for user-mode linear addresses, X for the others, whatever the CPL', () => {
    const user = new Nest('ept', { modeBasedExecute: true, hostFlags: NO_FETCH });
    expect(user.tell(FETCH)).toBe(`EPT violation 79c at ${page}`);
    for (const level of [3, 2, 1, 0]) user.set(user.hostEntry(GUEST_PAGE, level), XU);
    expect([user.tell(FETCH), user.tell(FETCH | USER)]).toEqual(['frame 0', 'frame 0']);
    const supervisor = new Nest('ept', { modeBasedExecute: true, hostFlags: NO_FETCH, guestFlags: 3 });
    for (const level of [3, 2, 1, 0]) supervisor.set(supervisor.hostEntry(GUEST_PAGE, level), XU);
    expect(supervisor.tell(FETCH)).toBe(`EPT violation 5dc at ${page}`);
  });

  it('XU alone makes an entry present', () => {
    const nest = new Nest('ept', { modeBasedExecute: true });
    for (const level of [3, 2, 1]) nest.set(nest.hostEntry(GUEST_PAGE, level), XU);
    nest.put(nest.hostEntry(GUEST_PAGE, 0), BigInt(DATA * 4096 + WB) | XU);
    expect([nest.tell(FETCH), nest.tell(READ)]).toEqual(['frame 0', `EPT violation 7c1 at ${page}`]);
  });
});

describe('EPT misconfigurations', () => {
  const told = `EPT misconfiguration 0 at ${page}`;

  it.each([
    ['write without read', 0, 2n, 5n],
    ['memory type 2', 0, 0x10n, 0x20n],
    ['memory type 3', 0, 0x18n, 0x20n],
    ['memory type 7', 0, 0x38n, 0n],
    ['an address beyond MAXPHYADDR', 0, 1n << 40n, 0n],
    ['an address beyond MAXPHYADDR in a table', 1, 1n << 51n, 0n],
    ['bit 3 of an entry for a table', 1, 8n, 0n],
    ['bit 6 of an entry for a table', 1, 0x40n, 0n],
  ])('%s', (_, level, set, cleared) => {
    const nest = new Nest('ept');
    const entry = nest.hostEntry(GUEST_PAGE, level);
    nest.clear(entry, cleared);
    nest.set(entry, set);
    expect(nest.tell(READ)).toBe(told);
  });

  it('bit 7 of an entry of the two highest tables', () => {
    for (const level of [3, 4]) {
      const nest = new Nest('ept', { hostLevels: 5 });
      nest.set(nest.hostEntry(GUEST_PAGE, level), 0x80n);
      expect(nest.tell(READ)).toBe(`EPT misconfiguration 0 at ${tableAddress(nest, 3)}`);
    }
  });

  it('bits 20:12 of a page of 2 MiB', () => {
    const nest = new Nest('ept', { hostPage: 1 });
    nest.set(nest.hostEntry(GUEST_PAGE, 1), 1n << 12n);
    expect(nest.tell(READ)).toBe(told);
  });

  it('a page of 1 GiB on a processor without them', () => {
    const nest = new Nest('ept', { page1G: false });
    nest.put(nest.hostEntry(0, 2), BigInt(RWX + WB + 0x80));
    expect(nest.tell(READ)).toBe(`EPT misconfiguration 0 at ${tableAddress(nest, 3)}`);
    const with1G = new Nest('ept');
    with1G.put(with1G.hostEntry(0, 2), BigInt(RWX + WB + 0x80));
    expect(with1G.tell(READ)).toBe(`frame ${(GUEST_PAGE >>> 12) - DATA}`);
  });

  it('comes before a violation by a level above', () => {
    const nest = new Nest('ept');
    nest.clear(nest.hostEntry(GUEST_PAGE, 1), 2n);
    nest.set(nest.hostEntry(GUEST_PAGE, 0), 1n << 45n);
    expect(nest.tell(WRITE)).toBe(told);
  });
});
