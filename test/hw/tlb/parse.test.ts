import { describe, expect, it } from 'vitest';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { presetByName, presetNames } from '../../../hw/tlb/presets.js';
import { TlbHierarchy } from '../../../hw/tlb/hierarchy.js';

describe('parseTlb', () => {
  it('reads two levels that hold every page size and have no paging-structure caches', () => {
    const geometry = parseTlb('64x4+1536x12');
    expect(geometry.l1Data).toMatchObject([
      { entries: 64, ways: 4, pages: [12, 14, 16, 21, 22, 25, 29, 30, 34], replacement: 'lru' },
    ]);
    expect(geometry.l2).toMatchObject([{ entries: 1536, ways: 12 }]);
    expect(geometry.walkCaches).toBeUndefined();
  });

  it('reads arrays by page size, full associativity, policies and paging-structure caches', () => {
    const geometry = parseTlb('64x4@4K,4xfa@1G/fifo+1280x5@4K2M/tree-plru+psc');
    expect(geometry.l1Data).toMatchObject([
      { entries: 64, ways: 4, pages: [12] },
      { entries: 4, ways: 4, pages: [30], replacement: 'fifo' },
    ]);
    expect(geometry.l2).toMatchObject([{ entries: 1280, ways: 5, pages: [12, 21], replacement: 'tree-plru' }]);
    expect(geometry.walkCaches).toBeDefined();
  });

  it('reads the page sizes of every machine, and coalesced ones', () => {
    const geometry = parseTlb('48xfa@4K16K64K+1280x5@4K64K2M32M512M');
    expect([geometry.l1Data[0].pages, geometry.l2[0].pages]).toEqual([
      [12, 14, 16],
      [12, 16, 21, 25, 29],
    ]);
    expect([geometry.coalesces, parseTlb('64xfa@4K32K').coalesces, parseTlb('64xfa').coalesces]).toEqual([
      14,
      15,
      undefined,
    ]);
  });

  it('reads one level alone', () => {
    expect(parseTlb('48xfa').l2).toEqual([]);
  });

  it.each([
    ['64', /64x4/],
    ['64x5', /ways 5/],
    ['64x4+1x1+2x2', /two levels/],
    ['64x4@8K', /page size 8K/],
    ['pentium', /a preset: skylake/],
    ['', /write ENTRIESxWAYS/],
    ['psc', /two levels/],
  ])('refuses %j and says what would do', (text, message) => {
    expect(() => parseTlb(text)).toThrow(message);
  });
});

describe('presets', () => {
  it.each(presetNames().map((name) => [name]))('%s can be built, and every array says where it comes from', (name) => {
    const geometry = presetByName(name)!;
    expect(() => new TlbHierarchy(geometry)).not.toThrow();
    const levels = [geometry.l1Data, geometry.l1Store ?? [], geometry.l1Instruction, geometry.l2];
    for (const array of [...levels, geometry.l2Instruction ?? []].flat()) expect(array.source).toMatch(/\w{3}/);
  });
});
