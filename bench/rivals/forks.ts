/** How fork copies page-table entries: the real loop over whole tables, and ways with each page by itself. */

import * as address from '../../hw/base/address.js';
import { PTE_A, PTE_D, PTE_P, PTE_RW, PTE_US } from '../../hw/x86/format.js';
import { MAP_EXCLUSIVE } from '../../src/kernel/frames/frames.js';
import { X86Entries } from '../../src/kernel/tables/entries-x86.js';
import { TableCopy } from '../../src/kernel/tables/table-copy.js';
import { shuffledOrder } from '../measure/resident.js';
import { checksumOf } from './contest.js';
import type { Contender, Contest, Scale } from './contest.js';

const { frameOf } = address;
const PAGES = 1 << 17;
const TABLE = PTE_P | PTE_RW | PTE_US;
const MAPPED = TABLE | PTE_A | PTE_D;
/** Words of a table. */
const WORDS = 1024;

/** Tables of parent and child, and the kernel's books of frames. */
interface Books {
  readonly words: Int32Array;
  readonly map: Int32Array;
  readonly pages: number;
  /** Frames of the roots, and of the first page table of each; page tables follow one another. */
  readonly parentRoot: number;
  readonly childRoot: number;
  readonly parentTables: number;
  readonly childTables: number;
}

/** Three levels are enough to have something to walk; those of the child are linked, its page tables are empty. */
function makeBooks(pages: number, shuffled: boolean): Books {
  const tables = pages / 512;
  const parentTables = 3;
  const childRoot = parentTables + tables;
  const childTables = childRoot + 2;
  const words = new Int32Array((childTables + tables) * WORDS);
  const firstFrame = childTables + tables;
  const map = new Int32Array(firstFrame + pages);
  const link = (root: number, first: number): void => {
    words[root * WORDS] = ((root + 1) << 12) | TABLE;
    for (let i = 0; i < tables; i++) words[(root + 1) * WORDS + 2 * i] = ((first + i) << 12) | TABLE;
  };
  link(1, parentTables);
  link(childRoot, childTables);
  const order = shuffled ? shuffledOrder(pages) : Int32Array.from({ length: pages }, (_, i) => i);
  const books = { words, map, pages, parentRoot: 1, childRoot, parentTables, childTables };
  for (let i = 0; i < pages; i++) words[parentTables * WORDS + 2 * i] = ((firstFrame + order[i]) << 12) | MAPPED;
  map.fill(1 | MAP_EXCLUSIVE, firstFrame);
  return books;
}

/** Makes the parent's entries writable and its frames its own again: the state at the start of a run. */
function resetBooks({ words, map, pages, parentTables, childTables }: Books): void {
  for (let i = 0; i < pages; i++) words[parentTables * WORDS + 2 * i] |= PTE_RW;
  words.fill(0, childTables * WORDS);
  map.fill(1 | MAP_EXCLUSIVE, map.length - pages);
}

function wholeTables({ words, map, pages, parentTables, childTables }: Books): () => void {
  const copy = new TableCopy();
  const entries = new X86Entries({ words, shared: false, hot: null, journal: null, storeLabel: '' });
  return () => {
    for (let first = 0; first < 2 * pages; first += WORDS) {
      const source = parentTables * WORDS + first;
      copy.run(entries, map, source, childTables * WORDS + first, 512, entries.changeAtFork(true), false);
    }
  };
}

/** The place of a page's entry, from the root down. */
function walkTo(words: Int32Array, root: number, page: number): number {
  let table = root;
  for (let level = 2; ; level--) {
    const at = table * WORDS + 2 * ((page >>> (9 * level)) & 511);
    if (level === 0) return at;
    if ((words[at] & PTE_P) === 0) throw new Error('no table');
    table = frameOf(words[at + 1], words[at]);
  }
}

function walkEachPage({ words, map, pages, parentRoot, childRoot }: Books): () => void {
  return () => {
    for (let page = 0; page < pages; page++) {
      const at = walkTo(words, parentRoot, page);
      const place = walkTo(words, childRoot, page);
      const low = words[at];
      const frame = frameOf(words[at + 1], low);
      map[frame] = (map[frame] & ~MAP_EXCLUSIVE) + 1;
      words[place + 1] = words[at + 1];
      words[place] = low & ~(PTE_RW | PTE_A);
      words[at] = low & ~PTE_RW;
    }
  };
}

interface Entry {
  readonly frame: number;
  readonly present: boolean;
  readonly writable: boolean;
  readonly accessed: boolean;
  /** The bits left alone by fork. */
  readonly others: number;
}

const NAMED = PTE_P | PTE_RW | PTE_A;

function readEntry(words: Int32Array, at: number): Entry {
  const low = words[at];
  const has = (bit: number): boolean => (low & bit) !== 0;
  const others = low & 4095 & ~NAMED;
  const frame = frameOf(words[at + 1], low);
  return { frame, present: has(PTE_P), writable: has(PTE_RW), accessed: has(PTE_A), others };
}

function writeEntry(words: Int32Array, at: number, entry: Entry): void {
  const flags = (entry.present ? PTE_P : 0) | (entry.writable ? PTE_RW : 0) | (entry.accessed ? PTE_A : 0);
  words[at + 1] = entry.frame >>> 20;
  words[at] = (entry.frame << 12) | flags | entry.others;
}

function objectEachEntry({ words, map, pages, parentTables, childTables }: Books): () => void {
  return () => {
    for (let i = 0; i < 2 * pages; i += 2) {
      const entry = readEntry(words, parentTables * WORDS + i);
      if (!entry.present) continue;
      map[entry.frame] = (map[entry.frame] & ~MAP_EXCLUSIVE) + 1;
      writeEntry(words, childTables * WORDS + i, { ...entry, writable: false, accessed: false });
      if (entry.writable) writeEntry(words, parentTables * WORDS + i, { ...entry, writable: false });
    }
  };
}

const BIG_P = BigInt(PTE_P);
const BIG_RW = BigInt(PTE_RW);
const BIG_A = BigInt(PTE_A);

function bigIntEntries({ words, map, pages, parentTables, childTables }: Books): () => void {
  const entries = new BigUint64Array(words.buffer);
  return () => {
    for (let i = 0; i < pages; i++) {
      const entry = entries[parentTables * 512 + i];
      if ((entry & BIG_P) === 0n) continue;
      const frame = Number((entry >> 12n) & 0xff_ffff_ffffn);
      map[frame] = (map[frame] & ~MAP_EXCLUSIVE) + 1;
      entries[childTables * 512 + i] = entry & ~(BIG_RW | BIG_A);
      if ((entry & BIG_RW) !== 0n) entries[parentTables * 512 + i] = entry & ~BIG_RW;
    }
  };
}

export function forkContest(question: string, shuffled: boolean, scale: Scale): Contest {
  const pages = Math.max(512, PAGES * scale);
  const contender = (name: string, why: string, make: (books: Books) => () => void): Contender => {
    const books = makeBooks(pages, shuffled);
    const run = make(books);
    return {
      name,
      why,
      before: () => {
        resetBooks(books);
      },
      run,
      checksum: () => checksumOf(books.words, books.map),
    };
  };
  return {
    question,
    operations: pages,
    contenders: [
      contender('whole tables, int32 words', 'one pass, nothing made and nothing searched', wholeTables),
      contender('a walk for each page', 'reads the same upper entries 512 times over', walkEachPage),
      contender('an object for each entry', 'taken apart and put together, three objects an entry', objectEachEntry),
      contender('BigInt entries', 'every bit operation makes a number on the heap', bigIntEntries),
    ],
  };
}
