import { expect, test } from 'vitest';
import { fromBigInt, parseAddress } from '../../../hw/address.js';
import { KERNEL_STATES } from '../../../src/explain/kernel-states.js';
import type { AccessKind } from '../../../src/explain/machine-state.js';
import { explainWalk } from '../../../src/explain/walk.js';
import type { WalkResult } from '../../../src/explain/walk-result.js';

function walk(name: string, address: bigint, access: AccessKind): WalkResult {
  const state = KERNEL_STATES.find((candidate) => candidate.name === name)!;
  return explainWalk(state.build(), { ...fromBigInt(address), access, user: true });
}

test('after fork a page that is still shared may be read and not written', () => {
  expect(walk('fork', 0x601000n, 'read').outcome.kind).toBe('mapped');
  expect(walk('fork', 0x601000n, 'write').outcome).toMatchObject({ kind: 'fault', errorCode: 7 });
  expect(walk('fork', 0x602000n, 'write').outcome.kind).toBe('mapped');
});

test('memory that was never touched has no entry', () => {
  expect(walk('demand', 0x603000n, 'read').outcome).toMatchObject({ kind: 'fault', errorCode: 4 });
});

test('a huge page is one entry, and a split one 512', () => {
  expect(walk('huge', 0x800000n, 'read').outcome).toMatchObject({ page: '2M' });
  expect(walk('huge', 0xa01000n, 'write').outcome).toMatchObject({ page: '4K' });
  expect(walk('huge', 0xa00000n, 'write').outcome).toMatchObject({ kind: 'fault', errorCode: 7 });
});

test('every address that is named can be walked', () => {
  for (const { name, addresses } of KERNEL_STATES) {
    for (const { address } of addresses) {
      expect(parseAddress(address)).toBeDefined();
      expect(walk(name, BigInt(address), 'read').levels.length).toBeGreaterThan(2);
    }
  }
});
