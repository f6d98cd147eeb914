import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { READ, USER, WRITE } from '../../hw/base/access.js';
import { Ram } from '../../hw/memory/ram.js';
import { buildTables, BYTES, entryIndex, entryOf, PAGES, startProcessor } from './two-cores-tables.js';
import type { CoreReport, CoreTask } from './two-cores-worker.js';
import { runs } from '../runs.js';

/** A worker runs compiled code: the build comes before the tests. */
const WORKER = fileURLToPath(new URL('../../dist/test/hw/two-cores-worker.js', import.meta.url));

type Thread = Pick<CoreTask, 'role' | 'path' | 'rounds'> & Partial<Pick<CoreTask, 'pages' | 'settled'>>;

function startTogether(tasks: readonly Thread[]): Promise<CoreReport[]> {
  const ram = new Ram({ bytes: BYTES, shared: true });
  buildTables(ram);
  const gate = new SharedArrayBuffer(4);
  return Promise.all(
    tasks.map((task, seed) => {
      const workerData: CoreTask = {
        pages: PAGES,
        settled: false,
        ...task,
        ram: ram.share(),
        gate,
        threads: tasks.length,
        seed,
      };
      return new Promise<CoreReport>((resolve, reject) => {
        new Worker(WORKER, { workerData }).once('message', resolve).once('error', reject);
      });
    }),
  );
}

it.each(['walk', 'soft', 'modelled'] as const)(
  'two processors answer only what entries said while a third thread stores them, and undo none of its stores: %s',
  async (path) => {
    const rounds = runs(200_000);
    const reports = await startTogether([
      { role: 'walk at random', path, rounds },
      { role: 'walk at random', path, rounds },
      { role: 'store entries', path, rounds },
    ]);
    expect(reports.flatMap(({ wrong }) => wrong)).toEqual([]);
    const [first, second] = reports;
    expect(Math.min(first.done, first.faults, second.done, second.faults)).toBeGreaterThan(0);
  },
);

it.each(['walk', 'modelled'] as const)(
  'never takes the words of two entries for one that stood there: %s',
  async (path) => {
    const few = { path, rounds: runs(500_000), pages: 2, settled: true };
    const [walker, storer] = await startTogether([
      { role: 'walk at random', ...few },
      { role: 'store entries', ...few },
    ]);
    expect([...walker.wrong, ...storer.wrong]).toEqual([]);
  },
);

it('a dirty bit that one processor sets outlives the accessed bit that the other sets', async () => {
  const rounds = runs(300);
  const reports = await startTogether([
    { role: 'read all pages', path: 'walk', rounds },
    { role: 'write all pages', path: 'walk', rounds },
  ]);
  expect(reports.flatMap(({ wrong }) => wrong)).toEqual([]);
});

/** RAM whose entry of page 0 another processor changes to `after` just before this one sets bits in it. */
function changedMeanwhile(after: readonly [number, number]): Ram {
  const ram = new Ram({ bytes: BYTES, shared: true });
  buildTables(ram);
  ram.storeEntry(entryIndex(0), ...entryOf(0, 1));
  const replace = ram.replaceEntry.bind(ram);
  ram.replaceEntry = (index, high, low, newLow) => {
    if (index === entryIndex(0) && low === entryOf(0, 1)[1]) ram.storeEntry(index, ...after);
    return replace(index, high, low, newLow);
  };
  return ram;
}

it('walks again when the entry is another by the time that it is to be marked', () => {
  const ram = changedMeanwhile(entryOf(0, 2));
  expect(startProcessor(ram, { path: 'walk' }).translate(0, 0, WRITE | USER)).toBe(0x10_2000);
  expect(ram.words[entryIndex(0)] & 0x60).toBe(0x60);
});

it('faults, and leaves the entry alone, when it is gone by the time that it is to be marked', () => {
  const ram = changedMeanwhile(entryOf(0, 0));
  const mmu = startProcessor(ram, { path: 'walk' });
  expect(mmu.translate(0, 0, READ | USER)).toBeLessThan(0);
  expect(mmu.fault.errorCode).toBe(4);
  expect(ram.read64(entryIndex(0) * 4)).toBe(0n);
});

it('a processor keeps its own TLB entry until it invalidates it itself', () => {
  const ram = new Ram({ bytes: BYTES, shared: true });
  buildTables(ram);
  ram.storeEntry(entryIndex(7), ...entryOf(7, 1));
  const [one, other] = [ram, new Ram(ram.share())].map((memory) => startProcessor(memory, {}));
  const translations = (): number[] => [one, other].map((mmu) => mmu.translate(0, 7 << 12, READ | USER));
  expect(translations()).toEqual([0x1007, 0x1007]);
  ram.storeEntry(entryIndex(7), ...entryOf(7, 2));
  one.invlpg(0, 7 << 12);
  expect(translations()).toEqual([0x10_2007, 0x1007]);
  other.invlpg(0, 7 << 12);
  expect(translations()).toEqual([0x10_2007, 0x10_2007]);
});
