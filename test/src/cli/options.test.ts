import { InvalidArgumentError } from 'commander';
import { expect, test } from 'vitest';
import { parseBytes, parseCount, parsePages, parseSeed, parseShare } from '../../../src/cli/options.js';

test('bytes count in 1024s', () => {
  expect(['1G', '64K', '1.5GiB', '65536', '2mb', '7B'].map(parseBytes)).toEqual([
    2 ** 30,
    2 ** 16,
    1.5 * 2 ** 30,
    65536,
    2 ** 21,
    7,
  ]);
});

test('counts count in 1000s', () => {
  expect(['10M', '2.5k', '1_000'].map((text) => parseCount(text))).toEqual([1e7, 2500, 1000]);
});

test('shares are percentages', () => {
  expect(['0%', '10%', '2.5%', '100%'].map(parseShare)).toEqual([0, 0.1, 0.025, 1]);
});

test('pages come as shifts, smallest first and each once', () => {
  expect(parsePages('1G, 4k,2M,4K')).toEqual([12, 21, 30]);
});

test.each([
  ['bytes', parseBytes, ['', '0', '-1', '1X', '1e9', '0x10', '0.3', '9999999T', 'G']],
  ['count', parseCount, ['', '0', '-5', '1.5', '10MB', 'ten']],
  ['share', parseShare, ['', '10', '101%', '-1%', '%', '1e1%']],
  ['seed', parseSeed, ['', '-1', '4294967296', '1.5', '0x1']],
  ['pages', parsePages, ['', '4K,', '3K', '4M', '4K;2M']],
] as const)('a wrong %s is refused', (_name, parse, texts) => {
  for (const text of texts) expect(() => parse(text), text).toThrow(InvalidArgumentError);
});
