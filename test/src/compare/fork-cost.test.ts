import { describe, expect, it, test } from 'vitest';
import { SHIFT_1G, SHIFT_2M, SHIFT_4K } from '../../../hw/base/address.js';
import { FORK_SHIFTS, forkCost, granuleTableBytes, type ForkOptions } from '../../../src/compare/fork-cost.js';
import { ForkResult, type ForkRun, type ForkScenario } from '../../../src/report/results/fork-result.js';

const MIB = 2 ** 20;

const runs = new Map<string, Promise<ForkRun>>();

/** The first run of what is asked for; it is worked out once for all tests. */
function forkRun(options: Partial<ForkOptions>): Promise<ForkRun> {
  const question = JSON.stringify(options);
  const known = runs.get(question);
  if (known !== undefined) return known;
  const cost = forkCost({ resident: 8 * MIB, pages: [SHIFT_4K], touch: 0.1, exec: false, ...options });
  const run = cost.then((result) => result.runs[0]);
  runs.set(question, run);
  return run;
}

function scenario(run: ForkRun, name: ForkScenario['name']): ForkScenario {
  return run.scenarios.find((one) => one.name === name)!;
}

test('with 4 KiB pages fork copies an entry a page, in as many tables as those take', async () => {
  // 8 MiB: 2048 entries in 4 page tables, under one page directory, one PDPT and one PML4.
  expect(await forkRun({})).toMatchObject({
    pages: '4K',
    entriesCopied: 2048,
    tableBytes: 7 * 4096,
    spareTableBytes: 0,
  });
});

test('with 2 MiB pages it copies an entry a huge page, and sets a table aside for each', async () => {
  const run = await forkRun({ pages: [SHIFT_2M] });
  expect(run).toMatchObject({ pages: '2M', entriesCopied: 4, tableBytes: 3 * 4096, spareTableBytes: 4 * 4096 });
});

test('a share of 10% is a tenth of the 4 KiB pages, rounded up', async () => {
  const run = await forkRun({});
  expect([run.cowFaults, run.bytesCopied]).toEqual([205, 205 * 4096]);
});

test('child and parent pay the same when one of them writes', async () => {
  const run = await forkRun({});
  const paid = ({ cowFaults, bytesCopied, invalidations }: ForkScenario) => [cowFaults, bytesCopied, invalidations];
  expect(paid(scenario(run, 'parent'))).toEqual(paid(scenario(run, 'child')));
});

test('who writes second re-uses its page, without a copy', async () => {
  const both = scenario(await forkRun({}), 'both');
  expect(both).toMatchObject({ cowFaults: 410, reused: 205, bytesCopied: 205 * 4096 });
});

test('after an exec nothing is copied, though every first write still faults', async () => {
  const run = await forkRun({ exec: true });
  expect(run.scenarios.map(({ name }) => name)).toEqual(['best']);
  expect(run).toMatchObject({ cowFaults: 205, bytesCopied: 0 });
});

test('in the worst case everything is copied once', async () => {
  expect(scenario(await forkRun({}), 'worst')).toMatchObject({ cowFaults: 4096, bytesCopied: 8 * MIB });
});

test('writes to huge pages of a shared process copy no more than 4 KiB each', async () => {
  const run = await forkRun({ pages: [SHIFT_2M] });
  expect([run.cowFaults, run.bytesCopied]).toEqual([205, 205 * 4096]);
});

test('memory that is no whole number of huge pages ends in smaller ones', async () => {
  const run = await forkRun({ pages: [SHIFT_1G], resident: 5 * MIB });
  expect(run).toMatchObject({ pages: '1G', entriesCopied: 2 + 256 });
});

test('nothing touched, nothing paid', async () => {
  expect(await forkRun({ touch: 0 })).toMatchObject({ cowFaults: 0, bytesCopied: 0 });
});

test('every scenario starts from the same process', async () => {
  const names = ['child', 'parent', 'both', 'best', 'worst'];
  const run = await forkRun({ pages: [SHIFT_2M], touch: 1 });
  expect(run.scenarios.map(({ name }) => name)).toEqual(names);
  // Splits by one scenario would show in the next: the best case re-uses huge pages whole.
  expect(scenario(run, 'best')).toMatchObject({ cowFaults: 4, bytesCopied: 0 });
});

test.each(['x86', 'riscv', 'aarch64'] as const)(
  'what is found on %s has the form that its schema says',
  async (machine) => {
    const pages = FORK_SHIFTS[machine];
    const result = await forkCost({ resident: MIB, pages, touch: 0.1, exec: true, machine });
    expect(ForkResult.parse(result)).toEqual(result);
  },
);

describe('other machines and base pages', () => {
  const asked = { resident: 4 * MIB, pages: [12, 21], touch: 0.1, exec: false };
  const x86 = forkCost(asked);

  it.each(['riscv', 'aarch64'] as const)('%s copies what x86 copies, with the same pages', async (machine) => {
    const other = await forkCost({ ...asked, machine });
    expect(other.runs).toEqual((await x86).runs);
  });

  it('larger base pages: fewer entries and faults, and more bytes with each', async () => {
    const { runs } = await forkCost({
      resident: 8 * MIB,
      pages: [12, 14, 16],
      touch: 0.01,
      exec: false,
      machine: 'aarch64',
    });
    expect(
      runs.map(({ pages, entriesCopied, cowFaults, bytesCopied }) => [pages, entriesCopied, cowFaults, bytesCopied]),
    ).toEqual([
      ['4K', 2048, 21, 21 * 4096],
      ['16K', 512, 6, 6 * 16_384],
      ['64K', 128, 2, 2 * 65_536],
    ]);
    // 4 KiB: 4 last tables and one of each level above. 8 MiB is less than one last table of the others.
    expect(runs.map(({ tableBytes }) => tableBytes)).toEqual([7 * 4096, 3 * 16_384, 3 * 65_536]);
    expect(granuleTableBytes(2048, 12)).toBe(runs[0].tableBytes);
  });
});
