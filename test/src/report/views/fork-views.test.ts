import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { ForkResult, type ForkRun } from '../../../../src/report/results/fork-result.js';
import { forkRows, forkText } from '../../../../src/report/views/fork-views.js';

const PAID = { cowFaults: 26_215, reused: 0, bytesCopied: 26_215 * 4096, invalidations: 26_215, tlbFlushes: 1 };
const SPARED = { cowFaults: 26_215, reused: 26_215, bytesCopied: 0, invalidations: 0, tlbFlushes: 0 };

function sampleFork(pages: ForkRun['pages']): ForkRun {
  return {
    pages,
    entriesVisited: 262_144,
    entriesCopied: 262_144,
    tableBytes: 2_109_440,
    spareTableBytes: 0,
    invalidations: 0,
    tlbFlushes: 1,
    cowFaults: PAID.cowFaults,
    bytesCopied: PAID.bytesCopied,
    scenarios: [
      { name: 'child', ...PAID },
      { name: 'best', ...SPARED },
    ],
  };
}

function sampleResult(changes: Partial<ForkResult> = {}): ForkResult {
  return ForkResult.parse({
    schemaVersion: 1,
    command: 'fork',
    machine: 'x86',
    residentBytes: 2 ** 30,
    touchedShare: 0.1,
    exec: false,
    runs: [sampleFork('4K'), sampleFork('2M'), sampleFork('1G')],
    ...changes,
  });
}

const plainText = (result: ForkResult): string => stripVTControlCharacters(forkText(result));

test('three page sizes fit into 80 columns', () => {
  for (const line of plainText(sampleResult()).split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
});

test('the table says what fork copied and who wrote what', () => {
  const text = plainText(sampleResult());
  for (const part of ['1 GiB resident', '262,144', '2.01 MiB', 'child writes 10%', 'best: child execs', '102 MiB']) {
    expect(text).toContain(part);
  }
});

test('what a copy took is told, unless nobody copied', () => {
  expect(plainText(sampleResult())).toContain('A copy took 4 KiB with 4K, 4 KiB with 2M, 4 KiB with 1G pages');
  const runs = [{ ...sampleFork('4K'), scenarios: [{ name: 'best' as const, ...SPARED }] }];
  expect(plainText(sampleResult({ runs }))).not.toContain('A copy took');
});

test('memory that is no whole number of pages is told', () => {
  expect(plainText(sampleResult())).not.toContain('no whole number');
  expect(plainText(sampleResult({ residentBytes: 3 * 2 ** 20 }))).toContain('no whole number of 2M or 1G pages');
});

test('CSV has one row a page size and scenario', () => {
  const rows = forkRows(sampleResult());
  expect(rows.map(({ pages, scenario, cowFaults }) => [pages, scenario, cowFaults])).toEqual(
    ['4K', '2M', '1G'].flatMap((pages) => [
      [pages, 'child', 26_215],
      [pages, 'best', 26_215],
    ]),
  );
});
