import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../../../folder.js';
import { printed, tooWide } from '../../examples.js';
import { expectUsageError, runCli } from '../../run-cli.js';

const TOY = ['walk', '--machine', 'toy'];

test('an address is explained on a preset', async () => {
  const text = await printed([...TOY, '3f80', '--state', 'multi-level']);
  expect(text).toContain('page directory: the entry at 0x40 + 0xf x 4 = 0x7c is 0x80000065: V, frame\n');
  expect(text).toContain('Result      physical address 0xdc0');
  expect(tooWide(text)).toEqual([]);
});

test('without a state the machine is the linear one, without an address it is shown', async () => {
  const text = await printed(TOY);
  expect(text).toContain('Virtual     6 bits: page 2, offset 4\n');
  expect(text).toContain('  0x0  83 87 85 82 00');
  expect(JSON.parse(await printed([...TOY, '--json']))).toMatchObject({ machine: 'toy', tables: 1, tableBytes: 4 });
});

test('--json has the same steps as the text, and with --events the events', async () => {
  const words = [...TOY, '3d4', '--state', 'csapp', '--json'];
  const plain = JSON.parse(await printed(words)) as { steps: string[] };
  const { events, ...result } = JSON.parse(await printed([...words, '--events'])) as { events: { kind: string }[] };
  expect(result).toEqual(plain);
  expect(plain).toMatchObject({ address: '0x3d4', tlb: { answer: 'hit', set: 3, tag: 3 }, levels: [] });
  expect(plain.steps.length).toBe(3);
  expect(events.map(({ kind }) => kind)).toEqual(['lookup', 'hit']);
  expect(await printed([...TOY, '3d4', '--state', 'csapp', '--events'])).toMatch(
    /\nEvents\n 1 {2}lookup .*\n 2 {2}hit /,
  );
});

test('--events gives the reasons of the steps that a segment has, not of a table', async () => {
  const text = await printed([...TOY, '1068', '--state', 'segments', '--events']);
  const kinds = text.slice(text.indexOf('\nWhy\n') + 5).split('\n');
  expect(kinds.flatMap((line) => /^\w+/.exec(line) ?? [])).toEqual(['split', 'segment', 'sum']);
});

test('a preset, printed as a state file, walks as it does itself', async () => {
  const file = join(temporaryFolder(), 'toy.json');
  writeFileSync(file, await printed([...TOY, '--state', 'pencil', '--print-state']));
  const words = ['0x07', '--user', '--access', 'write', '--json'];
  expect(await printed([...TOY, ...words, '--state', file])).toBe(
    await printed([...TOY, ...words, '--state', 'pencil']),
  );
});

test.each([
  [
    [...TOY, '0x1', '--state', 'cspp'],
    ["'cspp'", 'linear, multi-level, segments, tlb, csapp, pencil, two-level', 'Did you mean csapp?'],
  ],
  [
    [...TOY, '0x40'],
    ['ADDRESS 0x40', '6 bits', '0x3f'],
  ],
  [
    [...TOY, '0x1', '--mode', '4l'],
    ['--mode', '--machine x86'],
  ],
  [
    [...TOY, '0x1', '--lab', 'fork'],
    ['--lab', '--machine x86'],
  ],
  [
    ['walk', '0x1', '--state', 'x', '--print-state'],
    ['--print-state', '--state'],
  ],
])('%j is a usage error that names value and fix', expectUsageError);

test.each([
  ['{', /not JSON/],
  ['{"schemaVersion": 1}', /virtualBits: expected a whole number, found nothing/],
  ['[]', /expected an object such as \{"schemaVersion": 1, "virtualBits": 6/],
  ['{"schemaVersion": 1, "virtualBits": 6, "physicalBits": 7}', /pages, segments: neither is given; give one of them/],
])('a state file with %s is refused with its name', async (content, words) => {
  const file = join(temporaryFolder(), 'toy.json');
  writeFileSync(file, content);
  const { status, stdout, stderr } = await runCli([...TOY, '0x1', '--state', file]);
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^error: .*toy\.json: /);
  expect(stderr).toMatch(words);
});
