import { describe, expect, it } from 'vitest';
import { Core } from '../../../hw/x86/core.js';
import { OK, PAGE_FAULT } from '../../../hw/base/fault.js';
import { DOUBLE_FAULT } from '../../../hw/x86/exception.js';
import { Mmu } from '../../../hw/x86/mmu.js';
import { Ram } from '../../../hw/memory/ram.js';
import { Tables } from '../tables.js';

function core(): { tables: Tables; core: Core } {
  const tables = new Tables();
  return { tables, core: new Core(tables.mmu()) };
}

describe('Core', () => {
  it('restarts an access that its handler has repaired', () => {
    const { tables, core: cpu } = core();
    cpu.cpl = 3;
    cpu.onException((exception) => {
      expect(exception).toMatchObject({ status: PAGE_FAULT, errorCode: 6, lo: 0x5004 });
      expect(cpu.cpl).toBe(0);
      tables.map(0x5000, 70);
      return true;
    });
    expect(cpu.poke(0x5004, 4, 1234)).toBe(true);
    expect(cpu.peek(0x5004, 4)).toBe(1234);
    expect(tables.ram.load32(0, 70 * 4096 + 4)).toBe(1234);
    expect([cpu.exceptions, cpu.cpl, cpu.mmu.cr2Lo]).toEqual([1, 3, 0x5004]);
  });

  it('puts the address of a page fault into CR2 though nobody handles it', () => {
    const { core: cpu } = core();
    cpu.load(0, 0x5008, 4);
    expect(cpu.mmu.cr2Lo).toBe(0x5008);
  });

  it.each([NaN, 1.5, -1, Infinity, 2 ** 54])('refuses %d as a plain address', (address) => {
    const { core: cpu } = core();
    expect(() => cpu.peek(address, 1)).toThrow(RangeError);
    expect(() => cpu.poke(address, 1, 0)).toThrow(`address ${address}: must be a whole number`);
  });

  it('refuses an address above 4 GiB while addresses have 32 bits', () => {
    const cpu = new Core(new Mmu({ ram: new Ram({ bytes: 1 << 20 }) }));
    expect(() => cpu.poke(2 ** 32 + 0x1000, 4, 1)).toThrow('from 0 to 0xffffffff');
    expect(cpu.poke(0x1000, 4, 1)).toBe(true);
  });

  it('refuses a size that is none', () => {
    const { core: cpu } = core();
    expect(() => cpu.peek(0, 3 as 4)).toThrow('size 3: must be 1 or 2 or 4');
  });

  it('ends the access when the handler gives up, or when there is none', () => {
    const { core: cpu } = core();
    expect(cpu.load(0, 0x5000, 4)).toBe(PAGE_FAULT);
    cpu.onException(() => false);
    expect(cpu.peek(0x5000, 4)).toBeUndefined();
  });

  it('gives up on a handler that repairs nothing, where a processor would go on for ever', () => {
    const { core: cpu } = core();
    cpu.onException(() => true);
    expect(cpu.store(0, 0x5000, 1, 0, 1)).toBe(DOUBLE_FAULT);
  });

  it('writes nothing when the second page of an access faults', () => {
    const { tables, core: cpu } = core();
    tables.map(0x5000, 70);
    expect(cpu.store(0, 0x5ffe, 4, 0, -1)).toBe(PAGE_FAULT);
    expect(cpu.mmu.fault.lo).toBe(0x6000);
    expect(tables.ram.load16(0, 70 * 4096 + 0xffe)).toBe(0);
  });

  it('loads and stores 1 to 8 bytes across pages that lie apart in RAM', () => {
    const { tables, core: cpu } = core();
    tables.map(0x5000, 70);
    tables.map(0x6000, 40);
    expect(cpu.store(0, 0x5ffd, 8, 0x0877_6655, 0x4433_2211)).toBe(OK);
    expect(cpu.load(0, 0x5ffd, 8)).toBe(OK);
    expect([cpu.mmu.valueLo, cpu.mmu.valueHi]).toEqual([0x4433_2211, 0x0877_6655]);
    expect(tables.ram.load32(0, 40 * 4096)).toBe(0x7766_5544);
    expect(cpu.fetch(0, 0x5fff, 6)).toBe(OK);
  });
});
