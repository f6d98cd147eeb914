import { expect, test } from 'vitest';
import type { SegmentResult } from '../../../../src/explain/segment/segment-result.js';
import { printed, printedExamples, tooWide } from '../examples.js';
import { expectUsageError, spawnCli } from '../run-cli.js';

test('the examples of the help show an access past the limit, and a call into the kernel', () => {
  const [fails, works] = printedExamples('segment');
  expect(works).toMatch(/^Entered +CPL 0, code 0x8:0xc000, stack 0x10:0xefe8$/m);
  expect(works).toMatch(/^Physical +0xc000/m);
  expect(fails).toMatch(/^NO +all 4 bytes, 0x1ffe to 0x2001,[^]*: #GP\(0x0\)$/m);
  expect(fails).toContain('"Limit Checking"');
  expect(tooWide(works + fails)).toEqual([]);
});

test('the descriptor is decoded bit by bit', async () => {
  const text = await printed(['segment', '0x43:0']);
  expect(text).toMatch(/^ {2}P +47 +0 +Present/m);
  expect(text).toMatch(/^ {2}limit 15:0 +15:0 +0x1fff/m);
});

test('selector and offset without 0x are hexadecimal, and the answer shows what they were taken for', async () => {
  expect(await printed(['segment', '2b:10'])).toBe(await printed(['segment', '0x2b:0x10']));
  expect(await printed(['segment', '2b:10'])).toMatch(/ at 0x2b:0x10 /);
});

test('the JSON is the same object', async () => {
  const text = await printed(['segment', '0x10:0x8000', '--cpl', '0', '--register', 'ss', '--json']);
  expect(JSON.parse(text) as SegmentResult).toMatchObject({ register: 'SS', cpl: 0, linear: '0x8000' });
});

test('the demonstration can be printed as a state file', async () => {
  const state = await printed(['segment', '0:0', '--print-state']);
  const { status, stdout } = spawnCli(['segment', '0x33:0', '--access', 'write', '--state', '-'], state);
  expect(status).toBe(0);
  expect(stdout).toBe(await printed(['segment', '0x33:0', '--access', 'write']));
});

test.each([
  [
    ['segment', '0x2b'],
    ['SEL:OFF', '0x2b:0x10'],
  ],
  [
    ['segment', '0x10000:0'],
    ['SEL:OFF', '16 bits'],
  ],
  [
    ['segment', '0x2b:0x100000000'],
    ['32 bits', 'protected mode'],
  ],
  [
    ['segment', '0x2b:0', '--size', '3'],
    ['--size', '3', '1, 2, 4, 8'],
  ],
  [
    ['segment', '0x2b:0', '--cpl', '0', '--state', 'x'],
    ['--cpl', 'segments.cpl'],
  ],
])('%j is a usage error that names option, value and fix', expectUsageError);

test('a state without segments is refused with what is missing', () => {
  const state = '{"schemaVersion": 1, "registers": {"cr0": 1}}';
  const { status, stderr } = spawnCli(['segment', '0x8:0', '--state', '-'], state);
  expect(status).toBe(1);
  expect(stderr).toMatch(/segments is missing: give "segments"/);
});
