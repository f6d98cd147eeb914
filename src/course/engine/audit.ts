/** Counts all frames again from the tables of the living processes, and compares with those allocated. */

import { toHex } from '../../../hw/index.js';
import type { CourseProcess } from './student.js';
import { FindingError } from './finding.js';
import { regionAt } from './program.js';
import { GARBAGE_ENTRY } from './world.js';
import type { World } from './world.js';

/** The way to a frame: an entry, and the address mapped by it. */
interface Way {
  readonly process: CourseProcess;
  readonly entryAt: number;
  readonly entry: number;
  readonly level: number;
  /** The number of the store that made it. */
  readonly sequence: number;
  /** The first address below the entry. */
  readonly address: number;
}

/** All ways to frames, in the tables of some processes. */
export type Ways = ReadonlyMap<number, readonly Way[]>;

/** `the entry 0x5007 at 0x3000, stored by fork(A, B) in line 3`. */
function nameEntry(world: World, { entryAt, entry }: Way): string {
  const by =
    entry === GARBAGE_ENTRY
      ? 'which nobody stored: the table was not cleared'
      : `stored by ${authorOf(world, entryAt)}`;
  return `the entry ${toHex(entry)} at ${toHex(entryAt)}, ${by}`;
}

function authorOf(world: World, entryAt: number): string {
  return world.storeTo(entryAt)?.label ?? 'nobody';
}

/** Every present entry of a process; a table reached twice is looked at once. */
function collect(world: World, process: CourseProcess, ways: Map<number, Way[]>): void {
  const { ram } = world;
  const { words } = world.hardware;
  const seen = new Set<number>();
  const table = (frame: number, level: number, base: number): void => {
    if (seen.has(frame)) return;
    seen.add(frame);
    for (let i = 0; i < 512; i++) {
      const at = frame * 4096 + i * 8;
      // P of x86 and V of RISC-V are bit 0. Nearly all entries are empty.
      if ((ram.words[at / 4] & 1) === 0) continue;
      const entry = world.entryAt(at);
      const to = words.frameOf(entry);
      const address = base + i * 2 ** (12 + 9 * level);
      const way = { process, entryAt: at, entry, level, address, sequence: world.storeTo(at)?.sequence ?? 0 };
      ways.set(to, [...(ways.get(to) ?? []), way]);
      if (!world.frames.takenBy.has(to)) {
        const gone = world.ram.hasFrame(to)
          ? `frame ${to}, which ${world.frames.absence(to)}`
          : 'an address without RAM';
        throw new FindingError('bad table', `${nameEntry(world, way)}, leads to ${gone}`);
      }
      if (!words.isLeaf(entry, level)) table(to, level - 1, address);
    }
  };
  table(process.root, words.levels - 1, 0);
}

/**
 * Holds the tables to the frames.
 * @param before the ways of the audit before, to name the end of a leaked frame's last one
 * @param kept frames of the program itself
 * @throws FindingError with the first thing wrong
 */
export function auditFrames(world: World, before: Ways, kept: ReadonlySet<number>): Ways {
  const { words } = world.hardware;
  const ways = new Map<number, Way[]>();
  for (const process of world.processes) collect(world, process, ways);
  const roots = new Set(world.processes.map(({ root }) => root));
  for (const [frame, by] of ways) {
    const pages = by.filter(({ entry, level }) => words.isLeaf(entry, level));
    const tables = by.length - pages.length;
    if (tables > 1 || (tables > 0 && pages.length > 0) || roots.has(frame)) {
      throw new FindingError(
        'bad table',
        `frame ${frame} is a table, and ${nameEntry(world, by[by.length - 1])}, leads to it too`,
      );
    }
    for (const way of pages) checkPage(world, way, frame, pages.length);
  }
  for (const [frame, label] of world.frames.takenBy) {
    if (!ways.has(frame) && !roots.has(frame) && !kept.has(frame)) throw leaked(world, frame, label, before.get(frame));
  }
  return ways;
}

/** A page belongs to a region; a private one is writable in one place alone. */
function checkPage(world: World, way: Way, frame: number, ways: number): void {
  const { process, address, entry } = way;
  if (process.regions.length === 0) return;
  const region = regionAt(process.regions, address);
  const writable = (entry & world.hardware.words.writable) !== 0;
  if (region === undefined) {
    throw new FindingError(
      'bad table',
      `${nameEntry(world, way)}, maps ${toHex(address)} of ${process.name}, outside all regions`,
    );
  }
  if (writable && !region.writable) {
    throw new FindingError(
      'bad table',
      `${nameEntry(world, way)}, lets ${process.name} write to a read-only region at ${toHex(address)}`,
    );
  }
  if (writable && !region.shared && ways > 1) {
    const what = `${nameEntry(world, way)}, lets ${process.name} write to frame ${frame}, and ${ways} entries lead to it`;
    throw new FindingError('bad table', what);
  }
}

function leaked(world: World, frame: number, label: string, before: readonly Way[] | undefined): FindingError {
  const last = before?.at(-1);
  const end = last === undefined ? 'and no entry leads to it' : `${endOf(world, last)}, and nobody gave it back`;
  return new FindingError('leaked frame', `frame ${frame} is leaked: allocated by ${label}, ${end}`);
}

/** The store that emptied the last entry; or its table went with the entry in it. */
function endOf(world: World, { entryAt, entry, sequence }: Way): string {
  const table = Math.floor(entryAt / 4096);
  if ((world.storeTo(entryAt)?.sequence ?? 0) > sequence) {
    return `its last entry at ${toHex(entryAt)} (${toHex(entry)}) overwritten by ${authorOf(world, entryAt)}`;
  }
  return `the last entry to it in the table in frame ${table}, which ${world.frames.absence(table)}`;
}
