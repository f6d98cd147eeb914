import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { descendants, parseRollup } from '../../../src/host/memory-sampler.js';
import { temporaryFolder } from '../../folder.js';

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

it('reads the sums of smaps_rollup, and nothing from a process that has ended', () => {
  const text = `5581-7ffe ---p 00000000 00:00 0                          [rollup]
Rss:              131220 kB
Pss_Anon:         129000 kB
Anonymous:        129024 kB
LazyFree:              0 kB
AnonHugePages:    126976 kB
`;
  expect(parseRollup(text)).toEqual({ resident: 131220 * 1024, anonymous: 129024 * 1024, huge: 126976 * 1024 });
  expect(parseRollup('')).toBeUndefined();
});
