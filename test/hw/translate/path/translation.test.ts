import { expect, it } from 'vitest';
import { READ } from '../../../../hw/base/access.js';
import { BUS_ERROR } from '../../../../hw/base/fault.js';
import { Mmu } from '../../../../hw/x86/mmu.js';
import { Ram } from '../../../../hw/memory/ram.js';
import { CR0_PE, CR0_PG, CR4_PSE } from '../../../../hw/x86/registers.js';
import { writeRegisters } from '../../../../hw/x86/write-registers.js';

/** 32-bit paging, one 4 MiB page at linear 0 on physical 0. */
function onLargePage(ram: Ram): Mmu {
  const mmu = new Mmu({ ram });
  ram.store32(0, 0x1000, 0x83);
  writeRegisters(mmu, { cr0: CR0_PE | CR0_PG, cr3Hi: 0, cr3Lo: 0x1000, cr4: CR4_PSE, efer: 0 });
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

/** Walks so far, after an access in a space named by VMID and ASID, as an architecture's registers would enter it. */
function walksAfter(mmu: Mmu, machine: number, id: number): number {
  const { dataPath } = mmu;
  dataPath.regime.space = dataPath.spaces.enter(machine, id);
  dataPath.regime.machine = dataPath.machines.enter(machine, 0);
  dataPath.regimeChanged();
  mmu.translate(0, 0x5000, READ);
  return mmu.counters.snapshot().data.walks;
}

it('a space whose number went to another starts anew, and nothing of it is left to the other', () => {
  const mmu = onLargePage(new Ram({ bytes: 1 << 22 }));
  expect([walksAfter(mmu, 7, 0), walksAfter(mmu, 7, 0)]).toEqual([1, 1]);
  const { flushes } = mmu.counters.snapshot();
  for (let id = 1; id <= 4096; id++) expect(walksAfter(mmu, 7, id)).toBe(1 + id);
  expect(walksAfter(mmu, 7, 0)).toBe(4098);
  expect(mmu.counters.snapshot().flushes).toBe(flushes);
});

it('drops all spaces of one virtual machine, global pages too', () => {
  const mmu = onLargePage(new Ram({ bytes: 1 << 22 }));
  const all = [walksAfter(mmu, 1, 5), walksAfter(mmu, 1, 6), walksAfter(mmu, 2, 5)];
  expect(all).toEqual([1, 2, 3]);
  mmu.dataPath.dropMachine(1);
  expect([walksAfter(mmu, 2, 5), walksAfter(mmu, 1, 5), walksAfter(mmu, 1, 6)]).toEqual([3, 4, 5]);
});
