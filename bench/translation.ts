/** How fast are translations: first-level hits, second-level hits, misses; one call at a time, and in batches? */

import { READ, USER } from '../hw/base/access.js';
import { highWord, lowWord } from '../hw/base/address.js';
import { Random } from '../hw/base/random.js';
import { parseTlb } from '../hw/tlb/parse.js';
import { makeMachine } from '../src/compare/machine/make-machine.js';
import type { BenchTask } from './measure/measure.js';

const BATCH = 4096;
const BASE = 2 ** 40;
const ACCESS = READ | USER;

/** Pages drawn from few or many, for each place to answer: 32 fit the first level, 1024 only the second, 16384 neither. */
const PLACES = [
  { name: 'L1 hit', pages: 32 },
  { name: 'L2 hit', pages: 1024 },
  { name: 'miss', pages: 16_384 },
] as const;

function addresses(pages: number, shift: number): { his: Int32Array; los: Int32Array } {
  const random = new Random(pages);
  const all = Array.from({ length: BATCH }, () => BASE + random.below(pages) * 2 ** shift + random.below(4096));
  return { his: Int32Array.from(all, highWord), los: Int32Array.from(all, lowWord) };
}

function tasksFor(tlb: string, shift: number, place: (typeof PLACES)[number]): BenchTask[] {
  const pages = shift === 12 ? place.pages : Math.min(place.pages, 4096);
  const machine = makeMachine(shift, parseTlb(tlb));
  const { his, los } = addresses(pages, shift);
  for (let i = 0; i < BATCH; i++) machine.makeResident(his[i], los[i]);
  const { mmu } = machine;
  const frames = new Int32Array(BATCH);
  const name = `${tlb === 'none' ? 'no TLB' : place.name}, ${shift === 12 ? '4K' : '2M'}`;
  let sink = 0;
  return [
    {
      name: `${name}, one call at a time`,
      operations: BATCH,
      run: () => {
        for (let i = 0; i < BATCH; i++) sink = (sink + mmu.translate(his[i], los[i], ACCESS)) | 0;
        if (mmu.fault.status !== 0) throw new Error(`translation faulted after ${sink}`);
      },
    },
    {
      name: `${name}, batch`,
      operations: BATCH,
      run: () => {
        if (mmu.translateMany(his, los, BATCH, ACCESS, frames) !== BATCH) throw new Error('translation faulted');
      },
    },
  ];
}

/** Every combination of TLB, page size and place. */
export function translationTasks(): BenchTask[] {
  const modelled = [12, 21].flatMap((shift) => PLACES.flatMap((place) => tasksFor('64x4+1536x12+psc', shift, place)));
  const none = [12, 21].flatMap((shift) => tasksFor('none', shift, PLACES[2]));
  return [...modelled, ...none];
}
