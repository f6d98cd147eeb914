import { describe, expect, it } from 'vitest';
import { GENERAL_PROTECTION } from '../../../hw/x86/exception.js';
import { Mmu } from '../../../hw/x86/mmu.js';
import { Ram } from '../../../hw/memory/ram.js';
import { CR0_PE, CR0_PG, CR4_PAE, CR4_PCIDE, EFER_LME, EFER_NXE } from '../../../hw/x86/registers.js';
import { writeRegisters } from '../../../hw/x86/write-registers.js';

const LONG = { cr0: CR0_PE | CR0_PG, cr3Hi: 0, cr3Lo: 0x1000, cr4: CR4_PAE, efer: EFER_LME | EFER_NXE };

function fresh(): Mmu {
  return new Mmu({ ram: new Ram({ bytes: 2 ** 20 }) });
}

describe('writing all control registers', () => {
  it('gives PCIDE its place after paging, and CR3 a PCID after that', () => {
    const mmu = fresh();
    expect(writeRegisters(mmu, { ...LONG, cr3Lo: 0x1005, cr4: CR4_PAE | CR4_PCIDE })).toBe(0);
    expect([mmu.cr3Lo, mmu.cr4]).toEqual([0x1005, CR4_PAE | CR4_PCIDE]);
  });

  it('gives CR3 its high word, which counts in IA-32e mode alone', () => {
    const mmu = fresh();
    expect(writeRegisters(mmu, { ...LONG, cr3Hi: 1 })).toBe(0);
    expect([mmu.cr3Hi, mmu.cr3Lo]).toEqual([1, 0x1000]);
  });

  it('makes another processor the same from what it reads back', () => {
    const [first, second] = [fresh(), fresh()];
    writeRegisters(first, LONG);
    expect(writeRegisters(second, first)).toBe(0);
    expect([second.cr0, second.cr3, second.cr4, second.efer]).toEqual([first.cr0, first.cr3, first.cr4, first.efer]);
  });

  it('stops at the first value refused', () => {
    const mmu = fresh();
    expect(writeRegisters(mmu, { ...LONG, cr4: 0 })).toBe(GENERAL_PROTECTION);
    expect([mmu.efer, mmu.cr3Lo, mmu.cr0 & CR0_PG]).toEqual([EFER_LME | EFER_NXE, 0x1000, 0]);
  });
});
