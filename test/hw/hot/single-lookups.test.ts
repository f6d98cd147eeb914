/**
 * Single lookups in hot loops beside the plain path: where a page is in a TLB twice, since software changed it without an
 * invalidation, the size found last decides between the two. So these frames tell whether both know that size.
 */

import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ACCESS_KINDS, FETCH, READ, WRITE } from '../../../hw/base/access.js';
import { AArch64Walks } from '../../../hw/aarch64/walks.js';
import type { Pe } from '../../../hw/aarch64/pe.js';
import { LOOKUPS_LEFT } from '../../../hw/hot/control.js';
import { HOT_USES } from '../../../hw/tlb/array/cells.js';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { CONTIGUOUS, DATA, EL0, NG, Tables } from '../aarch64/tables.js';

const SET = 0x1_0000;
/** A page of the set, and one that is looked up when the set is contiguous. */
const [PAGE, OTHER] = [SET + 0x1000, SET + 0x2000];
const FAR = 0x4_0000;
const BLOCK = 0x20_0000;
const MISSING = 0x1000_0000;
const OLD_FRAME = DATA / 4096;
const NEW = DATA + 0x10_0000;
/** Bits of TCR_EL1. */
const TBI0 = 1n << 37n;
const E0PD0 = 1n << 55n;
const NEW_FRAME = NEW / 4096 + 1;

describe.each([true, false])('single lookups, WebAssembly %s', (webAssembly) => {
  let tables: Tables;
  let root: number;

  beforeEach(() => {
    tables = new Tables(12, webAssembly);
    root = tables.root();
    tables.map(root, PAGE, DATA, 0n);
    tables.map(root, FAR, DATA, 0n);
    tables.map(root, BLOCK, 2 * DATA, NG, 1);
  });

  /** A PE whose hot loops begin with the first miss. */
  const makePe = (tlb: string): Pe => {
    const pe = tables.pe(root, tables.tcr(), { tlb: parseTlb(tlb) });
    Reflect.set(pe.dataPath, 'plainLookups', 1 << 20);
    return pe;
  };
  const look = (pe: Pe, address: number, access = READ): number => pe.translate(0, address, access);
  /** One entry for the page, then one for the contiguous set around it. */
  const enterTwice = (pe: Pe): void => {
    look(pe, PAGE);
    for (let n = 0; n < 16; n++) tables.map(root, SET + n * 4096, NEW + n * 4096, CONTIGUOUS);
    look(pe, OTHER);
  };

  it('leave a batch the size found last', () => {
    const pe = makePe('8x8+16x16');
    look(pe, FAR);
    enterTwice(pe);
    if (tables.ram.hot !== null) tables.ram.hot.leastBatch = 1;
    const frames = new Int32Array(1);
    pe.translateMany(new Int32Array(1), Int32Array.of(PAGE), 1, READ, frames);
    expect(frames[0]).toBe(NEW_FRAME);
  });

  it('leave a flush the size found last', () => {
    const pe = makePe('8x8+16x16');
    look(pe, BLOCK);
    enterTwice(pe);
    pe.tlbi('ASIDE1');
    expect(look(pe, PAGE)).toBe(NEW_FRAME);
  });

  it('are none where the first level holds pieces of a page', () => {
    const pe = makePe('8x8@4K+16x16@4K64K');
    look(pe, FAR);
    enterTwice(pe);
    look(pe, FAR);
    expect(look(pe, PAGE, FETCH)).toBe(NEW_FRAME);
  });

  it('leave the size found last where pieces of a page were', () => {
    const pe = makePe('8x8@4K64K+16x16@4K64K');
    look(pe, FAR);
    enterTwice(pe);
    look(pe, BLOCK);
    look(pe, MISSING);
    expect(look(pe, PAGE)).toBe(NEW_FRAME);
  });

  it('are asked for once where there are none', () => {
    const pe = makePe('8x8@4K+16x16@4K64K');
    for (let n = 0; n < 16; n++) tables.map(root, SET + n * 4096, NEW + n * 4096, CONTIGUOUS);
    look(pe, OTHER);
    const asked = vi.spyOn(AArch64Walks.prototype, 'tellHot');
    look(pe, FAR, WRITE);
    for (let n = 0; n < 16; n++) look(pe, SET + n * 4096, WRITE);
    expect(asked.mock.calls.length).toBeLessThanOrEqual(1);
    vi.restoreAllMocks();
  });

  it('of all kinds of access together do not overflow a clock', () => {
    const pe = makePe('8x8+16x16');
    look(pe, FAR);
    const hot = Reflect.get(pe.dataPath, 'hot') as { singles: Int32Array[] } | null;
    expect(hot !== null).toBe(webAssembly);
    const left = hot?.singles[READ][LOOKUPS_LEFT] ?? 0;
    expect(2 * ACCESS_KINDS * left).toBeLessThanOrEqual(HOT_USES);
    expect(2 * HOT_USES).toBeLessThan(2 ** 31);
  });

  describe('the last translation once more', () => {
    it('is the old page until an invalidation', () => {
      const pe = makePe('8x8+16x16');
      expect(look(pe, PAGE)).toBe(OLD_FRAME);
      tables.map(root, PAGE, NEW, 0n);
      expect(look(pe, PAGE)).toBe(OLD_FRAME);
      pe.tlbi('VMALLE1');
      expect(look(pe, PAGE)).toBe(NEW / 4096);
    });

    it('has the size of its piece in the first level', () => {
      const pe = makePe('8x8@4K+16x16@4K2M');
      const sizes = [1, 2, 3].map(() => {
        look(pe, BLOCK);
        return pe.dataPath.regime.pageShifts[pe.lastSize];
      });
      expect(sizes).toEqual([21, 12, 12]);
    });

    it('is no hit where the first level allows less than the walk', () => {
      const pe = tables.pe(root, tables.tcr(E0PD0), { cpu: 'max', tlb: parseTlb('8x8+16x16') });
      tables.map(root, PAGE, DATA, EL0);
      for (let n = 0; n < 3; n++) expect(look(pe, PAGE, READ)).toBe(OLD_FRAME);
      expect(pe.counters.snapshot().data).toMatchObject({ l1Hits: 0, walks: 3 });
    });

    it('is none after others of a batch, with a tag or without one', () => {
      const pe = tables.pe(root, tables.tcr(TBI0), { cpu: 'max', tlb: parseTlb('1x1+16x16') });
      Reflect.set(pe.dataPath, 'plainLookups', 1 << 20);
      const his = Int32Array.of(0x100_0000, 0, 0x100_0000);
      const los = Int32Array.of(PAGE, FAR, PAGE);
      expect(pe.translateMany(his, los, 3, READ, new Int32Array(3))).toBe(3);
      expect(pe.counters.snapshot().data).toMatchObject({ l1Hits: 0, l2Hits: 1, walks: 2 });
    });
  });
});
