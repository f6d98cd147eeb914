/** Fork costs one entry a page: linear in the memory of the process, and 512 times less with pages of 2 MiB. */

import { handleFault } from '../../../kernel/faults/fault.js';
import { must } from '../../../kernel/abi/must.js';
import type { Process } from '../../../kernel/space/process.js';
import { PagedMachine } from '../../paged-machine.js';
import { SegmentMachine } from '../../segment-machine.js';
import type { Lab, Story } from '../../story.js';
import { formatBytes, formatCount } from '../../../report/output/units.js';

const MIB = 2 ** 20;
const SIZES = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096].map((mib) => mib * MIB);
const GIB = 1024 * MIB;
/** Forked by both schemes, for the comparison at the end. */
const FORKED = 4 * MIB;
const AT = 2 ** 40;
/** Characters of the first bar, and of each doubling. */
const BAR = 4;

interface Series {
  readonly entries: readonly number[];
  readonly machine: PagedMachine;
}

/** Faults in every page of `[from, to)` as a write would, without an access. */
function makeResident(machine: PagedMachine, process: Process, from: number, to: number, page: number): void {
  const vma = process.space?.vmas.at(from);
  if (vma === undefined) throw new RangeError(`nothing is mapped at ${from}`);
  for (let address = from; address < to; address += page) must(handleFault(machine.kernel.memory, vma, address, true));
}

/** Grows one process through all sizes, and forks it at each. */
function series(pages: '4K' | '2M'): Series {
  const machine = new PagedMachine(5 * GIB);
  const { kernel } = machine;
  const parent = machine.spawn(pages);
  const page = pages === '4K' ? 4096 : 2 * MIB;
  let mapped = 0;
  const entries = SIZES.map((bytes) => {
    must(kernel.mapRegion(parent, AT + mapped, bytes - mapped));
    makeResident(machine, parent, AT + mapped, AT + bytes, page);
    mapped = bytes;
    const before = kernel.counters.forkEntriesCopied;
    machine.exit(machine.fork(parent));
    return kernel.counters.forkEntriesCopied - before;
  });
  return { entries, machine };
}

/** The largest deviation from a straight line through 0, as a share. */
function bend(entries: readonly number[]): number {
  const slope = entries[entries.length - 1] / SIZES[SIZES.length - 1];
  return Math.max(...entries.map((count, i) => Math.abs(count / (slope * SIZES[i]) - 1)));
}

/** A row of the table; the bar grows by the same length each time the entries double. */
function row(bytes: number, small: number, large: number, least: number): string {
  const bar = '#'.repeat(Math.round(BAR * (1 + Math.log2(small / least))));
  return `${formatBytes(bytes).padStart(8)} ${formatCount(small).padStart(10)} ${formatCount(large).padStart(6)}  ${bar}`;
}

/** One write after a fork copies one page. */
function oneFault(story: Story): PagedMachine {
  const machine = new PagedMachine(16 * MIB);
  story.on(machine);
  const parent = machine.spawn();
  const at = machine.map(parent, FORKED);
  machine.fill(parent, at, FORKED / 4096);
  machine.restartMeter();
  const child = machine.fork(parent);
  machine.store(child, at, 1);
  const { bytesCopied, cowFaults } = machine.kernel.counters;
  story.step(
    'Afterwards each first write to a page copies that page.',
    `${cowFaults} fault: ${bytesCopied} bytes copied`,
  );
  story.figure('bytesPerFault', bytesCopied / cowFaults, 4096);
  return machine;
}

function segmented(): SegmentMachine {
  const machine = new SegmentMachine(16 * MIB);
  const parent = machine.spawn();
  const data = machine.create(parent, 'data', FORKED, 'data');
  machine.restartMeter();
  machine.store(machine.fork(parent), data, 0, 1);
  return machine;
}

export const forkCostLab: Lab = {
  name: 'fork-cost',
  title: 'What fork costs, and how it grows',
  run(story) {
    const small = series('4K').entries;
    const large = series('2M').entries;
    const gib = SIZES.indexOf(GIB);
    story.step(
      'A process of 16 MiB to 4 GiB forks: each page costs one entry. The memory doubles from row to row, and the bar gets one step longer each time that the entries double.',
      `${'resident'.padStart(8)} ${'4 KiB'.padStart(10)} ${'2 MiB'.padStart(6)}  entries of 4 KiB`,
      ...SIZES.map((bytes, i) => row(bytes, small[i], large[i], small[0])),
    );
    story.figure('entries4K', small[gib], 262144);
    story.figure('entries2M', large[gib], 512);
    const worst = Math.max(bend(small), bend(large));
    story.step('The growth is a straight line.', `largest deviation from it: ${(worst * 100).toFixed(2)}%`);
    story.figure('deviationFromLinear', worst, 0);
    const pages = oneFault(story);
    story.compare(segmented().cost(), pages.cost());
  },
};
