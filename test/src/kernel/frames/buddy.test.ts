import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ram } from '../../../../hw/memory/ram.js';
import { Buddy } from '../../../../src/kernel/frames/buddy.js';
import { ENOMEM } from '../../../../src/kernel/abi/errno.js';
import { GIB, MIB } from '../machine.js';
import { runs } from '../../../runs.js';

describe('the buddy allocator', () => {
  it('hands out aligned blocks that never overlap, and joins them all again', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 6 }), fc.nat()), { maxLength: 200 }), (steps) => {
        const buddy = new Buddy(new Ram({ bytes: MIB }));
        const before = buddy.freeBlocks();
        const held: { frame: number; order: number }[] = [];
        const owner = new Set<number>();
        for (const [allocate, order, choice] of steps) {
          if (allocate) {
            const frame = buddy.allocate(order);
            if (frame === ENOMEM) continue;
            expect(frame % (1 << order)).toBe(0);
            for (let i = frame; i < frame + (1 << order); i++) {
              expect(owner.has(i)).toBe(false);
              owner.add(i);
            }
            held.push({ frame, order });
          } else if (held.length > 0) {
            const [block] = held.splice(choice % held.length, 1);
            buddy.release(block.frame, block.order);
            for (let i = 0; i < 1 << block.order; i++) owner.delete(block.frame + i);
          }
          expect(buddy.free).toBe(buddy.managed - owner.size);
        }
        for (const { frame, order } of held) buddy.release(frame, order);
        expect(buddy.freeBlocks()).toEqual(before);
      }),
      { numRuns: runs(200), seed: 9 },
    );
  });

  it('has blocks of 1 GiB, keeps out of holes, and never hands out frame 0', () => {
    const ranges = [
      { base: 0, bytes: MIB },
      { base: GIB, bytes: GIB },
    ];
    const buddy = new Buddy(new Ram({ ranges }));
    expect(buddy.managed).toBe(MIB / 4096 - 1 + GIB / 4096);
    expect(buddy.allocate(18)).toBe(GIB / 4096);
    expect(buddy.allocate(18)).toBe(ENOMEM);
    const frames = new Set<number>();
    for (let frame = buddy.allocate(0); frame !== ENOMEM; frame = buddy.allocate(0)) frames.add(frame);
    expect([Math.min(...frames), Math.max(...frames), frames.size]).toEqual([1, 255, 255]);
  });

  it('leaves no link at a frame that it hands out: another may use its columns there', () => {
    const links = { next: new Int32Array(256), previous: new Int32Array(256) };
    const buddy = new Buddy(new Ram({ bytes: MIB }), links);
    const held = Array.from({ length: 200 }, () => buddy.allocate(0));
    for (const frame of held.filter((_, i) => i % 3 === 0)) buddy.release(frame, 0);
    const inUse = held.filter((_, i) => i % 3 !== 0);
    expect(inUse.filter((frame) => links.next[frame] !== 0 || links.previous[frame] !== 0)).toEqual([]);
    expect(links.next.some((link) => link !== 0)).toBe(true);
  });

  it('hands out frames in order from a fresh machine', () => {
    const buddy = new Buddy(new Ram({ bytes: MIB }));
    const frames = Array.from({ length: 255 }, () => buddy.allocate(0));
    expect(frames).toEqual(Array.from({ length: 255 }, (_, i) => i + 1));
  });
});

describe('frames for the kernel itself', () => {
  const PAGEBLOCK = 512;
  const make = (pageblocks: number): Buddy => new Buddy(new Ram({ bytes: 2 * MIB * pageblocks }));
  const pageblockOf = (frame: number): number => Math.floor(frame / PAGEBLOCK);

  it('lie side by side, apart from those for processes', () => {
    const buddy = make(8);
    const got = Array.from({ length: 600 }, (_, i) => ({ frame: buddy.allocate(0, i % 2 === 0), own: i % 2 === 0 }));
    const frames = got.filter(({ own }) => own).map(({ frame }) => frame);
    expect(frames).toEqual(Array.from({ length: 300 }, (_, i) => PAGEBLOCK + i));
    // A frame given back is for the same kind again.
    buddy.release(frames[7], 0);
    expect(pageblockOf(buddy.allocate(0))).not.toBe(1);
    expect(buddy.allocate(0, true)).toBe(frames[7]);
  });

  it('leave a pageblock to others once it is free as a whole', () => {
    const buddy = make(8);
    const before = buddy.freeBlocks();
    const frames = Array.from({ length: PAGEBLOCK }, () => buddy.allocate(0, true));
    expect(new Set(frames.map(pageblockOf))).toEqual(new Set([1]));
    for (const frame of frames) buddy.release(frame, 0);
    expect(buddy.freeBlocks()).toEqual(before);
    expect(buddy.allocate(9)).toBe(PAGEBLOCK);
  });

  it('are not kept apart in RAM of fewer than six pageblocks', () => {
    const buddy = make(5);
    expect([buddy.allocate(0, true), buddy.allocate(0), buddy.allocate(0, true)]).toEqual([1, 2, 3]);
  });

  it.each([true, false])('or those for processes get the smallest block of the others: own %s', (own) => {
    const buddy = make(6);
    while (buddy.free > 0) buddy.allocate(0, !own);
    const blocks = [PAGEBLOCK, 2 * PAGEBLOCK + 64];
    buddy.release(blocks[0], 3);
    buddy.release(blocks[1], 0);
    buddy.release(3 * PAGEBLOCK, 6);
    expect([buddy.allocate(0, own), buddy.allocate(0, own)]).toEqual(blocks.toReversed());
    expect(buddy.freeBlocks().slice(0, 7)).toEqual([1, 1, 1, 0, 0, 0, 1]);
  });

  it('and those for processes take what is left of each other: nobody is refused while a frame is free', () => {
    const kinds = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 800 })), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(kinds, fc.boolean(), (requests, last) => {
        const buddy = make(6);
        const before = buddy.freeBlocks();
        const held = requests.flatMap(([own, times]) => Array.from({ length: times }, () => buddy.allocate(0, own)));
        while (buddy.free > 0) held.push(buddy.allocate(0, last));
        expect(buddy.allocate(0, !last)).toBe(ENOMEM);
        expect(new Set(held.filter((frame) => frame >= 0)).size).toBe(buddy.managed);
        for (const frame of held) if (frame >= 0) buddy.release(frame, 0);
        expect(buddy.freeBlocks()).toEqual(before);
      }),
      { numRuns: runs(10), seed: 11 },
    );
  });
});

describe('frames that are asked for', () => {
  const FRAMES = 64;
  const make = (): Buddy => new Buddy({ frames: FRAMES, ranges: [{ base: 0, bytes: FRAMES * 4096 }] });

  it('are the next ones handed out, and join their buddies again when they are freed', () => {
    const frames = make();
    const before = frames.freeBlocks();
    expect(frames.ask([37, 5])).toBe(true);
    expect(frames.free).toBe(FRAMES - 3);
    const got = [frames.allocate(0), frames.allocate(0)];
    expect(got).toEqual([37, 5]);
    for (const frame of got) frames.release(frame, 0);
    expect(frames.freeBlocks()).toEqual(before);
  });

  it('must be free', () => {
    const frames = make();
    const taken = frames.allocate(0);
    expect(frames.ask([taken])).toBe(false);
    expect(frames.ask([0])).toBe(false);
  });
});
