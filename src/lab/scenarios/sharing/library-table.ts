/** A shared library under both schemes, in six aspects, each measured. */

import { PagedMachine } from '../../paged-machine.js';
import { SegmentMachine } from '../../segment-machine.js';
import type { Lab, Story } from '../../story.js';
import { countOf } from '../../../report/output/units.js';

const MIB = 2 ** 20;
const BYTES = 2 * MIB;
const PAGES = BYTES / 4096;
/** Pages of the library in use, in the aspect of partial loading. */
const USED = [0, 200, PAGES - 1];
const PROCESSES = 200;

/** The findings on one scheme, in the order of the six aspects. All but the last and `addresses` in bytes. */
interface Aspects {
  /** The thing with a mapping of its own. */
  readonly mappingUnit: number;
  /** Different addresses of the library in two processes. */
  readonly addresses: number;
  /** Tables of a process for it. */
  readonly tableBytes: number;
  /** In memory after {@link USED} have been read. */
  readonly loaded: number;
  /** Copied when one process changes one byte. */
  readonly updated: number;
  /** Different addresses in {@link PROCESSES} processes. */
  readonly randomPlaces: number;
}

function loadedPaged(): number {
  const machine = new PagedMachine(16 * MIB);
  const process = machine.spawn();
  const library = machine.kernel.files.open('libc', 'disk');
  machine.kernel.files.truncate(library, BYTES);
  const at = machine.map(process, BYTES, { rights: 'r-x', file: library });
  for (const page of USED) machine.load(process, at + page * 4096);
  return machine.dataFrames * 4096;
}

function randomPlaces(): number {
  const machine = new PagedMachine(32 * MIB, 7);
  const library = machine.file('libc', BYTES);
  const places = Array.from({ length: PROCESSES }, () => {
    return machine.map(machine.spawn(), BYTES, { rights: 'r-x', file: library });
  });
  return new Set(places).size;
}

function paged(machine: PagedMachine): Aspects {
  const library = machine.file('libc', BYTES);
  const [a, b] = [machine.spawn(), machine.spawn()];
  const tables = (): number => a.space?.tableBytes ?? 0;
  const without = tables();
  const inA = machine.map(a, BYTES, { file: library });
  const inB = machine.map(b, BYTES, { at: 2 ** 40, file: library });
  machine.touch(a, inA, PAGES);
  machine.touch(b, inB, PAGES);
  const tableBytes = tables() - without;
  const mapped = Array.from({ length: PAGES }, (_, page) => machine.frame(a, inA + page * 4096));
  machine.store(a, inA, 1);
  return {
    mappingUnit: BYTES / new Set(mapped).size,
    addresses: new Set([inA, inB]).size,
    tableBytes,
    loaded: loadedPaged(),
    updated: machine.kernel.counters.bytesCopied,
    randomPlaces: randomPlaces(),
  };
}

function loadedSegmented(): number {
  const machine = new SegmentMachine(2 * BYTES);
  const process = machine.spawn();
  const library = machine.create(process, 'code', BYTES, 'libc');
  machine.run((kernel) => kernel.swapOut(process, library));
  for (const page of USED) machine.load(process, library, page * 4096);
  return machine.usedBytes;
}

function segmented(machine: SegmentMachine): Aspects {
  const a = machine.spawn();
  const without = a.table.bytes;
  const library = machine.create(a, 'data', BYTES, 'libc');
  const tableBytes = a.table.bytes - without;
  const bases = Array.from({ length: PROCESSES }, () => {
    const process = machine.spawn();
    const selector = machine.share(a, library, process);
    machine.load(process, selector, 0);
    return machine.segment(process, selector).base;
  });
  // A change hidden from the other processes needs a copy of one's own.
  machine.run((kernel) => kernel.unshare(a, library));
  machine.store(a, library, 0, 1);
  return {
    mappingUnit: machine.segment(a, library).bytes,
    addresses: new Set(bases.slice(0, 2)).size,
    tableBytes,
    loaded: loadedSegmented(),
    updated: machine.kernel.counters.bytesCopied,
    randomPlaces: new Set(bases).size,
  };
}

interface Row {
  readonly key: keyof Aspects;
  readonly text: string;
  readonly unit: string;
  /** If the rule gives them. */
  readonly segments?: number;
  readonly pages?: number;
}

const ROWS: readonly Row[] = [
  {
    key: 'mappingUnit',
    text: 'Mapping unit: what can be put somewhere of its own',
    unit: 'byte',
    segments: BYTES,
    pages: 4096,
  },
  {
    key: 'addresses',
    text: 'Address: where two processes find it',
    unit: 'address',
    segments: 1,
    pages: 2,
  },
  { key: 'tableBytes', text: 'Table overhead for each process', unit: 'byte', segments: 8 },
  {
    key: 'loaded',
    text: `Partial loading: in memory after ${USED.length} of ${PAGES} pages were read`,
    unit: 'byte',
    segments: BYTES,
  },
  {
    key: 'updated',
    text: 'Update granularity: copied when one process changes one byte',
    unit: 'byte',
    segments: BYTES,
    pages: 4096,
  },
  {
    key: 'randomPlaces',
    text: `ASLR: addresses in ${PROCESSES} processes that share one copy`,
    unit: 'address',
    segments: 1,
    pages: PROCESSES,
  },
];

function show(story: Story, segments: Aspects, pages: Aspects): void {
  for (const row of ROWS) {
    const { key, text, unit } = row;
    const many = unit === 'byte' ? 'bytes' : 'different addresses';
    story.step(
      `${text}.`,
      `segments: ${countOf(segments[key], unit, many)}`,
      `pages: ${countOf(pages[key], unit, many)}`,
    );
    story.figure(`${key}Segments`, segments[key], row.segments);
    story.figure(`${key}Pages`, pages[key], row.pages);
  }
}

export const libraryTable: Lab = {
  name: 'library-table',
  title: 'A shared library under both schemes, in six aspects',
  run(story) {
    const segmentMachine = new SegmentMachine(4 * BYTES);
    const pagedMachine = new PagedMachine(32 * MIB);
    story.on(pagedMachine);
    show(story, segmented(segmentMachine), paged(pagedMachine));
    story.compare(segmentMachine.cost(), pagedMachine.cost());
  },
};
