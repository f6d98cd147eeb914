import { describe, expect, it } from 'vitest';
import { FETCH, READ } from '../../../hw/base/access.js';
import { OK, PAGE_FAULT } from '../../../hw/base/fault.js';
import { causeName, ILLEGAL_INSTRUCTION, VIRTUAL_INSTRUCTION } from '../../../hw/riscv/exception.js';
import { Hart } from '../../../hw/riscv/hart.js';
import { AD, DATA, R, register, RWX, Tables, U, V, W, X } from './tables.js';

const PAGE = 0x40_2000;
const GUEST_PAGE = 0x30_0000;
const SPVP = 1 << 8;
const HU = 1 << 9;
const MXR = 1 << 19;
const SUM = 1 << 18;

/** A hypervisor in HS-mode, and the page of its guest with a value in it. */
function hypervisor(guestFlags = RWX, hostFlags = RWX | U): { hart: Hart; tables: Tables } {
  const tables = new Tables();
  const [host, root] = [tables.root(4), tables.root()];
  for (let frame = 0; frame < 32; frame++) tables.map(host, frame * 4096, frame, RWX | U);
  tables.ram.write64(tables.entry(host, GUEST_PAGE, 0), DATA * 1024 + (hostFlags | V | AD));
  tables.ram.write64(tables.entry(root, PAGE, 0), GUEST_PAGE / 4 + (guestFlags | V | AD));
  tables.ram.write64(DATA * 4096, 0x1122_3344_5566_7788n);
  const hart = new Hart({ ram: tables.ram });
  hart.writeCsr('vsatp', register(root));
  hart.writeCsr('hgatp', register(host));
  hart.writeCsr('hstatus', SPVP);
  hart.setPrivilege('S');
  return { hart, tables };
}

/** `ok`, or the cause of the fault. */
const told = (hart: Hart, status: number): string => (status === OK ? 'ok' : causeName(hart.trap().cause));

describe('HLV, HLVX, HSV: RISC-V privileged specification, "Hypervisor Virtual-Machine Load and Store Instructions"', () => {
  it('load and store through both stages, and leave the mode as it was', () => {
    const { hart, tables } = hypervisor();
    expect([hart.hlv(0, PAGE, 8), hart.valueHi, hart.valueLo]).toEqual([OK, 0x1122_3344, 0x5566_7788]);
    expect([hart.hlv(0, PAGE + 1, 1), hart.valueLo]).toEqual([OK, 0x77]);
    expect([hart.hlvx(0, PAGE + 2, 2), hart.valueLo]).toEqual([OK, 0x5566]);
    expect(hart.hsv(0, PAGE + 4, 4, 0, 0x99)).toBe(OK);
    expect(tables.ram.read64(DATA * 4096)).toBe(0x99_5566_7788n);
    expect([hart.privilege, hart.virtual]).toEqual(['S', false]);
    // Its own addresses are physical, still.
    expect(hart.translate(0, DATA * 4096, READ)).toBe(DATA);
  });

  it.each([
    ['VS', SPVP, RWX, 'ok'],
    ['VS', SPVP, RWX | U, 'load page fault'],
    ['VU', 0, RWX, 'load page fault'],
    ['VU', 0, RWX | U, 'ok'],
  ])('are made as %s by hstatus.SPVP', (_, status, flags, expected) => {
    const { hart } = hypervisor(flags);
    hart.writeCsr('hstatus', status);
    expect(told(hart, hart.hlv(0, PAGE, 4))).toBe(expected);
  });

  it('heed vsstatus.SUM, not sstatus.SUM', () => {
    const { hart } = hypervisor(RWX | U);
    hart.writeCsr('sstatus', SUM);
    expect(hart.hlv(0, PAGE, 4)).toBe(PAGE_FAULT);
    hart.writeCsr('vsstatus', SUM);
    expect(hart.hlv(0, PAGE, 4)).toBe(OK);
    expect(hart.hlvx(0, PAGE, 4)).toBe(OK);
  });

  it.each([
    [R | X, R | X | U, 'ok', 'ok'],
    [X, X | U, 'load page fault', 'ok'],
    [R, R | X | U, 'ok', 'load page fault'],
    [R | X, R | U, 'ok', 'load guest-page fault'],
    [R | X, X | U, 'load guest-page fault', 'ok'],
  ])('HLV needs R, HLVX needs X, of both stages: %i over %i', (guest, host, load, execute) => {
    const { hart } = hypervisor(guest, host);
    expect([told(hart, hart.hlv(0, PAGE, 4)), told(hart, hart.hlvx(0, PAGE, 4))]).toEqual([load, execute]);
    // What is cached by one does not help the other.
    expect([told(hart, hart.hlvx(0, PAGE, 4)), told(hart, hart.hlv(0, PAGE, 4))]).toEqual([execute, load]);
  });

  it('sstatus.MXR makes what both stages may execute readable, vsstatus.MXR what the guest may', () => {
    const { hart } = hypervisor(X, X | U);
    hart.writeCsr('vsstatus', MXR);
    expect(told(hart, hart.hlv(0, PAGE, 4))).toBe('load guest-page fault');
    hart.writeCsr('vsstatus', 0);
    hart.writeCsr('sstatus', MXR);
    expect(told(hart, hart.hlv(0, PAGE, 4))).toBe('ok');
  });

  it('a fault of HLVX is one of a load; its address is a guest’s', () => {
    const { hart } = hypervisor(R, R | U);
    expect(hart.hlvx(0, PAGE, 4)).toBe(PAGE_FAULT);
    expect(hart.trap()).toMatchObject({ cause: 13, tval: BigInt(PAGE), gva: true });
    hart.writeCsr('medeleg', 1 << 13);
    hart.latch(hart.fault.take());
    expect(hart.readCsr('hstatus') & 0x40n).toBe(0x40n);
    expect(hart.readCsr('scause')).toBe(13n);
  });

  it('a store to a page without W is a store fault, and stores nothing', () => {
    const { hart, tables } = hypervisor(R | W, R | U);
    expect(told(hart, hart.hsv(0, PAGE, 8, 1, 1))).toBe('store/AMO guest-page fault');
    expect(tables.ram.read64(DATA * 4096)).toBe(0x1122_3344_5566_7788n);
  });

  it('MPRV has no say in machine mode', () => {
    const { hart } = hypervisor();
    hart.setPrivilege('M');
    hart.writeCsr('mstatus', 1 << 17);
    expect(hart.hlv(0, PAGE, 4)).toBe(OK);
  });

  it('user mode needs hstatus.HU', () => {
    const { hart } = hypervisor();
    hart.setPrivilege('U');
    expect([hart.hlv(0, PAGE, 4), hart.trap().cause]).toEqual([ILLEGAL_INSTRUCTION, 2]);
    hart.setPrivilege('S');
    hart.writeCsr('hstatus', SPVP | HU);
    hart.setPrivilege('U');
    expect(hart.hlv(0, PAGE, 4)).toBe(OK);
  });

  it('a guest may not execute them', () => {
    const { hart } = hypervisor();
    hart.setPrivilege('S', true);
    expect([hart.hsv(0, PAGE, 4, 0, 0), hart.trap().cause]).toEqual([VIRTUAL_INSTRUCTION, 22]);
    expect(hart.translate(0, PAGE, FETCH)).toBe(DATA);
  });

  it('refuse sizes that no instruction has', () => {
    const { hart } = hypervisor();
    expect(() => hart.hlv(0, PAGE, 3)).toThrow(/size/);
    expect(() => hart.hlvx(0, PAGE, 8)).toThrow(/size/);
    expect(() => new Hart({ ram: hart.ram, xlen: 32 }).hsv(0, PAGE, 8, 0, 0)).toThrow(/size/);
  });
});
