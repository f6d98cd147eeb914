/** Machines as the kernel leaves them after a story: what `pagewalk walk --lab` walks. */

import { Core } from '../../hw/core.js';
import { Mmu } from '../../hw/mmu.js';
import { Ram } from '../../hw/ram.js';
import { PROT_READ } from '../kernel/flags.js';
import { Kernel } from '../kernel/kernel.js';
import type { SpawnOptions } from '../kernel/kernel.js';
import type { Process } from '../kernel/process.js';
import { must } from '../lab/must.js';
import type { DemoAddress } from './demo-states.js';

/** A story that leaves a machine behind, and addresses of it that are worth a walk. */
export interface KernelState {
  readonly name: string;
  readonly title: string;
  readonly addresses: readonly Pick<DemoAddress, 'address' | 'about'>[];
  /** Plays the story; the process that ran last still has the processor. */
  readonly build: () => Mmu;
}

const RAM_BYTES = 2 ** 26;
const PAGE = 4096;
const DATA = 0x60_1000;
const HUGE = 0x80_0000;
const HUGE_BYTES = 2 ** 21;

/** A process with `bytes` of anonymous memory at `start`, on a machine of its own. */
function boot(start: number, bytes: number, options: SpawnOptions = {}): [Mmu, Kernel, Process] {
  const mmu = new Mmu({ ram: new Ram({ bytes: RAM_BYTES }) });
  const kernel = new Kernel({ processor: new Core(mmu) });
  const process = must(kernel.spawn(options));
  must(kernel.mapRegion(process, start, bytes));
  return [mmu, kernel, process];
}

function demand(): Mmu {
  const [mmu, kernel, process] = boot(DATA, 3 * PAGE);
  must(kernel.load(process, DATA, 8));
  must(kernel.store(process, DATA + PAGE, 8, 1));
  return mmu;
}

function fork(): Mmu {
  const [mmu, kernel, parent] = boot(DATA, 2 * PAGE);
  must(kernel.store(parent, DATA, 8, 1));
  must(kernel.store(parent, DATA + PAGE, 8, 2));
  const child = must(kernel.fork(parent));
  must(kernel.store(child, DATA + PAGE, 8, 3));
  must(kernel.load(child, DATA, 8));
  return mmu;
}

function huge(): Mmu {
  const [mmu, kernel, process] = boot(HUGE, 2 * HUGE_BYTES, { pages: '2M' });
  must(kernel.store(process, HUGE, 8, 1));
  must(kernel.store(process, HUGE + HUGE_BYTES, 8, 1));
  // One page of the second 2 MiB loses its rights to write, so the huge page is split.
  must(kernel.mprotect(process, HUGE + HUGE_BYTES, PAGE, PROT_READ));
  must(kernel.load(process, HUGE, 8));
  return mmu;
}

export const KERNEL_STATES: readonly KernelState[] = [
  {
    name: 'demand',
    title: 'a process that touched two of its three pages',
    addresses: [
      { address: '0x601000', about: 'read only so far: the page of zeros' },
      { address: '0x602000', about: 'written: a page of its own' },
      { address: '0x603000', about: 'never touched: nothing is there yet' },
    ],
    build: demand,
  },
  {
    name: 'fork',
    title: 'a child after fork and one write',
    addresses: [
      { address: '0x601000', about: 'shared with the parent, so read-only' },
      { address: '0x602000', about: 'written by the child: its own copy' },
    ],
    build: fork,
  },
  {
    name: 'huge',
    title: 'a process with a huge page, and one that was split',
    addresses: [
      { address: '0x800000', about: '2 MiB by one entry' },
      { address: '0xa00000', about: 'read-only after mprotect' },
      { address: '0xa01000', about: 'the rest of the page that was split' },
    ],
    build: huge,
  },
];
