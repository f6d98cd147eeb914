/** Programs as data: they go to the student's process as JSON, and get shorter by leaving operations out. */

import { toHex } from '../../../hw/index.js';
import type { CourseRegion } from './student.js';
import type { CourseMachineName } from './machines.js';

/** An operation of processes; processes have letters. */
export type MemoryOperation =
  | { readonly do: 'read'; readonly by: string; readonly at: number }
  | { readonly do: 'write'; readonly by: string; readonly at: number; readonly value: number }
  /** The first byte of each of some pages; the values count up. */
  | { readonly do: 'fill'; readonly by: string; readonly at: number; readonly pages: number; readonly value: number }
  | { readonly do: 'fork'; readonly by: string; readonly child: string }
  | { readonly do: 'exit'; readonly by: string }
  | { readonly do: 'discard'; readonly by: string; readonly at: number }
  | { readonly do: 'protect'; readonly by: string; readonly region: number; readonly writable: boolean };

/** An operation on tables alone. */
export type TableOperation =
  /** The entry of `at` at a level: a table when `page` is null, or a page of this frame. */
  | {
      readonly do: 'entry';
      readonly at: number;
      readonly level: number;
      readonly flags: number;
      readonly page: number | null;
    }
  | { readonly do: 'walk'; readonly at: number; readonly write: boolean };

/** An operation on a root table with the student's `map`. */
export type MapOperation =
  | { readonly do: 'map'; readonly at: number; readonly writable: boolean }
  | { readonly do: 'read'; readonly at: number }
  | { readonly do: 'write'; readonly at: number; readonly value: number };

/** An operation of the allocator; `block` is the number of an allocation. */
export type BuddyOperation =
  | { readonly do: 'allocate'; readonly block: number; readonly order: number }
  | { readonly do: 'free'; readonly block: number };

interface Setting {
  readonly machine: CourseMachineName;
  readonly frames: number;
}

/** Processes on a kernel of the student's. */
export interface MemoryProgram extends Setting {
  readonly family: 'memory';
  readonly slots: number;
  readonly tlb: boolean;
  readonly walksAhead: boolean;
  /** The last owner's write must not copy. */
  readonly reuse: boolean;
  /** All processes exit at the end. */
  readonly exits: boolean;
  readonly regions: readonly CourseRegion[];
  readonly operations: readonly MemoryOperation[];
}

/** Walks of tables given. */
export interface WalkProgram extends Setting {
  readonly family: 'walk';
  readonly operations: readonly TableOperation[];
}

/** Mappings in one table. */
export interface MapProgram extends Setting {
  readonly family: 'map';
  readonly operations: readonly MapOperation[];
}

/** Requests to the buddy allocator. */
export interface BuddyProgram extends Setting {
  readonly family: 'buddy';
  readonly first: number;
  readonly count: number;
  readonly operations: readonly BuddyOperation[];
}

/** A program of any step. */
export type CourseProgram = MemoryProgram | WalkProgram | MapProgram | BuddyProgram;
/** An operation of any. */
export type CourseOperation = CourseProgram['operations'][number];

/** The same program with other operations. */
export function withOperations(program: CourseProgram, operations: readonly CourseOperation[]): CourseProgram {
  return { ...program, operations } as CourseProgram;
}

/** An operation as a line for people. */
export function describeOperation(operation: CourseOperation): string {
  const who = 'by' in operation ? `${operation.by} ` : '';
  switch (operation.do) {
    case 'read':
      return `${who}reads ${toHex(operation.at)}`;
    case 'write':
      return `${who}writes ${operation.value} to ${toHex(operation.at)}`;
    case 'fill':
      return `${who}writes to ${operation.pages} pages from ${toHex(operation.at)}, ${operation.value} and up`;
    case 'fork':
      return `${who}forks ${operation.child}`;
    case 'exit':
      return `${who}exits`;
    case 'discard':
      return `${who}discards the page at ${toHex(operation.at)}`;
    case 'protect':
      return `${who}makes region ${operation.region} ${operation.writable ? 'writable' : 'read-only'}`;
    case 'entry':
      return `level ${operation.level} entry of ${toHex(operation.at)}: ${operation.page === null ? 'a table' : `frame ${operation.page}`}, flags ${toHex(operation.flags)}`;
    case 'walk':
      return `walk ${toHex(operation.at)} for a ${operation.write ? 'write' : 'read'}`;
    case 'map':
      return `map ${toHex(operation.at)}, ${operation.writable ? 'writable' : 'read-only'}`;
    case 'allocate':
      return `block ${operation.block}: allocate order ${operation.order}`;
    case 'free':
      return `free block ${operation.block}`;
  }
}

/** The line after the last operation, for people. */
export const AT_THE_END = 'the end: all is read and given back';

/** The region of an address. */
export function regionAt<Region extends CourseRegion>(regions: readonly Region[], address: number): Region | undefined {
  return regions.find(({ start, end }) => address >= start && address < end);
}

/** The regions of process A, for people; none where a program has no processes. */
export function describeRegions(program: CourseProgram): string[] {
  return program.family === 'memory' ? program.regions.map(describeRegion) : [];
}

function describeRegion({ start, end, writable, shared, global }: CourseRegion, number: number): string {
  const words = [writable ? 'writable' : 'read-only', shared ? 'shared' : 'private', ...(global ? ['global'] : [])];
  return `region ${number}: ${toHex(start)} to ${toHex(end)}, ${words.join(', ')}`;
}
