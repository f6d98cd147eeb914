/**
 * Does a process get slower with many TLB shapes seen? Replays one workload on 200 shapes in one process. The first one
 * comes back as the 200th: code gone megamorphic meanwhile would show as a ratio above 1.
 */

import { READ, USER } from '../hw/base/access.js';
import { parseTlb } from '../hw/tlb/parse.js';
import { pagingMmu } from './native/machines.js';
import { CHUNK, LOADS, makeChunks, makeRam } from './native/workload.js';
import { cpuNow } from './measure/ratio.js';

const SHAPES = 200;
const ROUNDS = 7;
const FIRST = '64x4+1536x12+psc';
const ENTRIES = [16, 32, 64, 128, 256];
const WAYS = [1, 2, 4, 8];
const POLICIES = ['lru', 'tree-plru', 'fifo', 'random'];

/** 198 shapes, different in sets, ways, replacement, levels and arrays by page size. */
function otherShapes(): string[] {
  return Array.from({ length: SHAPES - 2 }, (_, i) => {
    const entries = ENTRIES[i % ENTRIES.length];
    const ways = WAYS[Math.floor(i / 5) % WAYS.length];
    const policy = POLICIES[Math.floor(i / 20) % POLICIES.length];
    const first = `${entries}x${ways}@4K/${policy},${entries}x${ways}@2M4M1G`;
    return i % 3 === 0
      ? first
      : `${first}+${entries * 12}x12/${i % 2 === 0 ? 'lru' : 'fifo'}${i % 5 === 0 ? '' : '+psc'}`;
  });
}

export interface ShapesResult {
  readonly schemaVersion: 1;
  /** CPU nanoseconds a translation of the first shape: before the others, and after them. */
  readonly first: number;
  readonly last: number;
  readonly ratio: number;
}

/** The least of some rounds, before the other shapes and after; `scale` is the share of the work to do. */
export function measureShapes(scale: number): ShapesResult {
  const ram = makeRam();
  const chunks = makeChunks('b', LOADS / 4);
  const values = new Int32Array(CHUNK);
  const cost = (shape: string, share: number): number => {
    const mmu = pagingMmu({ ram, tlb: parseTlb(shape) });
    const used = chunks.slice(0, Math.max(1, chunks.length * share * scale));
    const began = cpuNow();
    for (const { his, los } of used) {
      mmu.loadMany(his, los, CHUNK, READ | USER, values);
      for (let i = 0; i < CHUNK; i++) mmu.translate(his[i], los[i], READ | USER);
    }
    return (cpuNow() - began) / (2 * CHUNK * used.length);
  };
  const best = (): number => Math.min(...Array.from({ length: ROUNDS }, () => cost(FIRST, 1)));
  const first = best();
  for (const shape of otherShapes()) cost(shape, 1 / 16);
  const last = best();
  return { schemaVersion: 1, first, last, ratio: last / first };
}

export function shapesText({ first, last, ratio }: ShapesResult): string {
  return `first shape ${first.toFixed(1)} ns, as the ${SHAPES}th ${last.toFixed(1)} ns: ratio ${ratio.toFixed(2)}\n`;
}
