/** Fork costs one entry a resident page, and 512 times less with pages of 2 MiB; address space alone costs nothing. */

import { handleFault } from '../../../kernel/faults/fault.js';
import { must } from '../../../kernel/abi/must.js';
import type { Process } from '../../../kernel/space/process.js';
import { claims, says } from '../../chapter/words.js';
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
/** Pages resident in the sparse process, at equal distances. */
const SPARSE_PAGES = 1024;
const RESERVED = [64, 256, 1024, 4096].map((mib) => mib * MIB);

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

interface Sparse {
  readonly entries: number;
  readonly tables: number;
}

/** A process maps `bytes`, touches {@link SPARSE_PAGES} of them at equal distances, and forks. */
function sparse(bytes: number): Sparse {
  const machine = new PagedMachine(64 * MIB);
  const { kernel } = machine;
  const parent = machine.spawn();
  must(kernel.mapRegion(parent, AT, bytes));
  for (let i = 0; i < SPARSE_PAGES; i++) must(machine.store(parent, AT + i * (bytes / SPARSE_PAGES), 1));
  const before = kernel.counters.forkEntriesCopied;
  const child = machine.fork(parent);
  return { entries: kernel.counters.forkEntriesCopied - before, tables: (child.space?.tableBytes ?? 0) / 4096 };
}

function mappedOrResident(story: Story): void {
  const found = RESERVED.map(sparse);
  const wanted = RESERVED.map((bytes) => bytes / 4096);
  story.table(
    `Address space is not memory: ${formatCount(SPARSE_PAGES)} pages are in use, spread over more and more of it.`,
    {
      head: ['mapped', 'mapped / 4 KiB', 'entries copied', 'page tables'],
      rows: found.map(({ entries, tables }, i) => [
        formatBytes(RESERVED[i]),
        formatCount(wanted[i]),
        formatCount(entries),
        formatCount(tables),
      ]),
    },
  );
  story.why(
    'A page nobody has touched has no entry, and 512 such pages in a row have not even a table. Fork copies the entries that are present, and passes over the rest as Linux does. The tables grow until each page in use has one to itself.',
  );
  const { entries } = found[RESERVED.indexOf(GIB)];
  story.figure(
    'entriesSparse',
    `1 GiB mapped, ${formatCount(SPARSE_PAGES)} pages in use: entries copied`,
    entries,
    claims(
      'fork() overhead: O(page_table_entries) ≈ O(virtual_address_space / page_size)',
      entries === GIB / 4096,
      'only pages in use have entries; the chapter takes all of the address space for resident',
    ),
    SPARSE_PAGES,
  );
}

/** One write after a fork copies one page. */
function oneFault(story: Story): PagedMachine {
  const machine = new PagedMachine(16 * MIB);
  story.on(machine);
  const { process: parent, at } = machine.spawnFilled(FORKED);
  machine.restartMeter();
  const child = machine.fork(parent);
  machine.store(child, at, 1);
  const { bytesCopied, cowFaults } = machine.kernel.counters;
  story.step(
    'Afterwards each first write to a page copies that page.',
    `${cowFaults} fault: ${bytesCopied} bytes copied`,
  );
  story.figure(
    'bytesPerFault',
    'bytes copied by a write fault',
    bytesCopied / cowFaults,
    says('COW copy on write: O(page_size) = O(4096 bytes) per fault', '4096 bytes'),
  );
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
    story.table(
      'A process of 16 MiB to 4 GiB, all of it in use, forks: each page costs one entry. The memory doubles from row to row, and the bar gets one step longer each time that the entries of 4 KiB double.',
      {
        head: ['resident', 'entries of 4 KiB', 'entries of 2 MiB'],
        rows: SIZES.map((bytes, i) => [formatBytes(bytes), formatCount(small[i]), formatCount(large[i])]),
        bars: small.map((entries) => 1 + Math.log2(entries / small[0])),
      },
    );
    story.figure(
      'entries4K',
      '1 GiB in use, pages of 4 KiB: entries copied',
      small[gib],
      says('For 1GB address space with 4KB pages: ~262,144 entries', '~262,144'),
    );
    story.figure(
      'entries2M',
      '1 GiB in use, pages of 2 MiB: entries copied',
      large[gib],
      says('With 2MB huge pages: only ~512 entries', '~512'),
    );
    const worst = Math.max(bend(small), bend(large));
    story.step('The growth is a straight line.', `largest deviation from it: ${(worst * 100).toFixed(2)}%`);
    story.plot({
      x: 'GiB in use',
      y: 'entries copied',
      series: [
        { name: 'pages of 4 KiB', points: SIZES.map((bytes, i) => [bytes / GIB, small[i]]) },
        { name: 'pages of 2 MiB', points: SIZES.map((bytes, i) => [bytes / GIB, large[i]]) },
      ],
    });
    story.figure('deviationFromLinear', 'deviation from a straight line', worst, 0);
    const bytesOfEntries = small[gib] * 8;
    story.figure(
      'bytesOfEntries',
      '1 GiB in use: bytes of entries copied instead of 1 GiB',
      bytesOfEntries,
      claims('Fork is now O(page_table_size), not O(memory_size)!', bytesOfEntries * 512 === GIB),
    );
    mappedOrResident(story);
    const pages = oneFault(story);
    story.compare('A process with 4 MiB forks, and the child writes one byte.', segmented().cost(), pages.cost());
  },
};
