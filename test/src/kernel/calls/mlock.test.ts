import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EAGAIN, EINVAL, ENOMEM } from '../../../../src/kernel/abi/errno.js';
import * as f from '../../../../src/kernel/abi/flags.js';
import type { Kernel } from '../../../../src/kernel/kernel.js';
import type { Process } from '../../../../src/kernel/space/process.js';
import { runs } from '../../../runs.js';
import { alive, boot, bootWithMmu, GIB, peek } from '../machine.js';

const BASE = GIB;
const PAGE = 4096;
const RW = f.PROT_READ | f.PROT_WRITE;

class Place {
  readonly kernel = boot();
  readonly process = alive(this.kernel.spawn());

  at(page: number): number {
    return BASE + page * PAGE;
  }

  map(page: number, pages: number, prot = RW, more = 0): number {
    const flags = f.MAP_PRIVATE | f.MAP_ANONYMOUS | f.MAP_FIXED | more;
    return this.kernel.mmap(this.process, {
      address: this.at(page),
      length: pages * PAGE,
      prot,
      flags,
      file: null,
      offset: 0,
    });
  }

  lock(page: number, pages: number, flags = 0): number {
    return this.kernel.mlock2(this.process, this.at(page), pages * PAGE, flags);
  }

  faultsOf(call: () => number): number {
    const before = this.kernel.counters.minorFaults;
    call();
    return this.kernel.counters.minorFaults - before;
  }

  present(page: number, process = this.process): boolean {
    return this.kernel.pagemap(process, this.at(page))?.present === true;
  }

  marked(page: number, process = this.process): boolean {
    return this.kernel.pagemap(process, this.at(page))?.mlocked === true;
  }

  /** `lo` and `lf` by VMA. */
  locks(process = this.process): string[] {
    const lines = this.kernel.smaps(process).match(/^VmFlags: .*$/gm) ?? [];
    return lines.map((line) => (line.match(/ l[of]/g) ?? []).join('').trim());
  }
}

describe('mlock', () => {
  it('makes pages present and writable, and marks them', () => {
    const place = new Place();
    place.map(0, 3);
    expect(place.faultsOf(() => place.lock(0, 2))).toBe(2);
    expect([0, 1, 2].map((page) => place.present(page))).toEqual([true, true, false]);
    expect([0, 1].map((page) => place.marked(page))).toEqual([true, true]);
    expect(place.locks()).toEqual(['lo', '']);
    expect(place.faultsOf(() => place.kernel.store(place.process, BASE, 1, 1))).toBe(0);
  });

  it('is ENOMEM for PROT_NONE, which is locked all the same', () => {
    const place = new Place();
    place.map(2, 3, f.PROT_NONE);
    expect(place.lock(2, 3)).toBe(ENOMEM);
    expect(place.locks()).toEqual(['lo']);
  });

  it('is ENOMEM for a guard page', () => {
    const place = new Place();
    place.map(0, 3);
    place.kernel.madvise(place.process, place.at(1), PAGE, f.MADV_GUARD_INSTALL);
    expect(place.lock(0, 3)).toBe(ENOMEM);
    expect([0, 2].map((page) => place.present(page))).toEqual([true, false]);
  });

  it('is ENOMEM past the end of a file, with the pages before it present', () => {
    const place = new Place();
    const file = place.kernel.files.memfd('short');
    place.kernel.files.truncate(file, PAGE);
    const flags = f.MAP_SHARED | f.MAP_FIXED;
    place.kernel.mmap(place.process, { address: BASE, length: 3 * PAGE, prot: RW, flags, file, offset: 0 });
    expect(place.lock(0, 3)).toBe(ENOMEM);
    expect([place.present(0), place.present(1)]).toEqual([true, false]);
    expect(place.locks()).toEqual(['lo']);
  });

  it('stops populating for good at the first page that cannot be had', () => {
    const place = new Place();
    place.map(0, 1);
    place.map(1, 1, f.PROT_NONE);
    place.map(2, 2);
    expect(place.faultsOf(() => place.lock(0, 4))).toBe(1);
    expect(place.locks()).toEqual(['lo', 'lo', 'lo']);
  });

  it('populates nothing before a hole, but locks up to it', () => {
    const place = new Place();
    place.map(0, 2);
    place.map(4, 2);
    expect(place.faultsOf(() => place.lock(0, 6))).toBe(0);
    expect(place.lock(0, 6)).toBe(ENOMEM);
    expect(place.locks()).toEqual(['lo', '']);
  });

  it('is EAGAIN when memory runs out', () => {
    const place = new Place();
    place.map(0, 1);
    place.lock(0, 1);
    place.kernel.munlock(place.process, BASE, PAGE);
    place.kernel.madvise(place.process, BASE, PAGE, f.MADV_DONTNEED);
    const { buddy } = place.kernel.memory.frames;
    // Of the next requests the first is for the page, since tables and anon_vma are there.
    buddy.failAt = buddy.requests + 1;
    expect(place.lock(0, 1)).toBe(EAGAIN);
  });

  it('MAP_LOCKED goes on behind what cannot be populated', () => {
    const place = new Place();
    expect(place.map(0, 2, f.PROT_NONE, f.MAP_LOCKED)).toBe(BASE);
    expect(place.faultsOf(() => place.map(2, 2, RW, f.MAP_LOCKED))).toBe(2);
    expect(place.locks()).toEqual(['lo', 'lo']);
  });

  it('MLOCK_ONFAULT marks and populates nothing; a page is marked once it is touched', () => {
    const place = new Place();
    place.map(0, 2);
    expect(place.faultsOf(() => place.lock(0, 2, f.MLOCK_ONFAULT))).toBe(0);
    place.kernel.store(place.process, BASE, 1, 1);
    expect(place.marked(0)).toBe(true);
    expect(place.locks()).toEqual(['lo lf']);
    expect(place.lock(0, 1)).toBe(0);
    expect(place.locks()).toEqual(['lo', 'lo lf']);
    expect(place.lock(0, 1, 8)).toBe(EINVAL);
  });

  it('refuses what would take locked pages away, but for MADV_DONTNEED_LOCKED', () => {
    const place = new Place();
    place.map(0, 1);
    place.lock(0, 1);
    const advise = (advice: number): number => place.kernel.madvise(place.process, BASE, PAGE, advice);
    for (const advice of [f.MADV_DONTNEED, f.MADV_FREE, f.MADV_COLD, f.MADV_GUARD_INSTALL, f.MADV_REMOVE]) {
      expect(advise(advice)).toBe(EINVAL);
    }
    expect(advise(f.MADV_DONTNEED_LOCKED)).toBe(0);
    expect([place.present(0), ...place.locks()]).toEqual([false, 'lo']);
  });

  it('is not inherited by fork', () => {
    const place = new Place();
    place.map(0, 1);
    place.lock(0, 1);
    const child = alive(place.kernel.fork(place.process));
    expect([place.locks(child), place.locks()]).toEqual([[''], ['lo']]);
  });

  it('leaves hugetlb memory unmarked', () => {
    const place = new Place();
    place.map(0, 512, RW, f.MAP_HUGETLB);
    expect(place.lock(0, 512)).toBe(0);
    expect([place.present(0), ...place.locks()]).toEqual([true, '']);
  });

  it('so do MAP_LOCKED and MCL_FUTURE, though they make it present', () => {
    const place = new Place();
    place.map(0, 512, RW, f.MAP_HUGETLB | f.MAP_LOCKED);
    place.kernel.mlockall(place.process, f.MCL_FUTURE);
    place.map(512, 512, RW, f.MAP_HUGETLB);
    expect([place.present(0), place.present(512), ...place.locks()]).toEqual([true, true, '', '']);
    expect(place.kernel.pagemap(place.process, place.at(0))?.mlocked).toBe(false);
  });
});

describe('mremap of locked memory', () => {
  const move = (place: Place, pages: number): number =>
    place.kernel.mremap(place.process, {
      address: BASE,
      oldLength: 2 * PAGE,
      newLength: pages * PAGE,
      flags: f.MREMAP_MAYMOVE | f.MREMAP_FIXED,
      newAddress: place.at(20),
    });

  it('breaks no copy-on-write', () => {
    const place = new Place();
    place.map(0, 2);
    place.lock(0, 2);
    alive(place.kernel.fork(place.process));
    expect(place.faultsOf(() => move(place, 2))).toBe(0);
    expect(place.locks()).toEqual(['lo']);
  });

  it('populates what it grows by, and nothing else', () => {
    const place = new Place();
    place.map(0, 2);
    place.lock(0, 2);
    place.kernel.madvise(place.process, BASE, PAGE, f.MADV_DONTNEED_LOCKED);
    expect(place.faultsOf(() => move(place, 4))).toBe(2);
    expect([20, 21, 22, 23].map((page) => place.present(page))).toEqual([false, true, true, true]);
  });
});

describe('mlockall', () => {
  it.each([0, f.MCL_ONFAULT, 8])('refuses flags %d', (flags) => {
    const place = new Place();
    expect(place.kernel.mlockall(place.process, flags)).toBe(EINVAL);
  });

  it('MCL_FUTURE locks and populates new mappings and the heap, until munlockall', () => {
    const kernel = boot();
    const process = alive(kernel.spawn({ brk: BASE }));
    kernel.mlockall(process, f.MCL_FUTURE);
    kernel.brk(process, BASE + 2 * PAGE);
    expect(kernel.pagemap(process, BASE + PAGE)?.mlocked).toBe(true);
    expect(kernel.smaps(process)).toMatch(/VmFlags:.* lo /);
    expect(kernel.munlockall(process)).toBe(0);
    expect(kernel.smaps(process)).not.toMatch(/VmFlags:.* lo /);
    kernel.brk(process, BASE + 3 * PAGE);
    expect(kernel.pagemap(process, BASE + 2 * PAGE)?.present).toBe(false);
  });

  it('MCL_CURRENT locks and populates what is there, and forgets MCL_FUTURE', () => {
    const place = new Place();
    place.map(0, 2);
    place.map(4, 2, f.PROT_NONE);
    place.kernel.mlockall(place.process, f.MCL_FUTURE | f.MCL_ONFAULT);
    place.map(8, 2);
    expect(place.locks()).toEqual(['', '', 'lo lf']);
    expect(place.faultsOf(() => place.kernel.mlockall(place.process, f.MCL_CURRENT))).toBe(4);
    place.map(12, 1);
    expect(place.locks()).toEqual(['lo', 'lo', 'lo', '']);
  });

  it('is not inherited by fork', () => {
    const place = new Place();
    place.kernel.mlockall(place.process, f.MCL_FUTURE);
    const child = alive(place.kernel.fork(place.process));
    const flags = f.MAP_PRIVATE | f.MAP_ANONYMOUS | f.MAP_FIXED;
    place.kernel.mmap(child, { address: BASE, length: PAGE, prot: RW, flags, file: null, offset: 0 });
    expect(place.locks(child)).toEqual(['']);
  });
});

interface Step {
  readonly who: number;
  readonly what: string;
  readonly page: number;
  readonly pages: number;
}

/** One process, or a child, does one thing to a few pages. */
const step: fc.Arbitrary<Step> = fc.record({
  who: fc.nat(2),
  what: fc.constantFrom('lock', 'lazily', 'unlock', 'write', 'drop', 'free', 'map', 'fork', 'exit', 'all', 'none'),
  page: fc.nat(7),
  pages: fc.integer({ min: 1, max: 4 }),
});

function play(kernel: Kernel, family: Process[], { who, what, page, pages }: Step): void {
  const process = family[who % family.length];
  const address = BASE + page * PAGE;
  const length = pages * PAGE;
  const flags = f.MAP_PRIVATE | f.MAP_ANONYMOUS | f.MAP_FIXED;
  if (what === 'lock') kernel.mlock(process, address, length);
  else if (what === 'lazily') kernel.mlock2(process, address, length, f.MLOCK_ONFAULT);
  else if (what === 'unlock') kernel.munlock(process, address, length);
  else if (what === 'write') kernel.store(process, address, 1, page);
  else if (what === 'drop') kernel.madvise(process, address, length, f.MADV_DONTNEED_LOCKED);
  else if (what === 'free') kernel.madvise(process, address, length, f.MADV_FREE);
  else if (what === 'map') kernel.mmap(process, { address, length, prot: RW, flags, file: null, offset: 0 });
  else if (what === 'all') kernel.mlockall(process, f.MCL_CURRENT | f.MCL_FUTURE);
  else if (what === 'none') kernel.munlockall(process);
  else if (what === 'fork' && family.length < 3) family.push(alive(kernel.fork(process)));
  else if (what === 'exit' && family.length > 1) {
    kernel.exit(process);
    family.splice(family.indexOf(process), 1);
  }
}

describe('locking at random', () => {
  it('every present page of a locked VMA is marked, no byte is lost, and every frame comes back', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { kernel, mmu } = bootWithMmu(2 ** 24);
        const free = kernel.memory.frames.buddy.free;
        const family = [alive(kernel.spawn())];
        const flags = f.MAP_PRIVATE | f.MAP_ANONYMOUS | f.MAP_FIXED;
        kernel.mmap(family[0], { address: BASE, length: 8 * PAGE, prot: RW, flags, file: null, offset: 0 });
        for (const one of steps) play(kernel, family, one);
        for (const process of family) {
          for (const vma of process.space?.vmas ?? []) {
            for (let address = vma.start; address < vma.end; address += PAGE) {
              expect([0, (address - BASE) / PAGE]).toContain(peek(kernel, process, address));
            }
          }
          for (const [page, locked] of lockedPages(kernel, process)) {
            const entry = kernel.pagemap(process, page);
            if (locked && entry?.present === true && !entry.zero) expect(entry.mlocked).toBe(true);
          }
        }
        expect([...kernel.audit(), ...(mmu.checker?.found ?? [])]).toEqual([]);
        for (const process of family) kernel.exit(process);
        expect(kernel.memory.frames.buddy.free).toBe(free);
      }),
      { numRuns: runs(60) },
    );
  });
});

/** Each page with whether its VMA says `lo`. */
function lockedPages(kernel: Kernel, process: Process): [number, boolean][] {
  const flags = kernel.smaps(process).match(/^VmFlags: .*$/gm) ?? [];
  return [...(process.space?.vmas ?? [])].flatMap((vma, i) =>
    Array.from({ length: vma.pages }, (_, n): [number, boolean] => [vma.start + n * PAGE, flags[i].includes(' lo')]),
  );
}
