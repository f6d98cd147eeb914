/** The mappings of one process as they come and go, as the kernel keeps them: mmap(2), munmap(2), mremap(2), brk(2). */

import type { TracedRegion } from '../coverage.js';

const PAGE = 4096;

/** The flags of mmap in use here: Linux include/uapi/asm-generic/mman-common.h. */
const MAP_SHARED = 1;
const MAP_GROWSDOWN = 0x100;
const MAP_STACK = 0x20000;
const MAP_HUGETLB = 0x40000;
const MAP_HUGE_SHIFT = 26;
const MAP_HUGE_MASK = 0x3f;
const DEFAULT_HUGE_SHIFT = 21;

/** Of regions now gone so many stay, the largest. */
const MOST_GONE = 1000;

type Region = { -readonly [Key in keyof TracedRegion]: TracedRegion[Key] };
/** The properties two neighbours must share to be one region. */
const TRAITS = ['permissions', 'name', 'pageBytes', 'advice', 'stack'] as const;

const pageOf = (address: number): number => Math.floor(address / PAGE) * PAGE;
const pageEnd = (address: number): number => Math.ceil(address / PAGE) * PAGE;

/** `rwxp` for bits of PROT_READ, PROT_WRITE, PROT_EXEC. */
function permissionsOf(protection: number, sharing: string): string {
  const letters = ['r', 'w', 'x'].map((letter, bit) => ((protection >> bit) & 1 ? letter : '-'));
  return letters.join('') + sharing;
}

export class RegionBook {
  /** Sorted, without overlaps. */
  #live: Region[] = [];
  #gone: Region[] = [];
  #heapStart: number | undefined = undefined;
  /** The most bytes seen in RAM at once, and those of the look under way. */
  #mostResident = 0;
  #resident = 0;

  /** The mappings of a child at its fork. */
  copy(now: number): RegionBook {
    const book = new RegionBook();
    book.#live = this.#live.map((region) => ({ ...region, cameAt: now, residentBytes: 0 }));
    book.#heapStart = this.#heapStart;
    return book;
  }

  /** @param flags of mmap */
  map(start: number, end: number, protection: number, flags: number, offset: number, name: string, now: number): void {
    const huge = (flags & MAP_HUGETLB) !== 0;
    const shift = (flags >>> MAP_HUGE_SHIFT) & MAP_HUGE_MASK || DEFAULT_HUGE_SHIFT;
    const stack = (flags & (MAP_STACK | MAP_GROWSDOWN)) !== 0;
    this.#put(
      {
        start,
        end: pageEnd(end),
        permissions: permissionsOf(protection, (flags & MAP_SHARED) !== 0 ? 's' : 'p'),
        name,
        offset,
        pageBytes: huge ? 2 ** shift : PAGE,
        advice: 'none',
        ...(stack && { stack }),
        residentBytes: 0,
        cameAt: now,
        wentAt: null,
      },
      now,
    );
  }

  unmap(start: number, end: number, now: number): void {
    for (const region of this.#cutOut(start, pageEnd(end))) this.#goes(region, now);
  }

  protect(start: number, end: number, protection: number): void {
    this.#change(start, end, (region) => {
      region.permissions = permissionsOf(protection, region.permissions.slice(3));
    });
  }

  advise(start: number, end: number, advice: TracedRegion['advice']): void {
    this.#change(start, end, (region) => {
      region.advice = advice;
    });
  }

  /** mremap: the content of the `bytes` at `from` is at `to` now, in more bytes or less. */
  move(from: number, fromEnd: number, to: number, bytes: number, now: number): void {
    const first = this.#cutOut(from, pageEnd(fromEnd)).at(0);
    if (first !== undefined) this.#put({ ...first, start: to, end: pageEnd(to + bytes) }, now);
  }

  /** The end of the heap, as brk returned it. */
  break(end: number, now: number): void {
    this.#heapStart ??= pageEnd(end);
    const start = this.#heapStart;
    const heap = this.#live.filter((region) => region.name === '[heap]');
    const before = heap.at(-1)?.end ?? start;
    if (pageEnd(end) > before) this.map(before, end, 3, 0, 0, '[heap]', now);
    else this.unmap(Math.max(start, pageEnd(end)), before, now);
  }

  /** A look at RAM begins. */
  beginResident(): void {
    this.#resident = 0;
  }

  /** Of the addresses from `start` to `end` so many bytes are in RAM. */
  noteResident(start: number, end: number, bytes: number): void {
    for (const region of this.#live) {
      const shared = Math.min(end, region.end) - Math.max(start, region.start);
      if (shared <= 0) continue;
      const part = Math.min(shared, Math.round((bytes * shared) / (end - start)));
      region.residentBytes = Math.max(region.residentBytes, part);
      this.#resident += part;
    }
    this.#mostResident = Math.max(this.#mostResident, this.#resident);
  }

  /** The most bytes seen in RAM at once. */
  get residentBytes(): number {
    return this.#mostResident;
  }

  /** All regions in the order of their coming. */
  regions(): TracedRegion[] {
    return [...this.#gone, ...this.#live].sort((a, b) => a.cameAt - b.cameAt || a.start - b.start);
  }

  #goes(region: Region, now: number): void {
    this.#gone.push({ ...region, wentAt: now });
    if (this.#gone.length < 2 * MOST_GONE) return;
    this.#gone.sort((a, b) => b.end - b.start - (a.end - a.start));
    this.#gone.length = MOST_GONE;
  }

  #put(region: Region, now: number): void {
    this.unmap(region.start, region.end, now);
    if (region.end <= region.start) return;
    this.#live.push(region);
    this.#join();
  }

  #change(start: number, end: number, change: (region: Region) => void): void {
    const pieces = this.#cutOut(start, pageEnd(end));
    pieces.forEach(change);
    this.#live.push(...pieces);
    this.#join();
  }

  /** Takes out everything between two addresses; regions with parts beyond are split. */
  #cutOut(from: number, to: number): Region[] {
    const start = pageOf(from);
    const out: Region[] = [];
    const stay: Region[] = [];
    for (const region of this.#live) {
      if (region.end <= start || region.start >= to) stay.push(region);
      else {
        out.push(part(region, Math.max(start, region.start), Math.min(to, region.end)));
        if (region.start < start) stay.push(part(region, region.start, start));
        if (region.end > to) stay.push(part(region, to, region.end));
      }
    }
    this.#live = stay.sort((a, b) => a.start - b.start);
    return out;
  }

  /** Makes one region of neighbours different only in their time. */
  #join(): void {
    const joined: Region[] = [];
    for (const region of this.#live.sort((a, b) => a.start - b.start)) {
      const last = joined.at(-1);
      if (last === undefined || !areOne(last, region)) joined.push(region);
      else {
        last.end = region.end;
        last.cameAt = Math.min(last.cameAt, region.cameAt);
        last.residentBytes += region.residentBytes;
      }
    }
    this.#live = joined;
  }
}

function part(region: Region, start: number, end: number): Region {
  const bytes = end - start;
  return {
    ...region,
    start,
    end,
    offset: isOfFile(region) ? region.offset + start - region.start : 0,
    residentBytes: Math.min(bytes, region.residentBytes),
  };
}

function isOfFile({ name }: Region): boolean {
  return name !== '' && !name.startsWith('[');
}

function areOne(a: Region, b: Region): boolean {
  const follows = a.end === b.start && (!isOfFile(a) || a.offset + a.end - a.start === b.offset);
  return follows && TRAITS.every((trait) => a[trait] === b[trait]);
}
