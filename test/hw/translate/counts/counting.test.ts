import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { READ, USER, WRITE } from '../../../../hw/base/access.js';
import { parseTlb } from '../../../../hw/tlb/parse.js';
import { Tables } from '../../tables.js';
import { runs } from '../../../runs.js';

/** The counting rules written by hand: LRU lists, index = VPN mod sets, L2 on an L1 miss, fills as stated. */
class Reference {
  readonly counts = { lookups: 0, l1Hits: 0, l2Hits: 0, walks: 0, entryReads: 0 };
  private readonly l1: number[][];
  private readonly l2: number[][];
  constructor(
    private readonly shape: { e1: number; w1: number; e2: number; w2: number },
    private readonly shift: number,
  ) {
    this.l1 = Array.from({ length: shape.e1 / shape.w1 }, () => []);
    this.l2 = Array.from({ length: shape.e2 / shape.w2 }, () => []);
  }
  private use(level: number[][], ways: number, vpn: number, fillOnly: boolean): boolean {
    const set = level[vpn % level.length];
    const at = set.indexOf(vpn);
    if (at >= 0) set.splice(at, 1);
    else if (!fillOnly) return false;
    else if (set.length === ways) set.pop();
    set.unshift(vpn);
    return at >= 0;
  }
  private lookup(vpn: number): void {
    const { w1, w2 } = this.shape;
    this.counts.lookups++;
    if (this.use(this.l1, w1, vpn, false)) {
      this.counts.l1Hits++;
      return;
    }
    if (this.use(this.l2, w2, vpn, false)) this.counts.l2Hits++;
    else {
      this.counts.walks++;
      this.counts.entryReads += this.shift === 12 ? 4 : 3;
      this.use(this.l2, w2, vpn, true);
    }
    this.use(this.l1, w1, vpn, true);
  }
  access(address: number, size: number): void {
    const first = Math.floor(address / 2 ** this.shift);
    const last = Math.floor((address + size - 1) / 2 ** this.shift);
    this.lookup(first);
    if (last !== first) this.lookup(last);
  }
}

const SHAPES = [
  { e1: 4, w1: 2, e2: 16, w2: 4 },
  { e1: 6, w1: 3, e2: 15, w2: 5 },
  { e1: 8, w1: 8, e2: 12, w2: 1 },
];

describe('the counting rules', () => {
  it.each([12, 21])('hold against a hand-written reference on pages of 2^%i bytes, crossings included', (shift) => {
    const pages = 24;
    const tables = new Tables(shift === 12 ? 64 << 20 : 128 << 20);
    const level = shift === 12 ? 0 : 1;
    for (let page = 0; page < pages; page++) tables.map(page * 2 ** shift, 4096 + page * (level ? 512 : 1), 7, level);
    const access = fc.record({
      page: fc.integer({ min: 0, max: pages - 2 }),
      offset: fc.oneof(fc.constantFrom(2 ** shift - 1, 2 ** shift - 4, 4090), fc.nat({ max: 2 ** shift - 1 })),
      size: fc.integer({ min: 1, max: 64 }),
      write: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.constantFrom(...SHAPES), fc.array(access, { maxLength: 400 }), (shape, accesses) => {
        const { e1, w1, e2, w2 } = shape;
        const mmu = tables.mmu({ tlb: parseTlb(`${e1}x${w1}+${e2}x${w2}`) });
        const reference = new Reference(shape, shift);
        for (const { page, offset, size, write } of accesses) {
          const address = page * 2 ** shift + offset;
          expect(mmu.locate(0, address, size, USER | (write ? WRITE : READ))).toBe(0);
          reference.access(address, size);
        }
        expect(mmu.counters.snapshot().data).toMatchObject(reference.counts);
        expect(mmu.counters.check()).toEqual([]);
      }),
      { numRuns: runs(60) },
    );
  });

  it('hold with mixed page sizes, several PCIDs, faults and invalidations in between', () => {
    const tables = new Tables(128 << 20);
    for (let page = 0; page < 16; page++) tables.map(page * 4096, 4096 + page);
    for (let page = 1; page < 6; page++) tables.map(page << 21, 4096 + page * 512, 7, 1);
    const step = fc.oneof(
      fc.record({ kind: fc.constant('access'), value: fc.integer({ min: 0, max: (7 << 21) - 9 }) }),
      fc.record({ kind: fc.constantFrom('invlpg', 'cr3', 'invpcid'), value: fc.integer({ min: 0, max: 6 << 21 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const mmu = tables.mmu({ tlb: parseTlb('4x2@4K,2x2@2M+8x4+psc') }, 0x2_0000);
        let faults = 0;
        for (const { kind, value } of steps) {
          if (kind === 'invlpg') mmu.invlpg(0, value);
          else if (kind === 'cr3') mmu.writeCr3(value & 1 ? 0x8000_0000 | 0 : 0, 0x1000 | (value & 3));
          else if (kind === 'invpcid') mmu.invpcid(value & 3, 1, 0, value);
          else if (mmu.locate(0, value, 8, USER) < 0) faults++;
        }
        const counts = mmu.counters.snapshot();
        expect(counts.faultsOnWalk + counts.faultsOnHit).toBe(faults);
        expect(mmu.counters.check()).toEqual([]);
      }),
      { numRuns: runs(100) },
    );
  });
});
