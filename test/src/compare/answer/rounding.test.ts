import { expect, test } from 'vitest';
import { highWord, lowWord } from '../../../../hw/base/address.js';
import { roundingByRegion } from '../../../../src/compare/answer/rounding.js';
import { Footprint } from '../../../../src/compare/machine/footprint.js';
import { pageKinds } from '../../../../src/compare/machine/pages/page-kinds.js';
import type { RecordedMapping } from '../../../../src/compare/answer/recorded-regions.js';

const KIB = 1024;
const PAGE = 4 * KIB;
const KINDS = pageKinds('aarch64', ['4K', '4K+contig', '16K', '2M']);

function mapping(start: number, bytes: number, name = ''): RecordedMapping {
  const whole = { start, end: start + bytes, permissions: 'rw-p', name, offset: 0, pageBytes: 4096 };
  return { ...whole, advice: 'none', residentBytes: 0, cameAt: 0, wentAt: null };
}

function footprintOf(pages: readonly number[]): Footprint {
  const footprint = new Footprint();
  for (const page of pages) footprint.add(highWord(page * PAGE), lowWord(page * PAGE));
  return footprint;
}

test('each mapping is rounded up to whole pages, mappings of one file together', () => {
  const base = 2 ** 40 / PAGE;
  const found = roundingByRegion(
    {
      program: 'app',
      regions: [mapping(2 ** 40, 64 * KIB, '/lib/libc.so'), mapping(2 ** 40 + 64 * KIB, 64 * KIB, '/lib/libc.so')],
      // Two pages of one 16 KiB, one of another, and one in the second mapping.
      footprint: footprintOf([base, base + 1, base + 4, base + 17]),
    },
    KINDS,
  );
  const touchedBytes = 4 * PAGE;
  expect(found).toEqual([
    {
      region: 'libc.so',
      mappings: 2,
      touchedBytes,
      wastedBytes: {
        '4K': 0,
        '4K+contig': 2 * 64 * KIB - touchedBytes,
        '16K': 3 * 16 * KIB - touchedBytes,
        // A page of each mapping, though one would hold both.
        '2M': 4096 * KIB - touchedBytes,
      },
    },
  ]);
});

test('the region with most waste comes first, and untouched ones do not come', () => {
  const found = roundingByRegion(
    {
      program: 'app',
      regions: [
        mapping(2 ** 40, 2 ** 20, '/bin/app'),
        mapping(2 ** 41, 2 ** 24, '[heap]'),
        mapping(2 ** 42, PAGE, '/x'),
      ],
      footprint: footprintOf([2 ** 40 / PAGE, 2 ** 41 / PAGE, 2 ** 41 / PAGE + 1024]),
    },
    KINDS,
  );
  expect(found.map(({ region, wastedBytes }) => [region, wastedBytes['16K']])).toEqual([
    ['[heap]', 24 * KIB],
    ['app', 12 * KIB],
  ]);
});
