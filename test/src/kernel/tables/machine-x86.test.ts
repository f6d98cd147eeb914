import { describe, expect, it } from 'vitest';
import { BUS_ERROR, FaultRecord, PAGE_FAULT } from '../../../../hw/base/fault.js';
import { GENERAL_PROTECTION } from '../../../../hw/x86/exception.js';
import { Mmu } from '../../../../hw/x86/mmu.js';
import { Ram } from '../../../../hw/memory/ram.js';
import { X86 } from '../../../../src/kernel/tables/machine-x86.js';
import { CAUSE_FETCH, CAUSE_WRITE, NO_PAGE_FAULT } from '../../../../src/kernel/tables/privileged.js';

function causeOf(status: number, errorCode: number): number {
  const fault = new FaultRecord();
  fault.raise(status, errorCode, 0, 0);
  return X86.causeOf(fault.take());
}

// Error codes: Intel SDM vol. 3A, figure "Page-Fault Error Code": P is bit 0, W/R 1, U/S 2, RSVD 3, I/D 4.
describe('the cause of a page fault', () => {
  it.each([
    ['a read of an absent page', 0b00100, 0],
    ['a read of a present page', 0b00101, 0],
    ['a write to an absent page', 0b00110, CAUSE_WRITE],
    ['a write to a present page', 0b00111, CAUSE_WRITE],
    ['a fetch from a present page', 0b10101, CAUSE_FETCH],
    ['a reserved bit', 0b01101, 0],
  ])('%s', (_name, errorCode, cause) => {
    expect(causeOf(PAGE_FAULT, errorCode)).toBe(cause);
  });

  it.each([GENERAL_PROTECTION, BUS_ERROR])('is none for status %i', (status) => {
    expect(causeOf(status, 0)).toBe(NO_PAGE_FAULT);
  });
});

it('paging starts with tables above 4 GiB, too', () => {
  const mmu = new Mmu({ ram: new Ram({ bytes: 2 ** 20 }) });
  X86.operationsOf(mmu).startPaging(0x12_3456);
  // PG, WP, ET and PE; PAE; LMA, LME and NXE.
  expect([mmu.cr0, mmu.cr3, mmu.cr4, mmu.efer]).toEqual([0x8001_0011, 0x1_2345_6000n, 0x20, 0xd00]);
});
