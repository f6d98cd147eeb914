import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { CompareResult } from '../../../../src/report/results/compare-result.js';
import { compareRows, compareText } from '../../../../src/report/views/compare-views.js';
import { sampleResult, sampleRun } from '../sample.js';

function plainText(result: CompareResult): string {
  return stripVTControlCharacters(compareText(result));
}

test('a result keeps to its schema', () => {
  expect(CompareResult.parse(sampleResult())).toEqual(sampleResult());
});

test('hits and walks that do not add up to the lookups are refused', () => {
  const result = sampleResult();
  result.runs[0].counts.walks++;
  expect(() => CompareResult.parse(result)).toThrow(/add up to the lookups/);
});

test('three page sizes fit into 80 columns', () => {
  const result = sampleResult();
  result.runs.push(
    sampleRun('1G', 0.1, { memory: { mappedBytes: 4 * 2 ** 30, wastedBytes: 15 * 2 ** 28, pageTableBytes: 8192 } }),
  );
  for (const line of plainText(result).split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
});

test('the table shows the counts, why, and the verdict', () => {
  const text = plainText(sampleResult());
  for (const part of ['4K pages', '2M pages', '1,000,000', '256 MiB', 'Why: ', 'Verdict: Yes.']) {
    expect(text).toContain(part);
  }
});

test('the window and the number of processes are told where they matter', () => {
  const result = sampleResult();
  expect(plainText(result)).not.toMatch(/Window|processes/);
  result.traces[0].window = { skip: 98_000_000, accesses: 6_000_000, cut: true, chosen: false };
  result.traces[0].coverage.countedAsOne = 3;
  const told = plainText(result).replaceAll('\n', ' ');
  expect(told).toContain('Window: accesses 98,000,001 to 104,000,000 of the program, where --limit ended');
  expect(told).toContain('3 processes are in it, counted as one');
  result.traces[0].coverage.countedAsOne = 'unknown';
  expect(plainText(result).replaceAll('\n', ' ')).toContain('How many processes are in it is unknown');
});

test('CSV says of each run what the verdict on its trace is, and why there is none', () => {
  const result = sampleResult();
  const columns = ({ verdict, reason }: Record<string, unknown>): unknown[] => [verdict, reason];
  expect(compareRows(result).map(columns)).toEqual([
    ['yes', ''],
    ['yes', ''],
  ]);
  Object.assign(result.traces[0], { verdict: 'none', reason: 'cut' });
  expect(compareRows(result).map(columns)[1]).toEqual(['none', 'cut']);
});

test('CSV tells the processes of a trace from those counted as one', () => {
  const result = sampleResult();
  Object.assign(result.traces[0].coverage, { processes: 4, countedAsOne: 1 });
  expect(compareRows(result)[1]).toMatchObject({ processes: 4, countedAsOne: 1 });
  Object.assign(result.traces[0].coverage, { processes: 'unknown', countedAsOne: 'unknown' });
  expect(compareRows(result)[1]).toMatchObject({ processes: 'unknown', countedAsOne: 'unknown' });
});

test('accesses that were left out are told, and only then', () => {
  const result = sampleResult();
  expect(plainText(result)).not.toContain('Left out');
  result.traces[0].outsideUserSpace = 3;
  result.traces[0].skippedLines = 1;
  expect(plainText(result)).toMatch(/Left out: 3 accesses .*\n.*Left out: 1 malformed line/);
});

test('fetches have lines of their own, and only when they were counted', () => {
  const result = sampleResult();
  expect(plainText(result)).not.toContain('fetch');
  const { counts, perAccess } = result.runs[0];
  for (const run of result.runs) run.fetches = { counts, perAccess };
  expect(plainText(result)).toContain('fetch lookups');
});

test('fetches that were asked for and are not there are told', () => {
  expect(plainText({ ...sampleResult(), fetches: true })).toContain('holds no instruction fetches');
});

test('a trace that is too short for host times says so', () => {
  const result = sampleResult();
  expect(plainText(result)).toContain('percentile): 4K 25 (20');
  result.traces[0].host[0].blocks = 9;
  expect(plainText(result)).toMatch(/Host time of this run: mostly start-up/);
  expect(plainText(result)).not.toContain('percentile');
});

test('CSV has one row a run, with the modelled counts and no host time', () => {
  const rows = compareRows(sampleResult());
  expect(rows.map((row) => [row.pages, row.walks, row.nsPerAccessLow])).toEqual([
    ['4K', 400_000, 2],
    ['2M', 400_000, 1],
  ]);
  expect(Object.keys(rows[0]).filter((name) => /host/i.test(name))).toEqual([]);
});

test('first touch has a line of its own, with what it does to a short run', () => {
  const told = plainText(sampleResult()).replaceAll('\n', ' ');
  expect(told).toContain(
    'First touch: 50 ms of system time with 4K pages, 50 ms with 2M; a run of this part alone is 1.20 to 1.40 times as fast',
  );
});

test('it says whose prices they are, and of a host below', () => {
  const result = sampleResult();
  expect(plainText(result)).toMatch(/Prices: of a typical skylake, not measured here: pagewalk calibrate/);
  const own = { ...result.prices, file: { name: 'costs.json', prices: ['memoryNs', 'nested'] } };
  expect(plainText({ ...result, prices: own }).replaceAll(/\s+/g, ' ')).toContain(
    'Prices: memoryNs, nested of costs.json, the others of a typical skylake, not measured here:',
  );
  result.prices = { ...result.prices, nested: '4K', host: { name: 'vm7', cpu: 'EPYC', kernel: '6.18', cores: 2 } };
  expect(plainText(result)).toContain('Prices: measured on vm7 (EPYC). In a virtual machine over pages of 4K.');
});

test('the part of the run that was seen is told', () => {
  const result = sampleResult();
  expect(plainText(result)).not.toContain('Seen:');
  Object.assign(result.traces[0].coverage, { ofRun: 0.25, windows: 52 });
  expect(plainText(result)).toContain('Seen: 25% of the accesses of the run, in 52 parts.');
});

const HEAP: CompareResult['traces'][number]['regions'][number] = {
  start: '0x555555554000',
  end: '0x555565554000',
  permissions: 'rw-p',
  kind: 'heap',
  name: '[heap]',
  mappedBytes: 2 ** 28,
  residentBytes: 2 ** 28,
  hugeBytes: 0,
  couldBytes: 2 ** 28 - 2 ** 21,
  byItself: false,
  addedBytes: null,
  whyNot: null,
  hindered: [],
};

test('regions and what to do about them stand at the end, where a recording has regions', () => {
  const result = sampleResult();
  expect(plainText(result)).not.toMatch(/could be|What to do/);
  result.traces[0].regions = [HEAP];
  expect(plainText(result)).toMatch(
    /^\[heap\] +256 MiB +256 MiB +- +254 MiB\nWhat to do: nothing, as things are\.\n$/m,
  );
});

test('without a verdict nothing is said of what to do', () => {
  const result = sampleResult();
  Object.assign(result.traces[0], { verdict: 'none', reason: 'cut', regions: [HEAP] });
  expect(plainText(result)).toMatch(/\[heap\].*\n$/);
});
