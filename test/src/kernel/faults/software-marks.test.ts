import { describe, expect, it } from 'vitest';
import { Hart } from '../../../../hw/riscv/hart.js';
import * as f from '../../../../src/kernel/abi/flags.js';
import { bootOn, GIB, MACHINES, MIB, spawn } from '../machine.js';
import { Ram } from '../../../../hw/memory/ram.js';

const BASE = GIB;
const PAGE = 4096;

it('menvcfg.ADUE stays 0 there', () => {
  const withAndWithout = [true, false].map((svadu) => {
    const hart = new Hart({ ram: new Ram({ bytes: MIB }), svadu });
    hart.writeCsr('menvcfg', -1n & 0xffff_ffff_ffff_ffffn);
    hart.writeCsr('henvcfg', -1n & 0xffff_ffff_ffff_ffffn);
    return [hart.readCsr('menvcfg') >> 61n, hart.readCsr('henvcfg') >> 61n];
  });
  expect(withAndWithout).toEqual([
    [3n, 3n],
    [2n, 2n],
  ]);
});

function world(machine: (typeof MACHINES)[number]) {
  const { kernel } = bootOn(machine, 64 * MIB);
  const process = spawn(kernel);
  kernel.mapRegion(process, BASE, PAGE);
  const { counters, entries, tables } = kernel.memory;
  const marks = () => {
    const at = process.space === null ? -1 : tables.findLeaf(process.space, BASE);
    return [entries.isAccessed(tables.words[at]), entries.isDirty(tables.words[at])];
  };
  return { kernel, process, marks, faults: () => [counters.minorFaults, counters.markFaults] };
}

describe.each(['riscv without Svadu', 'aarch64 without HAFDBS'] as const)(
  'accessed and dirty bits on %s',
  (machine) => {
    it('a read after the marks went is one fault for them alone, then none', () => {
      const { kernel, process, marks, faults } = world(machine);
      expect(kernel.store(process, BASE, 1, 7)).toBe(0);
      expect([marks(), faults()]).toEqual([
        [true, true],
        [1, 0],
      ]);
      expect(kernel.madvise(process, BASE, PAGE, f.MADV_FREE)).toBe(0);
      expect(marks()).toEqual([false, false]);
      for (let i = 0; i < 2; i++) expect([kernel.load(process, BASE, 1), kernel.valueLo & 0xff]).toEqual([0, 7]);
      expect([marks(), faults()]).toEqual([
        [true, false],
        [1, 1],
      ]);
      for (let i = 0; i < 2; i++) expect(kernel.store(process, BASE, 1, 8)).toBe(0);
      expect([marks(), faults()]).toEqual([
        [true, true],
        [1, 2],
      ]);
    });

    it('a write to a page that is only readable is no fault for marks', () => {
      const { kernel, process, faults } = world(machine);
      expect(kernel.load(process, BASE, 1)).toBe(0);
      const [minor] = faults();
      expect(kernel.store(process, BASE, 1, 7)).toBe(0);
      expect(faults()[0]).toBe(minor + 1);
    });
  },
);

it.each(['riscv', 'aarch64'] as const)('%s sets them itself, without a fault', (machine) => {
  const { kernel, process, marks, faults } = world(machine);
  expect(kernel.store(process, BASE, 1, 7)).toBe(0);
  expect(kernel.madvise(process, BASE, PAGE, f.MADV_FREE)).toBe(0);
  expect(kernel.store(process, BASE, 1, 8)).toBe(0);
  expect([marks(), faults()]).toEqual([
    [true, true],
    [1, 0],
  ]);
});
