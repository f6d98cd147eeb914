import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import type { Action } from '../../../../src/regions/actions.js';
import { actionText, regionTable } from '../../../../src/report/views/region-views.js';
import { reportRegion } from '../../../../src/regions/report.js';
import { DEFAULT_POLICY } from '../../../../src/regions/policy.js';
import { regionUsages } from '../../../../src/regions/usage.js';
import { region } from '../../regions/regions.js';

const MIB = 2 ** 20;

function action(effect: Action['price']['effect'], atFaults: number | null, byKhugepaged = 0): Action {
  const addedBytes = atFaults === null ? null : { atFaults: atFaults * MIB, byKhugepaged: byKhugepaged * MIB };
  const price = { effect, addedBytes, memory: 'as such', fork: 'cheap' };
  return { id: 'x', title: 'Do it', how: 'like so', bytes: MIB, regions: ['[heap]'], price, source: 'a book' };
}

test.each([
  ['adds', 8, 8, 'Memory: up to 8 MiB more where it is now; as such.'],
  ['adds', 8, 2, 'Memory: up to 8 MiB more where it is now, 2 MiB of it by khugepaged; as such.'],
  ['adds', 0, 0, 'Memory: as such.'],
  ['adds', null, 0, 'Memory: as such.'],
  ['saves', 8, 6, 'Memory: saves up to 6 MiB that khugepaged could add; as such.'],
  ['sets aside', 8, 8, 'Memory: as such.'],
] as const)('an action that %s memory (%s, %s MiB) says so', (effect, atFaults, byKhugepaged, words) => {
  const text = stripVTControlCharacters(actionText([action(effect, atFaults, byKhugepaged)]));
  expect(text.replaceAll(/\n {3}(?! )/g, ' ')).toContain(words);
});

test('what is the same as before is not said again', () => {
  const lines = stripVTControlCharacters(actionText([action('adds', 8), action('adds', 8), action('adds', 9)]));
  expect(lines.match(/as before/g)).toHaveLength(3);
});

test('regions beyond the largest ten are summed up', () => {
  const found = Array.from({ length: 12 }, (_, i) => region(2 ** 40 + i * 2 ** 30, 4 * MIB));
  const usages = regionUsages(
    found.map((mapped, i) => ({ region: mapped, residentBytes: (12 - i) * 4096, hugeBytes: 0 })),
    DEFAULT_POLICY,
  );
  expect(regionTable(usages.map(reportRegion))).toContain('and 12 KiB resident in 2 more regions.');
});
