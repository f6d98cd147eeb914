/** The cost of fork per present entry, the child's exit included. */

import { Ram } from '../hw/memory/ram.js';
import type { PagePolicy } from '../src/kernel/space/process.js';
import type { BenchTask } from './measure/measure.js';
import { ResidentProcess } from './measure/resident.js';

const MIB = 1 << 20;

function forkTask(pages: PagePolicy, mebibytes: number): BenchTask {
  const ram = new Ram({ bytes: 2 * mebibytes * MIB + 64 * MIB });
  const parent = new ResidentProcess({ ram, pages, bytes: mebibytes * MIB });
  return {
    name: `fork and exit, ${parent.entries} entries of ${pages}`,
    operations: parent.entries,
    run: () => {
      parent.kernel.exit(parent.fork());
    },
  };
}

/** A process of 64 MiB in 4 KiB pages, and one of 1 GiB in 2 MiB pages. */
export function forkTasks(): BenchTask[] {
  return [forkTask('4K', 64), forkTask('2M', 1024)];
}
