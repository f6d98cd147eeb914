/** The modelled TLB's array against the collections of the language: the same hits and misses of all. */

import { pageNumber } from '../../hw/base/address.js';
import type { Mmu } from '../../hw/x86/mmu.js';
import * as tags from '../../hw/tlb/tag.js';
import { Tlb } from '../../hw/tlb/array/tlb.js';
import { mmuFor } from '../native/workload.js';
import type { Contender, Contest } from './contest.js';
import { ACCESS, found, loader, thenLoad } from './loads.js';
import type { LoadWork, Translate } from './loads.js';

const { makeTag, tagPageLow } = tags;
const PCIDS = 4096;
const PCID = 1;

/** One level: sets of ways, the least recently used one to go first; an entry is for one PCID. */
interface Level {
  /** The frame of the 4 KiB page at an address, or -1. */
  readonly lookup: (hi: number, lo: number, pcid: number) => number;
  readonly insert: (hi: number, lo: number, pcid: number, frame: number) => void;
}

/** The real one. */
class ArrayLevel implements Level {
  private readonly tlb: Tlb;

  constructor(sets: number, ways: number) {
    this.tlb = new Tlb({ entries: sets * ways, ways });
  }

  lookup(hi: number, lo: number, pcid: number): number {
    const cell = this.tlb.lookup(tagPageLow(hi, lo, 12), makeTag(hi, 12, pcid, 0));
    return cell < 0 ? -1 : this.tlb.frameAt(cell);
  }

  insert(hi: number, lo: number, pcid: number, frame: number): void {
    this.tlb.insert(tagPageLow(hi, lo, 12), makeTag(hi, 12, pcid, 0), frame, 0);
  }
}

/** A Map a set: its order of insertion is the order of use, when each use deletes and inserts anew. */
class MapLevel implements Level {
  private readonly sets: Map<number, number>[];

  constructor(
    sets: number,
    private readonly ways: number,
  ) {
    this.sets = Array.from({ length: sets }, () => new Map<number, number>());
  }

  lookup(hi: number, lo: number, pcid: number): number {
    const page = pageNumber(hi, lo, 12);
    const set = this.sets[page % this.sets.length];
    const key = page * PCIDS + pcid;
    const frame = set.get(key);
    if (frame === undefined) return -1;
    set.delete(key);
    set.set(key, frame);
    return frame;
  }

  insert(hi: number, lo: number, pcid: number, frame: number): void {
    const page = pageNumber(hi, lo, 12);
    const set = this.sets[page % this.sets.length];
    if (set.size === this.ways) {
      for (const oldest of set.keys()) {
        set.delete(oldest);
        break;
      }
    }
    set.set(page * PCIDS + pcid, frame);
  }
}

interface Entry {
  page: number;
  pcid: number;
  size: number;
  global: boolean;
  frame: number;
  rights: number;
  stamp: number;
}

/** An array of entries a set, each an object with the time of its last use. */
class ObjectLevel implements Level {
  private readonly sets: Entry[][];
  private clock = 0;

  constructor(sets: number, ways: number) {
    const empty = (): Entry => ({ page: -1, pcid: 0, size: 0, global: false, frame: -1, rights: 0, stamp: 0 });
    this.sets = Array.from({ length: sets }, () => Array.from({ length: ways }, empty));
  }

  lookup(hi: number, lo: number, pcid: number): number {
    const page = pageNumber(hi, lo, 12);
    const entry = this.sets[page % this.sets.length].find(
      (candidate) => candidate.page === page && candidate.size === 0 && (candidate.global || candidate.pcid === pcid),
    );
    if (entry === undefined) return -1;
    entry.stamp = ++this.clock;
    return entry.frame;
  }

  insert(hi: number, lo: number, pcid: number, frame: number): void {
    const page = pageNumber(hi, lo, 12);
    const set = this.sets[page % this.sets.length];
    const oldest = set.reduce((least, entry) => (entry.stamp < least.stamp ? entry : least));
    oldest.page = page;
    oldest.pcid = pcid;
    oldest.frame = frame;
    oldest.stamp = ++this.clock;
  }
}

/** Counts of first-level hits, second-level hits and walks go to `counts`. */
function twoLevels(l1: Level, l2: Level, walk: Mmu, { chunks }: LoadWork, counts: Int32Array): Translate {
  const miss = (hi: number, lo: number): number => {
    let frame = l2.lookup(hi, lo, PCID);
    if (frame >= 0) {
      counts[1]++;
    } else {
      counts[2]++;
      frame = found(walk.translate(hi, lo, ACCESS));
      l2.insert(hi, lo, PCID, frame);
    }
    l1.insert(hi, lo, PCID, frame);
    return frame;
  };
  return (chunk, from, to, frames) => {
    const { his, los } = chunks[chunk];
    if (chunk === 0 && from === 0) counts.fill(0);
    for (let i = from; i < to; i++) {
      const frame = l1.lookup(his[i], los[i], PCID);
      if (frame >= 0) {
        counts[0]++;
        frames[i] = frame;
      } else {
        frames[i] = miss(his[i], los[i]);
      }
    }
  };
}

/** 64 entries of 4 ways, then 1536 of 12. */
export function modelledContest(question: string, work: LoadWork): Contest {
  const walk = mmuFor('walk', work.ram);
  const contender = (name: string, why: string, make: (sets: number, ways: number) => Level): Contender => {
    const counts = new Int32Array(3);
    const translate = twoLevels(make(16, 4), make(128, 12), walk, work, counts);
    return loader(name, why, work, thenLoad(work, translate), () => counts);
  };
  return {
    question,
    operations: work.loads,
    contenders: [
      contender(
        'one Int32Array',
        'tags of a set lie side by side, stamps are int32',
        (sets, ways) => new ArrayLevel(sets, ways),
      ),
      contender(
        'a Map for each set',
        'hashes, deletes and inserts on every hit',
        (sets, ways) => new MapLevel(sets, ways),
      ),
      contender(
        'arrays of objects',
        'a pointer to follow for each way, 90 bytes an entry where five words are 20',
        (sets, ways) => new ObjectLevel(sets, ways),
      ),
    ],
  };
}
