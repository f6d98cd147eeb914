/** A shared library under both schemes, in six aspects, each measured. */

import { claims } from '../../chapter/words.js';
import type { ChapterWords } from '../../chapter/words.js';
import { PagedMachine } from '../../paged-machine.js';
import { SegmentMachine } from '../../segment-machine.js';
import type { Lab, Story } from '../../story.js';
import { formatCount } from '../../../report/output/units.js';
import { DESCRIPTOR_BYTES } from '../../../segments/segment-table.js';

const MIB = 2 ** 20;
const BYTES = 2 * MIB;
const PAGES = BYTES / 4096;
/** Pages of the library in use, in the aspect of partial loading. */
const USED = [0, 200, PAGES - 1];
const PROCESSES = 200;
const ENTRY_BYTES = 8;

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
  const machine = new PagedMachine(32 * MIB, { seed: 7 });
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

function fixedPlaces(): number {
  const machine = new SegmentMachine(2 * BYTES);
  const owner = machine.spawn();
  const library = machine.create(owner, 'code', BYTES, 'libc');
  const bases = Array.from({ length: PROCESSES }, () => {
    const process = machine.spawn();
    return machine.segment(process, machine.share(owner, library, process)).base;
  });
  return new Set(bases).size;
}

function segmented(machine: SegmentMachine): Aspects {
  const a = machine.spawn();
  const without = a.table.bytes;
  const library = machine.create(a, 'data', BYTES, 'libc');
  const tableBytes = a.table.bytes - without;
  const b = machine.spawn();
  const inB = machine.share(a, library, b);
  machine.load(b, inB, 0);
  const addresses = new Set([machine.segment(a, library).base, machine.segment(b, inB).base]).size;
  // A change hidden from the other processes needs a copy of one's own.
  machine.run((kernel) => kernel.unshare(a, library));
  machine.store(a, library, 0, 1);
  return {
    mappingUnit: machine.segment(a, library).bytes,
    addresses,
    tableBytes,
    loaded: loadedSegmented(),
    updated: machine.kernel.counters.bytesCopied,
    randomPlaces: fixedPlaces(),
  };
}

interface Row {
  readonly key: keyof Aspects;
  readonly text: string;
  /** The figure in a few words. */
  readonly label: string;
  readonly unit: string;
  /** The cells of the chapter's table, tried on what was measured. */
  readonly segments: (found: number) => ChapterWords;
  readonly pages: (found: number) => ChapterWords;
  readonly why?: string;
}

const UPDATE = 'Update granularity | Entire library | Individual pages';

const ROWS: readonly Row[] = [
  {
    key: 'mappingUnit',
    text: 'Mapping unit: what can be put somewhere of its own',
    label: 'mapping unit in bytes',
    unit: 'byte',
    segments: (found) => claims('Entire library as one segment', found === BYTES),
    pages: (found) => claims('Library spans multiple pages', found < BYTES),
  },
  {
    key: 'addresses',
    text: 'Virtual address: where two processes find it',
    label: 'addresses in two processes',
    unit: 'address',
    segments: (found) => claims('Same in all processes (typically)', found === 1),
    pages: (found) => claims('Can differ (ASLR-compatible)', found > 1),
  },
  {
    key: 'tableBytes',
    text: 'Table overhead for each process',
    label: 'table bytes of a process',
    unit: 'byte',
    segments: (found) => claims('1 segment table entry', found === DESCRIPTOR_BYTES),
    pages: (found) => claims('Many page table entries', found >= PAGES * ENTRY_BYTES),
  },
  {
    key: 'loaded',
    text: `Partial loading: in memory after ${USED.length} of ${PAGES} pages were read`,
    label: `bytes in memory after ${USED.length} pages were read`,
    unit: 'byte',
    segments: (found) => claims('All or nothing', found === BYTES),
    pages: (found) => claims('Load pages on demand', found < BYTES),
    why: `${USED.length} pages are ${formatCount(USED.length * 4096)} bytes; the kernel reads ahead as Linux does. A miss in a mapped program reads the page and the 31 after it (128 KiB), and stops at the end of the mapping: pages 0 to 31, 200 to 231, and 511, which are 32 + 32 + 1 = 65 pages.`,
  },
  {
    key: 'updated',
    text: 'Update granularity: copied when one process changes one byte',
    label: 'bytes copied for a change of one byte',
    unit: 'byte',
    segments: (found) => claims(UPDATE, found === BYTES),
    pages: (found) => claims(UPDATE, found === 4096),
  },
  {
    key: 'randomPlaces',
    text: `ASLR support: addresses in ${PROCESSES} processes that share one copy`,
    label: `addresses in ${PROCESSES} processes`,
    unit: 'address',
    segments: (found) => claims('Difficult (fixed segment layout)', found === 1),
    pages: (found) => claims('Natural (any virtual address)', found === PROCESSES),
  },
];

function show(story: Story, segments: Aspects, pages: Aspects): void {
  for (const row of ROWS) {
    const { key, text, label, unit, why } = row;
    const found = [segments[key], pages[key]];
    story.table(`${text}.`, {
      head: ['by', unit === 'byte' ? 'bytes' : 'different addresses'],
      rows: [
        ['segments', formatCount(found[0])],
        ['pages', formatCount(found[1])],
      ],
      bars: found,
    });
    if (why !== undefined) story.why(why);
    story.figure(`${key}Segments`, `segments: ${label}`, segments[key], row.segments(segments[key]));
    story.figure(`${key}Pages`, `pages: ${label}`, pages[key], row.pages(pages[key]));
  }
  story.figure('readAheadPages', 'pages: pages in memory then, read-ahead included', pages.loaded / 4096, 65);
}

export const libraryTable: Lab = {
  name: 'library-table',
  title: 'A shared library under both schemes, in six aspects',
  run(story) {
    const segmentMachine = new SegmentMachine(4 * BYTES);
    const pagedMachine = new PagedMachine(32 * MIB);
    story.on(pagedMachine);
    show(story, segmented(segmentMachine), paged(pagedMachine));
    story.compare(
      'Two processes share the library, and one changes a byte of it.',
      segmentMachine.cost(),
      pagedMachine.cost(),
    );
  },
};
