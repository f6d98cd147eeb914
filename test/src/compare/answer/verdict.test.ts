import { expect, test } from 'vitest';
import { judge, type Ground } from '../../../../src/compare/answer/verdict.js';
import { sampleRun } from '../../report/sample.js';

const MEMORY_2M = { mappedBytes: 2 ** 28, wastedBytes: 6 * 2 ** 20, pageTableBytes: 12_288 };
const small = (...ns: number[]) => sampleRun('4K', ns);
const large = (...ns: number[]) =>
  sampleRun('2M', ns, { memory: MEMORY_2M, reach: { entriesNeeded: 128, entries: 1536 } });
const giant = (...ns: number[]) => sampleRun('1G', ns, { reach: { entriesNeeded: 4, entries: 0 } });

/** One process, recorded whole. */
function ground(changes: Partial<Ground['coverage']> = {}, others: Partial<Ground> = {}): Ground {
  const whole = {
    accesses: 1_000_000,
    windows: 1,
    ofRun: 1,
    touchedBytes: 2 ** 28,
    residentBytes: null,
    processes: 1,
    programs: [],
    countedAsOne: 1,
  };
  return { coverage: { ...whole, ...changes }, ...others };
}

test('yes: even the low end gains, and the answer says by how much, of what share, for what price', () => {
  const { verdict, speedup, why, advice } = judge(ground(), [small(13, 17), large(10, 10)]);
  expect([verdict, speedup]).toEqual(['yes', { low: 1.3, high: 1.7 }]);
  expect(why).toBe('256 MiB needs 128 entries of 2M, not 65,536 of 4K; the TLB holds 1,536 of 2M or 1,536 of 4K.');
  expect(advice).toBe(
    'Yes. 2M pages: 1.30 to 1.70 times as fast in the steady phase; translation takes 30 to 50% of the time with 4K pages. They waste 6 MiB of memory.',
  );
});

test('page tables are a price where they take more: of larger granules', () => {
  const memory = { mappedBytes: 2 ** 28, wastedBytes: 0, pageTableBytes: 2 ** 20 };
  const base = sampleRun('4K', [13], { memory: { ...memory, pageTableBytes: 2 ** 19 } });
  expect(judge(ground(), [base, sampleRun('16K', [10], { memory })]).advice).toMatch(
    / Their page tables take 1 MiB, not 512 KiB\.$/,
  );
});

test.each([
  ['yes', [1.04, 1.2]],
  ['between', [1.02, 1.2]],
  ['between', [0.9, 1.2]],
  ['no', [1, 1.02]],
  ['no', [0.8, 1]],
])('%s: the threshold is 3% of the time, at the low end for yes and at the high end for no: %j', (verdict, ns) => {
  expect(judge(ground(), [small(...ns), large(1, 1)]).verdict).toBe(verdict);
});

test.each([
  ['no', [1, 1 / (1 - 0.0297)], 'between', 'the high end saves 2.97%'],
  ['no', [1, 1 / (1 - 0.0269)], undefined, ''],
  ['yes', [1 / (1 - 0.0301), 1.2], 'between', 'the low end saves 3.01%'],
  ['yes', [1 / (1 - 0.0334), 1.2], undefined, ''],
  ['between', [1 / (1 - 0.028), 1.2], 'yes', 'the low end saves 2.8%'],
  ['between', [0.9, 1 / (1 - 0.0301)], 'no', 'the high end saves 3.01%'],
  ['between', [1, 1.2], undefined, ''],
])('%s of %j is near %s: that is said where prices a tenth off would turn it', (verdict, ns, nearly, words) => {
  const judged = judge(ground(), [small(...ns), large(1, 1)]);
  expect([judged.verdict, judged.nearly]).toEqual([verdict, nearly]);
  const near = ` Near the threshold of 3%: ${words}, and prices a tenth off would make it ${nearly}.`;
  if (nearly === undefined) expect(judged.advice).not.toContain('Near');
  else expect(judged.advice).toContain(near);
});

test('between says to try it, and no names no price', () => {
  expect(judge(ground(), [small(1, 1.2), large(1, 1)]).advice).toMatch(
    /^Between: try it\. 2M pages: 1\.00 to 1\.20 times/,
  );
  const { advice } = judge(ground(), [small(1, 1), large(1, 1)]);
  expect([advice.slice(0, 33), advice.includes('waste')]).toEqual(['No. 2M pages: 1.00 times as fast ', false]);
});

test('under a host with small pages larger ones need as many entries of the TLB, and it says so', () => {
  const over4K = sampleRun('2M', 1, { reach: { entriesNeeded: 65_536, entries: 1536, held: '4K' } });
  expect(judge(ground(), [small(2), over4K]).why).toBe(
    '256 MiB needs 65,536 entries of 4K with 2M pages too: no entry holds more than a page of the host, and the TLB has 1,536 of 4K. What they spare is reads of walks.',
  );
  const over2M = sampleRun('1G', 1, { reach: { entriesNeeded: 128, entries: 1536, held: '2M' } });
  expect(judge(ground(), [small(2), over2M]).why).toBe(
    '256 MiB needs 128 entries of 2M, not 65,536 of 4K; the TLB holds 1,536 of 2M or 1,536 of 4K.',
  );
});

test('a footprint that fits says so', () => {
  const fits = sampleRun('4K', 1, { reach: { entriesNeeded: 256, entries: 1536 } });
  const { why } = judge(ground({ touchedBytes: 2 ** 20 }), [fits, large(1)]);
  expect(why).toBe('1 MiB needs 256 entries of 4K; the TLB holds 1,536 of 4K: all fit.');
});

test('the smallest page size that saves nearly everything is advised', () => {
  expect(judge(ground(), [small(3), large(1.02), giant(1)]).pages).toBe('2M');
  expect(judge(ground(), [small(3), large(2), giant(1)]).pages).toBe('1G');
});

test('first touch stands apart, and lowers what a short run gains', () => {
  // 50 ns an access each for small pages; none for large ones.
  const touched = large(10);
  const { speedup, withFirstTouch } = judge(ground(), [
    small(13),
    { ...touched, firstTouch: { ...touched.firstTouch, ns: 1e8 } },
  ]);
  expect(speedup).toEqual({ low: 1.3, high: 1.3 });
  expect(withFirstTouch?.low).toBeCloseTo(63 / 110, 9);
});

const WINDOW = { skip: 5, accesses: 2_000_000, cut: true, chosen: false };

test.each([
  [
    'several processes',
    ground({ processes: 3, countedAsOne: 3 }),
    'several-processes',
    /^none: 3 processes are counted as one/,
  ],
  [
    'a recording that --limit cut',
    ground({}, { window: WINDOW }),
    'cut',
    /^none: --limit cut .* at 2,000,000 accesses/,
  ],
  [
    'an interrupted recording',
    ground({}, { window: { ...WINDOW, interrupted: true } }),
    'cut',
    /^none: the recording was interrupted/,
  ],
  ['programs not seen', ground({}, { unseen: 2 }), 'unseen', /^none: 2 programs left the emulator/],
  [
    'a footprint far below what is resident',
    ground({ residentBytes: 2 ** 30 }),
    'footprint',
    /^none: the recorded part touched 256 MiB of 1 GiB resident/,
  ],
])('%s: no verdict, whatever is saved', (_, given, reason, advice) => {
  for (const ns of [3.4, 1]) {
    const judged = judge(given, [small(ns), large(1)]);
    expect(judged).toMatchObject({ verdict: 'none', reason, advice: expect.stringMatching(advice) as string });
    expect(judged.speedup).toEqual({ low: ns, high: ns });
  }
});

test('one page size alone gives no verdict', () => {
  expect(judge(ground(), [small(3)])).toMatchObject({ verdict: 'none', reason: 'one-page-size', speedup: null });
});

test('a part chosen on purpose keeps its verdict', () => {
  expect(judge(ground({}, { window: { ...WINDOW, chosen: true } }), [small(2), large(1)]).verdict).toBe('yes');
});

test('a number of processes that is unknown stands beside the figures, and takes no verdict', () => {
  expect(judge(ground({ countedAsOne: 'unknown' }), [small(3.4), large(0.4)]).verdict).toBe('yes');
});

test('misses that are the first of their pages are no ground for a yes, and do not hinder a no', () => {
  const startUp = (ns: number) => sampleRun('4K', ns, { reach: { entriesNeeded: 395_000, entries: 1536 } });
  expect(judge(ground(), [startUp(3.4), large(0.1)])).toMatchObject({ verdict: 'none', reason: 'start-up' });
  const sampled = { ...startUp(3.4), coldPages: 100_000 };
  expect(judge(ground({ windows: 41 }), [sampled, large(0.1)]).verdict).toBe('yes');
  expect(judge(ground({ windows: 7 }), [sampled, large(0.1)]).verdict).toBe('none');
  expect(judge(ground(), [startUp(1), large(1)]).verdict).toBe('no');
});

test('many parts of a run are a sample of it, though they touch little of what is resident', () => {
  expect(judge(ground({ residentBytes: 2 ** 30, windows: 40 }), [small(2), large(1)]).verdict).toBe('yes');
});
