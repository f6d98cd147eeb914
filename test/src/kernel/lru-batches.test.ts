import { expect, it } from 'vitest';
import { Ram } from '../../../hw/ram.js';
import { KernelCounters } from '../../../src/kernel/counters.js';
import { FRAME_ACTIVE, Frames } from '../../../src/kernel/frames.js';
import { LruBatches } from '../../../src/kernel/lru-batches.js';

function machine(): { frames: Frames; lru: LruBatches; listed: () => number; isActive: (head: number) => boolean } {
  const frames = new Frames(new Ram({ bytes: 1 << 22 }), new KernelCounters(), true);
  const lru = new LruBatches(frames);
  /** A folio that is on a list. */
  const listed = (): number => {
    const head = frames.allocate(0, 0);
    lru.addNew(head);
    lru.drain();
    return head;
  };
  return { frames, lru, listed, isActive: (head) => (frames.flags[head] & FRAME_ACTIVE) !== 0 };
}

it('a folio on a list that is used twice becomes active when its batch is emptied', () => {
  const { lru, listed, isActive } = machine();
  const head = listed();
  lru.markAccessed(head);
  lru.markAccessed(head);
  expect(isActive(head)).toBe(false);
  lru.drain();
  expect(isActive(head)).toBe(true);
});

it('a new folio that is used twice is active at once', () => {
  const { frames, lru, isActive } = machine();
  const head = frames.allocate(0, 0);
  lru.addNew(head);
  lru.markAccessed(head);
  lru.markAccessed(head);
  expect(isActive(head)).toBe(true);
});

it('a frame that was freed and given out again is not what it was', () => {
  const { frames, lru, listed, isActive } = machine();
  const head = listed();
  lru.markAccessed(head);
  lru.markAccessed(head);
  frames.release(head);
  expect(frames.allocate(0, 0)).toBe(head);
  lru.drain();
  expect(isActive(head)).toBe(false);
});

it('a full batch of 31 new folios goes to the list', () => {
  const { frames, lru } = machine();
  const heads = Array.from({ length: 31 }, () => frames.allocate(0, 0));
  for (const head of heads.slice(0, 30)) lru.addNew(head);
  expect(lru.isNew(heads[0])).toBe(true);
  lru.addNew(heads[30]);
  expect(heads.some((head) => lru.isNew(head))).toBe(false);
});
