import { expect, it } from 'vitest';
import type { SegmentKernel } from '../../../src/segments/kernel.js';
import type { SegmentProcess } from '../../../src/segments/process.js';
import type { SegmentTable } from '../../../src/segments/segment-table.js';
import { alive, boot, data, KIB } from './machine.js';

const WORDS = 2;

/** The words of every descriptor in use, and all of the GDT, by their index in RAM. */
function descriptors(kernel: SegmentKernel, processes: readonly SegmentProcess[]): Map<number, number> {
  const { gdt, ram } = kernel.memory;
  const wordsOf = (table: SegmentTable): number[] =>
    Array.from(
      { length: (table.isLocal ? table.entries.length : table.capacity) * WORDS },
      (_, i) => table.base / 4 + i,
    );
  const living = processes.filter(({ alive: lives }) => lives);
  const indexes = [gdt, ...living.map(({ table }) => table)].flatMap(wordsOf);
  return new Map(indexes.map((index) => [index, ram.words[index]]));
}

it('every change of a descriptor is in the journal of RAM, under the name of its call', () => {
  const kernel = boot(256 * KIB);
  const processes = [alive(kernel.spawn()), alive(kernel.spawn())];
  const [one, other] = processes;
  const journal = kernel.memory.ram.keepJournal();
  const selectors = [data(kernel, one, 4 * KIB), data(kernel, one, 4 * KIB), data(kernel, one, 64)];
  kernel.store(one, selectors[0], 0, 4, 7);

  /** What the call stored is labelled with its name or, where the work is a fault's or a switch's, with theirs. */
  const check = (call: () => unknown, ...names: string[]): void => {
    const before = descriptors(kernel, processes);
    const { count } = journal;
    call();
    const after = descriptors(kernel, processes);
    const changed = [...after].filter(([index, word]) => word !== (before.get(index) ?? 0));
    const labels = changed.map(
      ([index]) => journal.storesTo(index).findLast(({ sequence }) => sequence > count)?.label,
    );
    expect(changed.length).toBeGreaterThan(0);
    for (const label of labels) expect(names).toContain(label);
    expect(kernel.memory.ram.storeLabel).toBe('');
  };

  check(() => data(kernel, one, 64), 'create(0x40)');
  check(() => kernel.share(one, selectors[1], other), `share(0x${selectors[1].toString(16)})`);
  check(() => kernel.grow(one, selectors[0], 8 * KIB), `grow(0x${selectors[0].toString(16)}, 0x2000)`);
  check(() => kernel.swapOut(one, selectors[0]), `swapOut(0x${selectors[0].toString(16)})`);
  // Error code: the selector without its RPL.
  check(() => kernel.load(one, selectors[0], 0, 4), `fault(0x${(selectors[0] & ~3).toString(16)})`);
  check(() => kernel.load(other, 0x77, 0, 1), `switch to process(0x${other.pid.toString(16)})`);
  check(() => processes.push(alive(kernel.fork(one))), 'fork');
  check(() => kernel.store(one, selectors[0], 0, 4, 8), 'fault(0x0)', 'switch to process(0x1)');
  check(() => kernel.publish(one, selectors[2]), `publish(0x${selectors[2].toString(16)})`);
  check(() => kernel.remove(one, selectors[0]), `remove(0x${selectors[0].toString(16)})`);
  // A hole is below the others now.
  check(() => kernel.compact(), 'compact');
  // More descriptors than the table has room for: all of them move.
  check(() => Array.from({ length: 40 }, () => data(kernel, one, 128)), 'create(0x80)');
});
