import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readCaches } from '../../../../src/host/calibrate/caches.js';
import { temporaryFolder } from '../../../folder.js';

function cpuWith(...caches: readonly (readonly [level: number, type: string, size: string, ways: number])[]): string {
  const folder = temporaryFolder();
  caches.forEach(([level, type, size, ways], i) => {
    mkdirSync(join(folder, `index${i}`));
    const files = { level, type, size, ways_of_associativity: ways };
    for (const [name, value] of Object.entries(files)) writeFileSync(join(folder, `index${i}`, name), `${value}\n`);
  });
  writeFileSync(join(folder, 'uevent'), '');
  return folder;
}

const L1 = [1, 'Data', '48K', 12] as const;
const CODE = [1, 'Instruction', '64K', 16] as const;
const L2 = [2, 'Unified', '2048K', 16] as const;

it('reads data caches, not those of instructions', () => {
  expect(readCaches(cpuWith(L1, CODE, L2, [3, 'Unified', '504M', 16]))).toEqual({
    l1: { bytes: 49152, ways: 12 },
    l2: { bytes: 2 ** 21, ways: 16 },
    l3: { bytes: 504 * 2 ** 20, ways: 16 },
  });
});

it('a third level may be missing, others may not', () => {
  expect(readCaches(cpuWith(L1, L2))?.l3).toBeNull();
  expect(readCaches(cpuWith(L1, CODE))).toBeUndefined();
  expect(readCaches(join(cpuWith(), 'none'))).toBeUndefined();
});
