/** What does fork cost per present entry, the child's exit included? */

import { Core } from '../hw/core.js';
import { Mmu } from '../hw/mmu.js';
import { Ram } from '../hw/ram.js';
import { Kernel } from '../src/kernel/kernel.js';
import type { PagePolicy, Process } from '../src/kernel/process.js';
import type { BenchTask } from './measure.js';

const MIB = 1 << 20;
const BASE = 2 ** 40;

function must<T>(value: T | number, what: string): T {
  if (typeof value === 'number') throw new Error(`${what} failed with ${value}`);
  return value;
}

function forkTask(pages: PagePolicy, mebibytes: number): BenchTask {
  const kernel = new Kernel({
    processor: new Core(new Mmu({ ram: new Ram({ bytes: 2 * mebibytes * MIB + 64 * MIB }) })),
  });
  const parent: Process = must(kernel.spawn({ pages }), 'spawn');
  if (kernel.mapRegion(parent, BASE, mebibytes * MIB) < 0) throw new Error('mapping failed');
  const step = pages === '4K' ? 4096 : 2 * MIB;
  for (let offset = 0; offset < mebibytes * MIB; offset += step) kernel.store(parent, BASE + offset, 4, 1);
  const entries = (mebibytes * MIB) / step;
  return {
    name: `fork and exit, ${entries} entries of ${pages}`,
    operations: entries,
    run: () => {
      kernel.exit(must(kernel.fork(parent), 'fork'));
    },
  };
}

/** A process of 64 MiB in 4 KiB pages, and one of 1 GiB in 2 MiB pages. */
export function forkTasks(): BenchTask[] {
  return [forkTask('4K', 64), forkTask('2M', 1024)];
}
