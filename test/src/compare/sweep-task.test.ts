import { expect, it } from 'vitest';
import { SHIFT_4K } from '../../../hw/address.js';
import runSweepTask from '../../../src/compare/sweep-task.js';

it('a shape counts the same beside one with a TLB for stores alone as by itself', async () => {
  const shape = { footprint: 2 ** 20, accesses: 5000 };
  const counts = (tlbs: readonly string[]) =>
    runSweepTask({ trace: { name: 'zipf', workload: 'zipf', shape }, shift: SHIFT_4K, tlbs });
  const alone = [...(await counts(['64x4'])), ...(await counts(['ice-lake']))];
  expect(alone[0]).not.toEqual(alone[1]);
  expect(await counts(['64x4', 'ice-lake'])).toEqual(alone);
});
