/** Random programs of each step, by seed. */

import type { Random } from '../../hw/base/random.js';
import { MOST_ORDER } from './engine/buddy-run.js';
import { wordsOf } from './engine/machines.js';
import type { CourseMachineName } from './engine/machines.js';
import type {
  BuddyOperation,
  BuddyProgram,
  MapOperation,
  MapProgram,
  MemoryOperation,
  MemoryProgram,
  TableOperation,
  WalkProgram,
} from './engine/program.js';
import type { CourseRegion } from './engine/student.js';

/** How to make a program of about `size` operations. */
export type ProgramMaker<Program> = (machine: CourseMachineName, random: Random, size: number) => Program;

const PAGE = 4096;
const MEBIBYTES_2 = 2 ** 21;
/** RAM of the programs with room enough. */
const FRAMES = 96;

/** RAM of the walks: 4 MiB, so that pages of 2 MiB lie in it. */
const WALKED_FRAMES = 1024;

const pick = <T>(random: Random, list: readonly T[]): T => list[random.below(list.length)];
const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

/** A page at a random place of the lower half, with different indexes at each level; not in its first or last table. */
function randomPage(machine: CourseMachineName, random: Random): number {
  const tables = wordsOf(machine).end / MEBIBYTES_2;
  return (1 + random.below(tables - 2)) * MEBIBYTES_2 + random.below(480) * PAGE;
}

/** The page whose last index differs in one bit. */
function flipped(page: number, bit: number): number {
  const index = (page / PAGE) % 512;
  return page + ((index ^ (1 << bit)) - index) * PAGE;
}

/** Addresses near each other: in one table, in neighbouring ones, or with nothing in common but the root. */
function somePages(machine: CourseMachineName, random: Random, count: number): number[] {
  const first = randomPage(machine, random);
  return times(count, (i) => {
    const kind = random.below(4);
    if (i === 0 || kind === 0) return first + random.below(8) * PAGE;
    if (kind === 1) return first + MEBIBYTES_2 * random.below(2) + random.below(8) * PAGE;
    return kind === 2 ? flipped(first, random.below(9)) : randomPage(machine, random);
  });
}

/** Tables with odd entries, and walks of them. */
export const walkProgram: ProgramMaker<WalkProgram> = (machine, random, size) => {
  const words = wordsOf(machine);
  const pages = somePages(machine, random, 3);
  const operations: TableOperation[] = [];
  const oddly = random.below(2) === 1;
  for (const at of pages) {
    const leaf = random.below(3) === 0 ? 1 + random.below(words.hugeLevels) : 0;
    for (let level = words.levels - 1; level > leaf; level--) {
      const flags = oddly ? pick(random, words.oddTables) : words.page.table;
      operations.push({ do: 'entry', at, level, flags, page: null });
    }
    const pagesInside = 512 ** leaf;
    const frame = Math.floor(random.below(WALKED_FRAMES) / pagesInside) * pagesInside;
    // RISC-V: a superpage must lie at a multiple of its size, or it is a page fault.
    const page = machine === 'sv39' && leaf > 0 && random.below(3) === 0 ? frame + 1 : frame;
    const flags = pick(random, words.oddPages) | (leaf > 0 ? words.huge : 0);
    operations.push({ do: 'entry', at, level: leaf, flags, page });
  }
  for (let i = 0; i < size; i++) {
    const far = random.below(4) === 0 ? random.below(2 ** 25) : random.below(PAGE);
    operations.push({ do: 'walk', at: pick(random, pages) + far, write: random.below(2) === 1 });
  }
  return { family: 'walk', machine, frames: WALKED_FRAMES, operations };
};

/** Pages mapped, read and written. */
export const mapProgram: ProgramMaker<MapProgram> = (machine, random, size) => {
  const pages = somePages(machine, random, 6);
  const operations = times(size, (i): MapOperation => {
    const at = pick(random, pages);
    const kind = i === 0 ? 0 : random.below(5);
    if (kind < 2) return { do: 'map', at, writable: random.below(3) > 0 };
    const byte = at + random.below(2) * (PAGE - 1);
    return kind === 2 ? { do: 'read', at: byte } : { do: 'write', at: byte, value: 1 + random.below(255) };
  });
  return { family: 'map', machine, frames: FRAMES, operations };
};

const region = (start: number, pages: number, words: Partial<CourseRegion> = {}): CourseRegion => ({
  start,
  end: start + pages * PAGE,
  writable: true,
  shared: false,
  global: false,
  ...words,
});

/** The pages of a process: private ones, shared ones, read-only ones, with gaps between. */
function usualRegions(machine: CourseMachineName, random: Random): CourseRegion[] {
  const page = randomPage(machine, random);
  // Half of the programs have a region across the end of a table.
  const base = random.below(2) === 0 ? page : page - (page % MEBIBYTES_2) + MEBIBYTES_2 - random.below(6) * PAGE;
  return [
    region(base, 4),
    region(base + 5 * PAGE, 2, { shared: true }),
    region(base + 8 * PAGE, 1, { writable: false }),
  ];
}

/** Chooses operations: how often each kind comes. */
interface Mix {
  readonly read: number;
  readonly write: number;
  readonly fill?: number;
  readonly fork?: number;
  readonly exit?: number;
  readonly discard?: number;
  readonly protect?: number;
  readonly processes: number;
}

function drawOperations(random: Random, regions: readonly CourseRegion[], mix: Mix, size: number): MemoryOperation[] {
  const alive = ['A'];
  let forks = 0;
  const { read, write, fill = 0, fork = 0, exit = 0, discard = 0, protect = 0, processes } = mix;
  const kinds = Object.entries({ read, write, fill, fork, exit, discard, protect }).flatMap(([kind, weight]) =>
    times(weight, () => kind),
  );
  const address = (): number => {
    const { start, end } = random.below(3) === 0 ? pick(random, regions) : regions[0];
    // Few pages, so that processes meet; now and then the gap behind.
    const pages = (end - start) / PAGE;
    const page = random.below(12) === 0 ? pages : random.below(pages <= 4 ? Math.min(pages, 3) : pages);
    return start + page * PAGE + random.below(2) * (PAGE - 1);
  };
  let by = 'A';
  let forked = false;
  const draw = (): MemoryOperation => {
    // Half of the time the same process goes on, and often it writes after a fork: without a switch nothing hides a stale entry.
    if (forked || random.below(2) === 0) by = alive.includes(by) ? by : alive[0];
    else by = pick(random, alive);
    if (forked && random.below(2) === 0) {
      forked = false;
      return { do: 'write', by, at: regions[0].start + random.below(2) * PAGE, value: 1 + random.below(255) };
    }
    forked = false;
    const kind = pick(random, kinds);
    const at = address();
    if (kind === 'fork' && alive.length < processes && forks < 25) {
      const child = String.fromCharCode('B'.charCodeAt(0) + forks++);
      alive.push(child);
      forked = true;
      return { do: 'fork', by, child };
    }
    if (kind === 'exit' && alive.length > 1) {
      alive.splice(alive.indexOf(by), 1);
      return { do: 'exit', by };
    }
    if (kind === 'fill') {
      const { start, end } = regions[0];
      const first = random.below(4);
      const pages = 1 + random.below((end - start) / PAGE - first);
      return { do: 'fill', by, at: start + first * PAGE, pages, value: random.below(256) };
    }
    if (kind === 'discard') return { do: 'discard', by, at: regions[0].start + random.below(4) * PAGE };
    if (kind === 'protect') {
      const changeable = regions.findIndex(({ global }) => global);
      const number = changeable >= 0 && random.below(2) === 0 ? changeable : 0;
      return { do: 'protect', by, region: number, writable: random.below(2) === 0 };
    }
    return kind === 'read' ? { do: 'read', by, at } : { do: 'write', by, at, value: 1 + random.below(255) };
  };
  return times(size, draw);
}

type Kind = Pick<MemoryProgram, 'tlb' | 'walksAhead' | 'reuse' | 'exits'>;
const PLAIN: Kind = { tlb: false, walksAhead: false, reuse: false, exits: true };

function memoryProgram(kind: Kind, mix: Mix, regionsOf = usualRegions): ProgramMaker<MemoryProgram> {
  return (machine, random, size) => {
    const regions = regionsOf(machine, random);
    const operations = drawOperations(random, regions, mix, size);
    return { family: 'memory', machine, frames: FRAMES, slots: 0, ...kind, regions, operations };
  };
}

/** One process: pages come when they are touched. */
export const demandProgram: ProgramMaker<MemoryProgram> = memoryProgram(
  { ...PLAIN, exits: false },
  { read: 2, write: 3, processes: 1 },
);

const FORKS: Mix = { read: 3, write: 6, fork: 3, exit: 2, processes: 4 };
/** Several processes. */
export const forkProgram: ProgramMaker<MemoryProgram> = memoryProgram(PLAIN, FORKS);
/** The same, and the last owner's write is watched. */
export const reuseProgram: ProgramMaker<MemoryProgram> = memoryProgram({ ...PLAIN, reuse: true }, FORKS);

const FLUSHING: Kind = { ...PLAIN, tlb: true, walksAhead: true };
const flushing = memoryProgram(FLUSHING, {
  read: 4,
  write: 6,
  fork: 2,
  exit: 1,
  discard: 2,
  protect: 2,
  processes: 3,
});
const flushingGlobals = memoryProgram(FLUSHING, { read: 4, write: 5, protect: 4, processes: 1 }, (machine, random) => {
  const base = randomPage(machine, random);
  return [region(base, 2, { global: true }), region(base + 3 * PAGE, 3)];
});

/** A machine with a TLB; every third program has one process, with a global region. */
export const flushProgram: ProgramMaker<MemoryProgram> = (machine, random, size) =>
  (random.below(3) > 0 ? flushing : flushingGlobals)(machine, random, size);

const SWAPPING_PROCESSES = 3;
const SWAP_PAGES = 16;

const swapping = memoryProgram(
  { ...PLAIN, tlb: true },
  { read: 5, write: 3, fill: 4, fork: 2, exit: 1, processes: SWAPPING_PROCESSES },
  (machine, random) => {
    const start = randomPage(machine, random);
    return [region(start - (start % MEBIBYTES_2) + random.below(400) * PAGE, SWAP_PAGES)];
  },
);

/** More pages than RAM: frames for the tables of three processes, and four more. */
export const swapProgram: ProgramMaker<MemoryProgram> = (machine, random, size) => ({
  ...swapping(machine, random, size),
  frames: 2 + SWAPPING_PROCESSES * wordsOf(machine).levels + 4,
  slots: SWAPPING_PROCESSES * SWAP_PAGES,
});

/** Blocks allocated and given back, some of them twice; the frames begin and end anywhere. */
export const buddyProgram: ProgramMaker<BuddyProgram> = (machine, random, size) => {
  const first = 2 + random.below(30);
  const count = 20 + random.below(100);
  let blocks = 0;
  const operations = times(size, (): BuddyOperation => {
    if (blocks === 0 || random.below(2) === 0) {
      return { do: 'allocate', block: blocks++, order: Math.min(random.below(4) + random.below(3), MOST_ORDER) };
    }
    return { do: 'free', block: random.below(blocks) };
  });
  return { family: 'buddy', machine, frames: first + count, first, count, operations };
};
