import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AccessBlock, LOAD } from '../../../src/trace/block.js';
import { cutWindows, distanceAt, keepsWindow, type WindowPlan } from '../../../src/trace/windows.js';

/** A run whose access number `i` loads from address `i`, in blocks of `blockLength`. */
async function* runOf(accesses: number, blockLength: number): AsyncGenerator<AccessBlock> {
  const block = new AccessBlock();
  for (let i = 0; i < accesses; i++) {
    block.push(LOAD, 0, i, 1);
    if (block.length < blockLength && i < accesses - 1) continue;
    yield await Promise.resolve(block);
    block.clear();
  }
}

/** The accesses of each window of a run, by their numbers. */
async function windowsOf(accesses: number, blockLength: number, plan: WindowPlan): Promise<Map<number, number[]>> {
  const found = new Map<number, number[]>();
  for await (const block of cutWindows(runOf(accesses, blockLength), () => plan)) {
    const numbers = Array.from({ length: block.length }, (_, i) => block.addressLo(i));
    found.set(block.window, [...(found.get(block.window) ?? []), ...numbers]);
  }
  return found;
}

const plans = fc.record({
  from: fc.nat(300),
  length: fc.integer({ min: 1, max: 20 }),
  most: fc.integer({ min: 2, max: 9 }),
});

describe('windows', () => {
  it('hold the accesses from their places on, however the run comes in blocks', async () => {
    await fc.assert(
      fc.asyncProperty(
        plans,
        fc.integer({ min: 1, max: 900 }),
        fc.integer({ min: 1, max: 70 }),
        async (plan, n, by) => {
          for (const [start, numbers] of await windowsOf(n, by, plan)) {
            const end = Math.min(n, start + plan.length);
            expect(numbers).toEqual(Array.from({ length: end - start }, (_, i) => start + i));
          }
        },
      ),
    );
  });

  it('are never more than wanted, lie at even distances, and reach from the start to the end', async () => {
    await fc.assert(
      fc.asyncProperty(plans, fc.integer({ min: 1, max: 900 }), async (plan, beyond) => {
        const end = plan.from + beyond;
        const starts = [...(await windowsOf(end, 64, plan)).keys()];
        const last = starts.at(-1)!;
        const kept = starts.filter((start) => keepsWindow(plan, start, last));
        const distance = distanceAt(plan, last);
        expect(kept.length).toBeLessThanOrEqual(plan.most);
        expect(kept).toEqual(kept.map((_, i) => plan.from + distance * i));
        expect(end - last).toBeLessThanOrEqual(2 * distance);
        // At least half of what may be there is, once the run is long enough.
        if (beyond >= plan.most * plan.length) expect(kept.length).toBeGreaterThanOrEqual(plan.most / 2);
      }),
    );
  });

  it('are one, and that the whole run, where their length has no end', async () => {
    const found = await windowsOf(500, 64, { from: 30, length: Infinity, most: 1 });
    expect([...found].map(([start, numbers]) => [start, numbers.length])).toEqual([[30, 470]]);
  });
});
