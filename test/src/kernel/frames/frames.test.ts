import { expect, it } from 'vitest';
import { Ram } from '../../../../hw/memory/ram.js';
import { KernelCounters } from '../../../../src/kernel/frames/counters.js';
import { FRAME_ANON, FRAME_TABLE, Frames } from '../../../../src/kernel/frames/frames.js';
import { MIB } from '../machine.js';

const PAGES = 2 ** 48;

it.each([0, 2 ** 31, 2 ** 35 + 7, PAGES - 1])('a folio knows the page offset %d of its owner', (index) => {
  const frames = new Frames(new Ram({ bytes: MIB }), new KernelCounters(), true);
  const head = frames.allocate(0, FRAME_ANON);
  frames.setOwner(head, 9, index);
  expect([frames.owner[head], frames.indexOf(head)]).toEqual([9, index]);
});

it('a folio freed and allocated again has no owner', () => {
  const frames = new Frames(new Ram({ bytes: MIB }), new KernelCounters(), true);
  for (let round = 0; round < 3; round++) {
    const heads = Array.from({ length: 10 }, () => frames.allocate(0, FRAME_ANON));
    expect(heads.map((head) => [frames.owner[head], frames.indexOf(head)])).toEqual(heads.map(() => [0, 0]));
    for (const head of heads) frames.setOwner(head, 3, PAGES - 1);
    for (const head of heads) frames.release(head);
  }
});

it('page tables lie side by side, whatever pages are allocated between them', () => {
  const frames = new Frames(new Ram({ bytes: 16 * MIB }), new KernelCounters(), true);
  const tables = Array.from({ length: 8 }, () => {
    frames.allocate(0, FRAME_ANON);
    return frames.allocate(0, FRAME_TABLE);
  });
  expect(tables.map((table) => table - tables[0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});
