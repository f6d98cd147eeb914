import { expect, it } from 'vitest';
import { parseAddress } from '../../../../hw/base/address.js';
import { demoState, LIBRARY } from '../../../../src/explain/demo-states.js';
import { buildMachine } from '../../../../src/explain/machine.js';
import { explainWalk } from '../../../../src/explain/walk/walk.js';
import { walkText } from '../../../../src/explain/walk/walk-text.js';
import { whyWalked } from '../../../../src/explain/walk/why-walked.js';

it('says why the first write walks although it hits, and nothing of other accesses', () => {
  const { mmu } = buildMachine(demoState('4l'));
  const address = parseAddress(LIBRARY['4l'])!;
  const accesses = (['read', 'read', 'write', 'write'] as const).map((access) =>
    explainWalk(mmu, { ...address, access, user: true }),
  );
  expect(accesses.map(({ tlb }) => tlb.answer)).toEqual(['miss', 'L1 hit', 'L1 hit', 'L1 hit']);
  expect(accesses.map((result) => whyWalked(result) !== undefined)).toEqual([false, false, true, false]);
  expect(walkText(accesses[2])).toMatch(/^Sets +D in the PT entry\nWhy +The TLB has the page, but not as dirty\./m);
  expect(walkText(accesses[3])).not.toContain('Why');
});
