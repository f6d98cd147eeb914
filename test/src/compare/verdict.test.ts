import { expect, test } from 'vitest';
import { judge } from '../../../src/compare/verdict.js';
import { sampleRun } from '../report/sample.js';

const MEMORY_2M = { mappedBytes: 2 ** 28, wastedBytes: 6 * 2 ** 20, pageTableBytes: 12_288 };
const small = (cycles: number) => sampleRun('4K', cycles);
const large = (cycles: number) =>
  sampleRun('2M', cycles, { memory: MEMORY_2M, reach: { entriesNeeded: 128, entries: 1536 } });
const giant = (cycles: number) => sampleRun('1G', cycles, { reach: { entriesNeeded: 4, entries: 0 } });

test('many cycles saved: yes, with what it saves and what it wastes', () => {
  const { verdict, why, advice } = judge(2 ** 28, [small(3.4), large(0.4)]);
  expect(verdict).toBe('yes');
  expect(why).toBe('256 MiB needs 128 entries of 2M, not 65,536 of 4K; the TLB holds 1,536 of 2M or 1,536 of 4K.');
  expect(advice).toMatch(/2M pages save 3 of 3.4 model cycles an access \(88.2%\) and waste 6 MiB/);
});

test('few cycles saved: slightly', () => {
  expect(judge(2 ** 28, [small(0.4), large(0.25)]).verdict).toBe('slightly');
});

test('a footprint that fits needs no larger pages', () => {
  const fits = sampleRun('4K', 0.04, { reach: { entriesNeeded: 256, entries: 1536 } });
  const { verdict, why, advice } = judge(2 ** 20, [fits, large(0.01)]);
  expect(verdict).toBe('no');
  expect(why).toBe('1 MiB needs 256 entries of 4K; the TLB holds 1,536 of 4K: all fit.');
  expect(advice).toContain('only 0.04 model cycles');
});

test('larger pages that cost more are not advised', () => {
  const { verdict, advice } = judge(2 ** 28, [small(1), giant(5)]);
  expect([verdict, advice.includes('they save 0 of 1 model cycles')]).toEqual(['no', true]);
});

test('memory wasted beyond what the program touches is a but', () => {
  const wasteful = sampleRun('2M', 0.4, { memory: { ...MEMORY_2M, wastedBytes: 2 ** 29 } });
  expect(judge(2 ** 28, [small(3.4), wasteful]).advice).toContain('but waste 512 MiB');
});

test('the smallest page size that saves nearly everything is advised', () => {
  expect(judge(2 ** 28, [small(3), large(0.1), giant(0)]).advice).toContain('2M pages save');
  expect(judge(2 ** 28, [small(3), large(2), giant(0)]).advice).toContain('1G pages save');
});

test('one page size alone gives no verdict', () => {
  expect(judge(2 ** 28, [small(3)]).verdict).toBe('unknown');
});
