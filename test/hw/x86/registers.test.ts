import { describe, expect, it } from 'vitest';
import { READ, USER } from '../../../hw/base/access.js';
import { OK, PAGE_FAULT } from '../../../hw/base/fault.js';
import { GENERAL_PROTECTION } from '../../../hw/x86/exception.js';
import { Mmu } from '../../../hw/x86/mmu.js';
import { Ram } from '../../../hw/memory/ram.js';
import { RWU, Tables } from '../tables.js';

const PG_PE = 0x8000_0001 | 0;

function fresh(maxPhysicalBits = 40): Mmu {
  return new Mmu({ ram: new Ram({ bytes: 1 << 20 }), maxPhysicalBits });
}

describe('registers that the processor would refuse', () => {
  it.each([
    ['PG without PE', 0x8000_0000 | 0],
    ['NW without CD', 0x2000_0001],
  ])('MOV to CR0 with %s is #GP(0) and changes nothing', (_name, value) => {
    const mmu = fresh();
    const before = mmu.cr0;
    expect(mmu.writeCr0(value)).toBe(GENERAL_PROTECTION);
    expect(mmu.fault.errorCode).toBe(0);
    expect(mmu.cr0).toBe(before);
  });

  it('enabling paging with EFER.LME but not CR4.PAE is #GP(0)', () => {
    const mmu = fresh();
    mmu.writeEfer(0x100);
    expect(mmu.writeCr0(PG_PE)).toBe(GENERAL_PROTECTION);
    mmu.writeCr4(0x20);
    expect(mmu.writeCr0(PG_PE)).toBe(OK);
    expect(mmu.efer & 0x400).toBe(0x400);
  });

  it.each([13, 14, 15, 19, 25, 31])('CR4 bit %i is refused', (bit) => {
    expect(fresh().writeCr4(1 << bit)).toBe(GENERAL_PROTECTION);
  });

  it('CR4.PCIDE needs long mode and a CR3 whose low 12 bits are 0', () => {
    expect(fresh().writeCr4(0x2_0000)).toBe(GENERAL_PROTECTION);
    const mmu = new Tables().mmu();
    mmu.writeCr3(0, 0x1008);
    expect(mmu.writeCr4(0x2_0020)).toBe(GENERAL_PROTECTION);
    mmu.writeCr3(0, 0x1000);
    expect(mmu.writeCr4(0x2_0020)).toBe(OK);
  });

  it('paging cannot be turned off while CR4.PCIDE = 1', () => {
    const mmu = new Tables().mmu({}, 0x2_0000);
    expect(mmu.writeCr0(1)).toBe(GENERAL_PROTECTION);
  });

  it('LA57 and PAE cannot change in long mode', () => {
    const mmu = new Tables().mmu();
    expect(mmu.writeCr4(0x1020)).toBe(GENERAL_PROTECTION);
    expect(mmu.writeCr4(0)).toBe(GENERAL_PROTECTION);
  });

  it('EFER refuses unknown bits, and LME while paging is on', () => {
    const mmu = new Tables().mmu();
    expect(mmu.writeEfer(0x902)).toBe(GENERAL_PROTECTION);
    expect(mmu.writeEfer(0x800)).toBe(GENERAL_PROTECTION);
    expect(mmu.writeEfer(0x901)).toBe(OK);
  });

  it.each([36, 40, 52])('CR3 refuses address bits from MAXPHYADDR (%i) up in long mode', (bits) => {
    const mmu = new Tables().mmu({ maxPhysicalBits: bits });
    const first = bits - 32;
    expect(mmu.writeCr3(1 << (first - 1), 0x1000)).toBe(OK);
    expect(mmu.writeCr3(1 << first, 0x1000)).toBe(GENERAL_PROTECTION);
    expect(mmu.writeCr3(0x8000_0000 | 0, 0x1000)).toBe(GENERAL_PROTECTION);
  });

  it('PAE loads the PDPTEs at MOV to CR0, refuses reserved bits, and does not read them again', () => {
    const mmu = fresh();
    const { ram } = mmu;
    ram.store64(0, 0x1000, 0, 0x2001);
    ram.store64(0, 0x1008, 0, 0x2007);
    ram.store64(0, 0x2000, 0, 0x83);
    mmu.writeCr4(0x20);
    mmu.writeCr3(0, 0x1000);
    expect(mmu.writeCr0(PG_PE)).toBe(GENERAL_PROTECTION);
    expect(mmu.cr0 & PG_PE).toBe(0);
    ram.store64(0, 0x1008, 0, 0);
    expect(mmu.writeCr0(PG_PE)).toBe(OK);
    ram.store64(0, 0x1000, 0, 0);
    expect(mmu.translate(0, 0x3000, READ)).toBe(3);
    mmu.writeCr3(0, 0x1000);
    expect(mmu.translate(0, 0x3000, READ)).toBe(PAGE_FAULT);
  });

  it.each([35, 53, 40.5])('maxPhysicalBits %d is a clear error', (bits) => {
    expect(() => fresh(bits)).toThrow(/maxPhysicalBits .* 36 to 52/);
  });
});

describe('canonical addresses', () => {
  it.each([
    [0x0000_7fff, OK],
    [0x0000_8000, GENERAL_PROTECTION],
    [0xffff_7fff | 0, GENERAL_PROTECTION],
    [0xffff_8000 | 0, OK],
  ])('in 4-level paging the high word %i is judged by bit 47', (hi, expected) => {
    const tables = new Tables();
    const mmu = tables.mmu();
    const status = mmu.translate(hi, 0, READ);
    expect(status === GENERAL_PROTECTION ? status : OK).toBe(expected);
  });

  it('an access that crosses out of the canonical half is refused before anything is translated', () => {
    const tables = new Tables();
    tables.map(0x7fff_ffff_f000, 50, RWU);
    const mmu = tables.mmu();
    expect(mmu.read(0x7fff, -4, 8, READ | USER)).toBe(GENERAL_PROTECTION);
    expect(mmu.counters.snapshot().data.lookups).toBe(0);
  });
});

describe('registers hold what exists of what is written', () => {
  it('MOV to CR0 leaves bits that do not exist clear, and sets ET', () => {
    const mmu = fresh();
    expect(mmu.writeCr0(0x1ff9_ffd1)).toBe(OK);
    expect(mmu.cr0).toBe(0x0001_0011);
  });

  it('reads back unsigned', () => {
    const mmu = fresh();
    mmu.writeCr4(0x20);
    mmu.writeEfer(0x100);
    mmu.writeCr3(0, 0x1000);
    expect(mmu.writeCr0(0x8001_0001)).toBe(OK);
    expect(mmu.cr0).toBe(0x8001_0011);
  });

  it.each([0x8000_0000, 0x8000_0000 | 0])('bit 63 of MOV to CR3 keeps translations, as %i too', (keep) => {
    const tables = new Tables();
    tables.map(0x5000, 100);
    const mmu = tables.mmu({}, 0x2_0000);
    mmu.translate(0, 0x5000, READ);
    mmu.writeCr3(keep, mmu.cr3Lo);
    mmu.translate(0, 0x5000, READ);
    expect(mmu.counters.snapshot().data.walks).toBe(1);
  });

  it('refuses CR4.CET, which is not modelled', () => {
    const mmu = fresh();
    expect(mmu.writeCr4(1 << 23)).toBe(GENERAL_PROTECTION);
  });
});
