import { expect, it } from 'vitest';
import { SHIFT_4K } from '../../../../hw/base/address.js';
import runSweepTask from '../../../../src/compare/sweep/sweep-task.js';

it.each([
  ['loads', 'zipf', '64x4'],
  ['loads and stores by turns', 'stream', '16x1'],
])('a shape counts %s the same beside one with a TLB for stores alone as by itself', async (_what, workload, tlb) => {
  const shape = { footprint: 2 ** 20, accesses: 5000 };
  const counts = (tlbs: readonly string[]) =>
    runSweepTask({ trace: { name: workload, workload, shape }, shift: SHIFT_4K, tlbs });
  const alone = [...(await counts([tlb])), ...(await counts(['ice-lake']))];
  expect(alone[0]).not.toEqual(alone[1]);
  expect(await counts([tlb, 'ice-lake'])).toEqual(alone);
});
