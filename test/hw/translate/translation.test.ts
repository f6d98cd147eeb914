import { expect, it } from 'vitest';
import { READ } from '../../../hw/base/access.js';
import { BUS_ERROR } from '../../../hw/base/fault.js';
import { Mmu } from '../../../hw/x86/mmu.js';
import { Ram } from '../../../hw/memory/ram.js';
import { CR0_PE, CR0_PG, CR4_PSE } from '../../../hw/x86/registers.js';

/** 32-bit paging, one 4 MiB page at linear 0 on physical 0. */
function onLargePage(ram: Ram): Mmu {
  const mmu = new Mmu({ ram });
  ram.store32(0, 0x1000, 0x83);
  mmu.writeCr4(CR4_PSE);
  mmu.writeCr3(0, 0x1000);
  mmu.writeCr0(CR0_PE | CR0_PG);
  return mmu;
}

it.each([
  ['the end of RAM', new Ram({ bytes: 1 << 20 })],
  [
    'a hole',
    new Ram({
      ranges: [
        { base: 0, bytes: 1 << 20 },
        { base: 1 << 21, bytes: 1 << 21 },
      ],
    }),
  ],
])('a large page that reaches past %s is a bus error there, also after an access to its start', (_, ram) => {
  const mmu = onLargePage(ram);
  expect(mmu.translate(0, 0x5000, READ)).toBe(5);
  expect(mmu.translate(0, 1 << 20, READ)).toBe(BUS_ERROR);
  expect(mmu.fault.lo).toBe(1 << 20);
});

it('a large page that lies in RAM is cached', () => {
  const mmu = onLargePage(new Ram({ bytes: 1 << 22 }));
  mmu.translate(0, 0x5000, READ);
  mmu.translate(0, 0x30_0000, READ);
  expect(mmu.counters.snapshot().data).toMatchObject({ l1Hits: 1, walks: 1 });
});
