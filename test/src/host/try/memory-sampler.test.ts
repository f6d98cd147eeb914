import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { descendants } from '../../../../src/host/try/memory-sampler.js';
import { temporaryFolder } from '../../../folder.js';

it('finds children and their children, whatever they call themselves', () => {
  const proc = temporaryFolder();
  const parents = { 10: 1, 20: 10, 30: 20, 40: 1, 50: 10, 60: 40 };
  for (const [pid, parent] of Object.entries(parents)) {
    mkdirSync(join(proc, pid));
    writeFileSync(join(proc, pid, 'stat'), `${pid} (a) S 99 (b c) R ${parent} 7 7 0`);
  }
  mkdirSync(join(proc, '70'));
  mkdirSync(join(proc, 'sys'));
  expect(descendants(10, proc).sort()).toEqual([20, 30, 50]);
  expect(descendants(30, proc)).toEqual([]);
});
