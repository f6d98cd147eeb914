import { expect, it } from 'vitest';
import * as f from '../../../../src/kernel/abi/flags.js';
import { SEGV_MAPERR } from '../../../../src/kernel/abi/signal.js';
import { boot, GIB, MIB, peek, spawn } from '../machine.js';

const BASE = GIB;
const PAGE = 4096;

it('guard pages survive MADV_DONTNEED of the whole 2 MiB of their table: madvise(2), MADV_GUARD_INSTALL', () => {
  const kernel = boot();
  const process = spawn(kernel);
  kernel.mapRegion(process, BASE, 2 * MIB);
  kernel.store(process, BASE, 1, 5);
  expect(kernel.madvise(process, BASE + 7 * PAGE, PAGE, f.MADV_GUARD_INSTALL)).toBe(0);
  expect(kernel.madvise(process, BASE, 2 * MIB, f.MADV_DONTNEED)).toBe(0);
  expect(peek(kernel, process, BASE + 7 * PAGE)).toBe(SEGV_MAPERR);
  expect(peek(kernel, process, BASE)).toBe(0);
  expect(kernel.audit()).toEqual([]);
});

// Intel SDM vol. 3A, "Recommended Invalidation": the paging-structure caches may hold an entry that led to no page.
it('a table that goes away is invalidated, though no page was left in it', () => {
  const kernel = boot();
  const process = spawn(kernel);
  kernel.mapRegion(process, BASE, 2 * MIB);
  kernel.store(process, BASE, 1, 5);
  kernel.madvise(process, BASE, PAGE, f.MADV_DONTNEED);
  const { invlpg, tablesFreed } = kernel.counters;
  kernel.madvise(process, BASE, 2 * MIB, f.MADV_DONTNEED);
  expect(kernel.counters).toMatchObject({ invlpg: invlpg + 1, tablesFreed: tablesFreed + 1 });
});
