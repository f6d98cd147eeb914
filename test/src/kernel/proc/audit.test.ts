import { expect, it } from 'vitest';
import type { Kernel } from '../../../../src/kernel/kernel.js';
import type { Process } from '../../../../src/kernel/space/process.js';
import { alive, boot, GIB, spawn } from '../machine.js';

/** Frame of the page at 1 GiB. */
function frameOf(kernel: Kernel, process: Process): number {
  const { tables } = kernel.memory;
  return tables.frameAt(tables.find(process.space!, GIB, 12));
}

// An audit that says nothing to anything would let every other test pass.
it.each<[string, (kernel: Kernel, process: Process) => void, RegExp]>([
  ['resident pages', (_kernel, { space }) => space!.residentPages++, /1 pages are present, 2 are accounted/],
  ['tables', (_kernel, { space }) => space!.tables++, /4 tables are linked, 5 are accounted/],
  ['spare tables', (_kernel, { space }) => space!.deposit.push(0), /0 huge entries could be split, 1 tables/],
  [
    'a page that may be written and is not exclusive',
    (kernel, process) => {
      kernel.memory.frames.setExclusive(frameOf(kernel, process), false);
    },
    /writable, but frame \d+ is not exclusive/,
  ],
  [
    'a page that two processes map and one owns',
    (kernel, process) => {
      alive(kernel.fork(process));
      kernel.memory.frames.setExclusive(frameOf(kernel, process), true);
    },
    /exclusive, but mapped 2 times/,
  ],
  [
    'mappings',
    (kernel, process) => kernel.memory.frames.map[frameOf(kernel, process)]++,
    /1 entries map it, 2 are counted/,
  ],
  ['pins', (kernel, process) => kernel.memory.frames.pins[frameOf(kernel, process)]++, /1 pins are counted, 0 found/],
  ['frames that leak', (kernel) => kernel.memory.frames.allocate(0, 0), /is leaked: allocated, but nothing holds it/],
])('the audit notices wrong books: %s', (_what, spoil, problem) => {
  const kernel = boot();
  const process = spawn(kernel);
  kernel.mapRegion(process, GIB, 4096);
  kernel.store(process, GIB, 1, 5);
  expect(kernel.audit()).toEqual([]);
  spoil(kernel, process);
  expect(kernel.audit().join('\n')).toMatch(problem);
});

it('free blocks of all orders are all that is free', () => {
  const { buddy } = boot().memory.frames;
  expect(buddy.freeBlocks().reduce((sum, count, order) => sum + count * 2 ** order, 0)).toBe(buddy.free);
});

it('the audit counts huge entries among the mappings of a page that is exclusive', () => {
  const kernel = boot();
  const process = spawn(kernel, '2M');
  kernel.mapRegion(process, GIB, 2 ** 21);
  kernel.store(process, GIB, 1, 5);
  alive(kernel.fork(process));
  const { frames, tables } = kernel.memory;
  frames.setExclusive(tables.frameAt(tables.find(process.space!, GIB, 21)) & -512, true);
  expect(kernel.audit().join()).toMatch(/exclusive, but mapped 2 times/);
});
