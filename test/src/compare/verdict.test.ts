import { expect, test } from 'vitest';
import { judge, type Ground } from '../../../src/compare/verdict.js';
import type { CompareRun } from '../../../src/report/compare-result.js';
import { sampleRun } from '../report/sample.js';

const MEMORY_2M = { mappedBytes: 2 ** 28, wastedBytes: 6 * 2 ** 20, pageTableBytes: 12_288 };
/** One process, recorded whole. */
const touching = (touchedBytes: number): Ground => ({ touchedBytes, processes: 1 });
const small = (cycles: number) => sampleRun('4K', cycles);
const large = (cycles: number) =>
  sampleRun('2M', cycles, { memory: MEMORY_2M, reach: { entriesNeeded: 128, entries: 1536 } });
const giant = (cycles: number) => sampleRun('1G', cycles, { reach: { entriesNeeded: 4, entries: 0 } });

test('many cycles saved: yes, with what it saves and what it wastes', () => {
  const { verdict, why, advice } = judge(touching(2 ** 28), [small(3.4), large(0.4)]);
  expect(verdict).toBe('yes');
  expect(why).toBe('256 MiB needs 128 entries of 2M, not 65,536 of 4K; the TLB holds 1,536 of 2M or 1,536 of 4K.');
  expect(advice).toMatch(
    /2M pages save walks, 3 of 3.4 model cycles of translation an access \(88.2% of those, not of run time\), and waste 6 MiB/,
  );
});

test('few cycles saved: slightly', () => {
  expect(judge(touching(2 ** 28), [small(0.5), large(0.25)]).verdict).toBe('slightly');
});

test('a footprint that fits needs no larger pages', () => {
  const fits = sampleRun('4K', 0.04, { reach: { entriesNeeded: 256, entries: 1536 } });
  const { verdict, why, advice } = judge(touching(2 ** 20), [fits, large(0.01)]);
  expect(verdict).toBe('no');
  expect(why).toBe('1 MiB needs 256 entries of 4K; the TLB holds 1,536 of 4K: all fit.');
  expect(advice).toContain('only 0.04 model cycles');
});

test('larger pages that cost more are not advised', () => {
  const { verdict, advice } = judge(touching(2 ** 28), [small(1), giant(5)]);
  expect([verdict, advice.includes('they save 0 of 1 model cycles')]).toEqual(['no', true]);
});

test('memory wasted beyond what the program touches is a but', () => {
  const wasteful = sampleRun('2M', 0.4, { memory: { ...MEMORY_2M, wastedBytes: 2 ** 29 } });
  expect(judge(touching(2 ** 28), [small(3.4), wasteful]).advice).toContain('but waste 512 MiB');
});

test('the smallest page size that saves nearly everything is advised', () => {
  expect(judge(touching(2 ** 28), [small(3), large(0.1), giant(0)]).advice).toContain('2M pages save walks');
  expect(judge(touching(2 ** 28), [small(3), large(2), giant(0)]).advice).toContain('1G pages save walks');
});

test('one page size alone gives no verdict', () => {
  expect(judge(touching(2 ** 28), [small(3)])).toMatchObject({ verdict: 'unknown', reason: 'one-page-size' });
});

test('a saving in hits of the second level alone is no yes, however large', () => {
  const hits = (run: CompareRun): CompareRun => ({ ...run, perAccess: { ...run.perAccess, walkCycles: 0.001 } });
  const { verdict, advice } = judge(touching(2 ** 21), [hits(small(3.07)), hits(large(0))]);
  expect(verdict).toBe('no');
  expect(advice).toContain(
    'of the 3.07 model cycles an access that 2M pages save, 0 are walks; the rest are L2 TLB hits',
  );
});

test('the page size that saves the walks is advised, though a smaller one saves as many cycles in hits', () => {
  const walks = (run: CompareRun, walkCycles: number): CompareRun => {
    return { ...run, perAccess: { ...run.perAccess, walkCycles } };
  };
  const { verdict, advice } = judge(touching(2 ** 28), [walks(small(3), 0.25), walks(large(0.29), 0.25), giant(0)]);
  expect([verdict, advice.includes('1G pages save walks, 0.25 of 3 model cycles')]).toEqual(['yes', true]);
});

const WINDOW = { skip: 5, accesses: 2_000_000, cut: true, chosen: false };

test.each([
  ['several processes', { processes: 3 }, 'several-processes', /^none: 3 processes are counted as one/],
  ['a recording that --limit cut', { window: WINDOW }, 'cut', /^none: --limit cut .* at 2,000,000 accesses/],
])('%s: no verdict, whatever is saved', (_, ground, reason, advice) => {
  for (const cycles of [3.4, 0.01]) {
    const judged = judge({ ...touching(2 ** 28), ...ground }, [small(cycles), large(0.001)]);
    expect(judged).toMatchObject({ verdict: 'unknown', reason, advice: expect.stringMatching(advice) as string });
  }
});

test('a number of processes that is unknown stands beside the figures, and takes no verdict', () => {
  expect(judge({ ...touching(2 ** 28), processes: 'unknown' }, [small(3.4), large(0.4)]).verdict).toBe('yes');
});

test('walks that are the first to their pages are no ground for a verdict', () => {
  const first = sampleRun('4K', 3.4, { reach: { entriesNeeded: 395_000, entries: 1536 } });
  const fewer = sampleRun('4K', 3.4, { reach: { entriesNeeded: 300_000, entries: 1536 } });
  expect(judge(touching(2 ** 28), [first, large(0.1)])).toMatchObject({ verdict: 'unknown', reason: 'first-touches' });
  expect(judge(touching(2 ** 28), [fewer, large(0.1)]).verdict).toBe('yes');
});
