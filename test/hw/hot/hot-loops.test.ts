import { describe, expect, it, vi } from 'vitest';
import { READ, WRITE } from '../../../hw/base/access.js';
import type { Word64 } from '../../../hw/base/address.js';
import { PAGE_FAULT } from '../../../hw/base/fault.js';
import { LOOKUPS_LEFT } from '../../../hw/hot/control.js';
import { BATCH_SOURCE } from '../../../hw/hot/module.js';
import type { Ram } from '../../../hw/memory/ram.js';
import { HOT_USES } from '../../../hw/tlb/array/cells.js';
import { TlbGroup } from '../../../hw/tlb/group.js';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { PTE_A, PTE_D, PTE_P, PTE_PS, PTE_XD } from '../../../hw/x86/format.js';
import type { Mmu, MmuOptions } from '../../../hw/x86/mmu.js';
import { CR4_PCIDE, CR4_PKE, CR4_PKS } from '../../../hw/x86/registers.js';
import { X86Walks } from '../../../hw/x86/walks.js';
import { RandomMachine, TABLE_FRAMES } from '../x86/random-tables.js';
import { Tables } from '../tables.js';
import { hashOfSource } from '../../compiled-source.js';
import { expectSameOutcomes } from './outcomes.js';
import type { Subject } from './outcomes.js';

/** Random tables with entries accessed and dirty most often, as they are after a while, and with more large pages. */
function settledTables(ram: Ram, seed: number): RandomMachine {
  const machine = new RandomMachine(ram, '4l', seed);
  const { words } = ram;
  for (let at = 0; at < TABLE_FRAMES * 1024; at += 2) {
    if ((words[at] & PTE_P) === 0) continue;
    if (machine.chance(0.9)) words[at] |= PTE_A | PTE_D;
    if (machine.chance(0.1))
      words[at] = (words[at] & IN_ENTRY) | PTE_PS | [0x80_0000, 0x80_1000, 0x80_2000][machine.random.below(3)];
    if (machine.chance(0.05)) words[at + 1] ^= PTE_XD;
  }
  return machine;
}

/** Bit 63 of a value for CR3: what the PCID has cached may stay. */
const KEEP = 1 << 31;
/** Bits of an entry's low word beside its frame. */
const IN_ENTRY = 0xfff;

function makeSubject(ram: Ram, seed: number, options: Omit<MmuOptions, 'ram'>): Subject {
  const random = settledTables(ram, seed);
  const { mmu } = random.boot(options);
  // With protection keys there are no settled walks.
  if (random.chance(0.9)) mmu.writeCr4(mmu.cr4 & ~(CR4_PKE | CR4_PKS));
  if (random.chance(0.5)) mmu.writeCr4(mmu.cr4 | CR4_PCIDE);
  const change = ({ hi, lo }: Word64): number => {
    if (random.chance(0.3)) mmu.invlpg(hi, lo);
    return random.chance(0.3) ? mmu.writeCr3(KEEP, random.random.below(3)) : 0;
  };
  return { machine: mmu, random, tableFrames: TABLE_FRAMES, change };
}

const TWO = { entries: 2, ways: 2 };

describe('hot loops', () => {
  it.each<Omit<MmuOptions, 'ram'> | string>([
    { path: 'walk' },
    { path: 'soft' },
    { tlb: { ...parseTlb('4x2+8x4'), walkCaches: { pde: TWO, pdpte: TWO } } },
    '4x4@4K,2x2@2M+16x8',
    // Sets that are no power of two, ways that are no multiple of four, and so many that a search begins with a guess.
    '6x2+15x5',
    '24x24+64x64+psc',
    '18x18+38x19',
    // Large pages in pieces, and a policy of which hot loops know nothing.
    '4x2@4K,2x2@2M+16x4@4K',
    '8x4/tree-plru',
  ])('find, load, set, keep, count and refuse what the plain path does: %o', (way) => {
    const options = typeof way === 'string' ? { tlb: parseTlb(way) } : way;
    expectSameOutcomes((ram, seed) => makeSubject(ram, seed, options), 20);
  });

  it('need no help of the plain path for settled pages', () => {
    const tables = new Tables();
    tables.map(0x5000, 100);
    const mmu = tables.mmu({ path: 'walk' });
    const los = new Int32Array(5000).fill(0x5000);
    const frames = new Int32Array(5000);
    expect(mmu.translateMany(new Int32Array(5000), los, 5000, READ, frames)).toBe(5000);
    expect(frames.every((frame) => frame === 100)).toBe(true);
    tables.map(0x5000, 200, 0x27);
    const walks = (['walk', 'settled'] as const).map((name) => vi.spyOn(X86Walks.prototype, name));
    expect(mmu.translateMany(new Int32Array(5000), los, 5000, READ, frames)).toBe(5000);
    expect(frames.every((frame) => frame === 200)).toBe(true);
    for (const walk of walks) expect(walk).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });

  it('leave pieces of a large page that INVLPG of another piece drops', () => {
    const tables = new Tables();
    tables.map(0x20_0000, 512, 0x27, 1);
    const mmu = tables.mmu({ path: 'soft' });
    const los = new Int32Array(5000).fill(0x20_3000);
    const frames = new Int32Array(5000);
    for (const first of [512, 1024, 1536]) {
      tables.map(0x20_0000, first, 0x27, 1);
      mmu.invlpg(0, 0x3f_f000);
      mmu.translateMany(new Int32Array(5000), los, 5000, READ, frames);
      expect(frames.every((frame) => frame === first + 3)).toBe(true);
    }
  });

  it('walk for single translations, too, after some thousands of them', () => {
    const tables = new Tables();
    for (let page = 0; page < 1024; page++) tables.map(page * 4096, page, 0x27);
    const mmu = tables.mmu({ path: 'soft' });
    const translateAll = (): void => {
      for (let page = 0; page < 1024; page++) expect(mmu.translate(0, page * 4096, READ)).toBe(page);
    };
    for (let round = 0; round < 5; round++) translateAll();
    const settled = vi.spyOn(X86Walks.prototype, 'settled');
    translateAll();
    expect(settled).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });

  it('walk for loads and stores in turns, each with its rights', () => {
    const tables = new Tables();
    const [writable, readOnly] = [0x67, 0x65];
    for (let page = 0; page < 1024; page++) tables.map(page * 4096, page, page % 2 === 0 ? writable : readOnly);
    const mmu = tables.mmu({ path: 'soft' });
    const translateAll = (): void => {
      for (let page = 0; page < 1024; page++) {
        expect(mmu.translate(0, page * 4096, READ)).toBe(page);
        expect(mmu.translate(0, page * 4096, WRITE)).toBe(page % 2 === 0 ? page : PAGE_FAULT);
      }
    };
    for (let round = 0; round < 3; round++) translateAll();
    const settled = vi.spyOn(X86Walks.prototype, 'settled');
    translateAll();
    expect(settled.mock.calls.every(([, , access]) => access === WRITE)).toBe(true);
    expect(settled).toHaveBeenCalledTimes(512);
    vi.restoreAllMocks();
  });

  it('leave nothing where the soft TLB was before they moved it', () => {
    const tables = new Tables();
    for (let page = 0; page < 1024; page++) tables.map(page * 4096, page, 0x27);
    const mmu = tables.mmu({ path: 'soft' });
    expect(mmu.translate(0, 0x5000, READ)).toBe(5);
    // All but those that would take its place.
    for (let page = 0; page < 1024; page++) if (page % 256 !== 5) mmu.translate(0, page * 4096, READ);
    tables.map(0x5000, 200, 0x27);
    mmu.invlpg(0, 0x5000);
    expect(mmu.translate(0, 0x5000, READ)).toBe(200);
  });

  describe('for single lookups of a modelled TLB', () => {
    const PAGES = 1024;
    /** A machine whose pages were looked up often enough, and one without hot loops. */
    const machines = (): readonly Mmu[] =>
      [true, false].map((webAssembly) => {
        const tables = new Tables(2 ** 23, webAssembly);
        for (let page = 0; page < PAGES; page++) tables.map(page * 4096, page, 0x27);
        // Not accessed yet: for the plain path.
        tables.map(PAGES * 4096, 1, 0x7);
        const mmu = tables.mmu({ tlb: parseTlb('8x4+32x8+psc') });
        for (let i = 0; i < 6 * PAGES; i++) mmu.translate(0, (i % PAGES) * 4096, READ);
        return mmu;
      });
    /** Pages near each other, so that some hit. */
    const pages = Array.from({ length: 300 }, (_, i) => (Math.imul(i, 7) ^ (i >>> 3)) & 15);
    const found = (mmu: Mmu): unknown => [
      pages.map((page) => mmu.translate(0, page * 4096, READ)),
      mmu.counters.snapshot(),
      mmu.tlb.parts.map(({ tlb }) => Array.from({ length: tlb.ways }, (_, way) => tlb.entryAt(0, way))),
    ];

    it('need no help of the plain path', () => {
      const [hot, plain] = machines();
      const walks = vi.spyOn(X86Walks.prototype, 'walk');
      const hits = vi.spyOn(TlbGroup.prototype, 'hitFrame');
      const ofHot = found(hot);
      expect([walks, hits].map((calls) => calls.mock.calls.length)).toEqual([0, 0]);
      vi.restoreAllMocks();
      expect(ofHot).toEqual(found(plain));
    });

    it('are made by a program that stays within its first level, too', () => {
      const tables = new Tables();
      for (let page = 0; page < 2; page++) tables.map(page * 4096, page, 0x27);
      const mmu = tables.mmu({ tlb: parseTlb('8x4+32x8+psc') });
      for (let i = 0; i < 6 * PAGES; i++) mmu.translate(0, (i & 1) * 4096, READ);
      const hits = vi.spyOn(TlbGroup.prototype, 'hitFrame');
      expect([0, 1].map((page) => mmu.translate(0, page * 4096, READ))).toEqual([0, 1]);
      expect(hits).not.toHaveBeenCalled();
      vi.restoreAllMocks();
      expect(mmu.counters.snapshot().data).toMatchObject({ l1Hits: 6 * PAGES, walks: 2 });
    });

    it('leave a short batch on the plain path no page that they evicted', () => {
      const [hot, plain] = machines().map((mmu) => {
        const fresh = Int32Array.of(PAGES * 4096);
        mmu.translate(0, fresh[0], READ);
        for (let page = 0; page < 64; page++) mmu.translate(0, page * 4096, READ);
        mmu.translateMany(new Int32Array(1), fresh, 1, READ, new Int32Array(1));
        return mmu.counters.snapshot();
      });
      expect(hot).toEqual(plain);
    });

    it('go on when the plain path has to look at clocks', () => {
      const [hot, plain] = machines();
      for (const { tlb } of [...hot.tlb.parts, ...plain.tlb.parts]) {
        const cells = Reflect.get(tlb, 'cells') as Int32Array;
        cells[cells.length - 1] = 2 ** 31 - 1 - HOT_USES;
      }
      expect(found(hot)).toEqual(found(plain));
      const { singles } = Reflect.get(Reflect.get(hot, 'dataPath'), 'hot') as { singles: Int32Array[] };
      singles[READ][LOOKUPS_LEFT] = 2;
      expect(found(hot)).toEqual(found(plain));
      expect(singles[READ][LOOKUPS_LEFT]).toBeGreaterThan(1000);
    });
  });

  it('are the compiled form of their source: else run npm run build:hot', () => {
    expect(hashOfSource('hw/hot')).toBe(BATCH_SOURCE);
  });
});
