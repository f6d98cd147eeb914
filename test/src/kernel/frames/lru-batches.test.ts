import { describe, expect, it } from 'vitest';
import { Ram } from '../../../../hw/memory/ram.js';
import { KernelCounters } from '../../../../src/kernel/frames/counters.js';
import { FRAME_ACTIVE, FRAME_MLOCKED, Frames } from '../../../../src/kernel/frames/frames.js';
import { LruBatches } from '../../../../src/kernel/frames/lru-batches.js';

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

it('a new folio that was freed is not in the batch any more: the next one of its frame is there once', () => {
  const { frames, lru } = machine();
  const head = frames.allocate(0, 0);
  lru.addNew(head);
  frames.release(head);
  expect(frames.allocate(0, 0)).toBe(head);
  expect(lru.isNew(head)).toBe(false);
  lru.addNew(head);
  expect(lru.references(head)).toBe(1);
});

it('a full batch of 31 new folios goes to the list', () => {
  const { frames, lru } = machine();
  const heads = Array.from({ length: 31 }, () => frames.allocate(0, 0));
  for (const head of heads.slice(0, 30)) lru.addNew(head);
  expect(lru.isNew(heads[0])).toBe(true);
  lru.addNew(heads[30]);
  expect(heads.some((head) => lru.isNew(head))).toBe(false);
});

it("a folio on a list that is active stops to be once MADV_COLD's batch is emptied", () => {
  const { lru, listed, isActive } = machine();
  const head = listed();
  for (let i = 0; i < 2; i++) lru.markAccessed(head);
  lru.drain();
  lru.markUnused(head);
  expect(isActive(head)).toBe(true);
  expect(lru.references(head)).toBe(1);
  lru.drain();
  expect(isActive(head)).toBe(false);
  expect(lru.references(head)).toBe(0);
});

it('a folio that waits in several batches is referred to by each', () => {
  const { lru, listed } = machine();
  const head = listed();
  for (let i = 0; i < 2; i++) lru.markAccessed(head);
  lru.addLazyFree(head);
  lru.lock(head);
  expect(lru.references(head)).toBe(3);
  lru.drain();
  expect(lru.references(head)).toBe(0);
});

it('one batch that is full is emptied alone: another still refers to the folio', () => {
  const { lru, listed } = machine();
  const head = listed();
  for (let i = 0; i < 2; i++) lru.markAccessed(head);
  for (let i = 0; i < 31; i++) lru.unlock(head);
  expect(lru.references(head)).toBe(1);
});

it('a locked folio is never active, and MADV_FREE passes it by', () => {
  const { lru, listed, isActive } = machine();
  const head = listed();
  lru.lock(head);
  lru.drain();
  for (let i = 0; i < 4; i++) lru.markAccessed(head);
  lru.addLazyFree(head);
  expect(lru.references(head)).toBe(0);
  lru.drain();
  expect(isActive(head)).toBe(false);
});

describe('locks of a folio are counted', () => {
  const isLocked = (frames: Frames, head: number): boolean => (frames.flags[head] & FRAME_MLOCKED) !== 0;

  it('one on a list: two locks need two unlocks', () => {
    const { frames, lru, listed } = machine();
    const head = listed();
    for (let i = 0; i < 2; i++) lru.lock(head);
    lru.unlock(head);
    lru.drain();
    expect(isLocked(frames, head)).toBe(true);
    lru.unlock(head);
    lru.drain();
    expect(isLocked(frames, head)).toBe(false);
  });

  it('a new one of a file: its lock counts once it is on a list', () => {
    const { frames, lru } = machine();
    const head = frames.allocate(0, 0);
    lru.addNew(head);
    lru.lock(head);
    lru.drain();
    lru.unlock(head);
    lru.drain();
    expect(isLocked(frames, head)).toBe(false);
  });

  it('a full batch of locks leaves those of new folios uncounted: one unlock takes all', () => {
    const { frames, lru, listed } = machine();
    const other = listed();
    const head = frames.allocate(0, 0);
    lru.addNew(head);
    for (let i = 0; i < 31; i++) lru.lock(head);
    lru.unlock(head);
    for (let i = 0; i < 30; i++) lru.unlock(other);
    expect(isLocked(frames, head)).toBe(false);
  });

  it.each([
    [
      'unlocked',
      (_frames: Frames, lru: LruBatches, head: number) => {
        lru.unlock(head);
        lru.drain();
      },
    ],
    [
      'freed and given out again',
      (frames: Frames, _lru: LruBatches, head: number) => {
        frames.release(head);
        expect(frames.allocate(0, 0)).toBe(head);
      },
    ],
    [
      'unlocked and locked in one batch',
      (_frames: Frames, lru: LruBatches, head: number) => {
        lru.unlock(head);
        lru.lock(head);
        lru.drain();
      },
    ],
  ])('from the beginning once it was %s', (_what, end) => {
    const { frames, lru, listed } = machine();
    const head = listed();
    lru.lock(head);
    lru.drain();
    end(frames, lru, head);
    lru.lock(head);
    lru.drain();
    expect(isLocked(frames, head)).toBe(true);
    lru.unlock(head);
    lru.drain();
    expect(isLocked(frames, head)).toBe(false);
  });

  it('an unlock between two locks in one batch: the page is not locked', () => {
    const { frames, lru, listed } = machine();
    const head = listed();
    lru.lock(head);
    lru.drain();
    lru.unlock(head);
    lru.lock(head);
    lru.drain();
    expect(isLocked(frames, head)).toBe(false);
  });
});

it('new folios of others put those that wait on their lists, and leave the other batches', () => {
  const { frames, lru, listed } = machine();
  const freed = listed();
  lru.addLazyFree(freed);
  const head = frames.allocate(0, 0);
  lru.addNew(head);
  lru.fillWithOthers();
  expect(lru.isNew(head)).toBe(false);
  expect(lru.references(freed)).toBe(1);
});
