import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../../../../folder.js';
import type { WalkResult, WalkStep } from '../../../../../src/explain/walk/walk-result.js';
import { printed, printedExamples, tooWide } from '../../examples.js';
import { expectUsageError, runCli } from '../../run-cli.js';
import { STEP_WHY } from '../../../../../src/explain/step-why.js';

let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
});

async function walkJson(...args: string[]): Promise<WalkResult> {
  return JSON.parse(await printed(['walk', ...args, '--json'])) as WalkResult;
}

test('the examples of the help show a write that is refused, and copy-on-write', () => {
  const [readOnly, shared] = printedExamples('walk');
  for (const text of [readOnly, shared]) {
    expect(text).toContain('#PF page fault, error code 0x7');
    expect(text).toMatch(/^Why +PT\[\d+\] has R\/W = 0/m);
    expect(text).toMatch(/^Source +Intel SDM vol\. 3A/m);
    expect(tooWide(text)).toEqual([]);
  }
  expect(shared).toContain('Lab fork after step 2, process 1');
});

test('one line a level: index, address, digits, flags and what is allowed so far', async () => {
  const text = await printed(['walk', '0x601000', '--mode', '5l']);
  expect(text).toMatch(/^PML5\[0\] +0x1000 +0x0000000000002027 +table 0x2000 +A U\/S R\/W P +user rwx/m);
  expect(text).toMatch(/^PT\[1\] .* page 0x101000 +XD U\/S R\/W P +user rw-/m);
  expect(text).toContain('physical address 0x101000 (4K page)');
});

test('an address without 0x is hexadecimal, and the answer shows what it was taken for', async () => {
  expect(await printed(['walk', '401000'])).toBe(await printed(['walk', '0x401000']));
  expect(await printed(['walk', '401000'])).toMatch(/^read of 0x401000 /);
});

test('the JSON is the same object', async () => {
  const { outcome, levels, mode } = await walkJson('0x812345', '--mode', 'pae', '--access', 'write');
  expect(mode).toBe('pae');
  expect(levels.map(({ table }) => table)).toEqual(['PDPT', 'PD']);
  expect(outcome).toEqual({ kind: 'mapped', physical: '0x412345', page: '2M' });
});

test('--events lists each step, in order and numbered', async () => {
  const text = await printed(['walk', '0x602000', '--events', '--mode', '32', '--access', 'write']);
  const [, steps, why] = /\nEvents\n([^]*)\n\nWhy\n([^]*)$/.exec(text)!;
  expect(steps.split('\n')).toEqual([
    ' 1  lookup          0x602000',
    ' 2  walk cache hit  PDE cache: the walk starts at the PT at 0x2000',
    ' 3  read            PT[514] at 0x2808: 0x00102005',
    ' 4  fault           #PF page fault, error code 0x3',
    ' 5  drop            PDE cache: 0x400000, table at 0x2000, user rwx',
  ]);
  expect(
    why
      .replace(/\n {12}/g, ' ')
      .trim()
      .split('\n'),
  ).toEqual(
    (['lookup', 'walk cache hit', 'read', 'fault', 'drop'] as const).map(
      (kind) => `${kind.padEnd(11)} ${STEP_WHY[kind]}`,
    ),
  );
});

test('--events adds an array to the JSON, and nothing else does', async () => {
  const words = ['0x812345', '--mode', 'pae', '--access', 'write'];
  const { events, ...result } = (await walkJson(...words, '--events')) as WalkResult & { events: WalkStep[] };
  expect(result).toEqual(await walkJson(...words));
  expect(events.map(({ kind, where }) => (where === undefined ? kind : `${kind} ${where}`))).toEqual([
    'lookup',
    'read PDPT[0]',
    'read PD[4]',
    'set PD[4]',
    'set PD[4]',
    'walked',
    'fill L1 data TLB',
    'fill L2 TLB',
  ]);
  expect(events.at(-1)).toMatchObject({ linear: '0x800000', target: '0x400000', page: '2M' });
});

test('without an address a lab shows its processes and what they have mapped', async () => {
  const text = await printed(['walk', '--lab', 'fork', '--process', '1']);
  expect(text).toMatch(/^process 1 \* +0x400000 +4 KiB +rw-p anonymous$/m);
  expect(JSON.parse(await printed(['walk', '--lab', 'fork', '--json']))).toMatchObject({ lab: 'fork', running: 2 });
});

test('the demonstration, printed as a state file, walks as it does itself', async () => {
  const file = join(folder, 'state.json');
  writeFileSync(file, await printed(['walk', '0', '--mode', '32', '--print-state']));
  expect(await walkJson('0x602000', '--state', file)).toEqual(await walkJson('0x602000', '--mode', '32'));
});

test.each([
  [
    ['walk', 'here'],
    ['ADDRESS', "'here'", '0x401000'],
  ],
  [
    ['walk', '0x1', '--access', 'look'],
    ['--access', 'look', 'read, write, fetch'],
  ],
  [
    ['walk', '0x1', '--mode', '6l'],
    ['--mode', '6l', '5l'],
  ],
  [
    ['walk', '0x1', '--lab', 'none'],
    ['--lab', 'none', 'fork'],
  ],
  [
    ['walk', '0x1', '--lab', 'frok'],
    ['frok', 'Did you mean fork?'],
  ],
  [['walk'], ['ADDRESS is missing', '0x401000']],
  [
    ['walk', '--lab', 'multics'],
    ['multics', 'segments alone', 'pagewalk segment'],
  ],
  [
    ['walk', '0x1', '--step', '2'],
    ['--step', '--lab'],
  ],
  [
    ['walk', '0x100000000', '--mode', 'pae'],
    ['0x100000000', '32 bits', '0xffffffff'],
  ],
  [
    ['walk', '0x1', '--mode', '4l', '--state', 'x'],
    ['--mode', '--state'],
  ],
])('%j is a usage error that names option, value and fix', expectUsageError);

test.each([
  ['not JSON at all', /state\.json: not JSON: /],
  ['{"schemaVersion": 1}', /state\.json: registers: /],
  ['{}', /state\.json: schemaVersion: must be 1/],
  ['{"schemaVersion": 1, "machine": "vax"}', /state\.json: machine 'vax': must be x86 or riscv or aarch64 or toy/],
  ['{"schemaVersion": 1, "registers": {"cr0": "0x80000000"}}', /state\.json: registers\.cr0: the processor refuses/],
  [
    '{"schemaVersion": 1, "registers": {"cr0": 1}, "memory": [{"at": "x", "value": 0}]}',
    /state\.json: memory\.0\.at: .* found 'x'/,
  ],
])('the state %s is refused in one line', async (text, message) => {
  const file = join(folder, 'state.json');
  writeFileSync(file, text);
  const { status, stdout, stderr } = await runCli(['walk', '0x1000', '--state', file]);
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(message);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
});

test.each(['x86', 'riscv', 'aarch64', 'toy'])('a state of null is no demonstration of %s', async (machine) => {
  const file = join(folder, 'state.json');
  writeFileSync(file, 'null');
  const { status, stdout, stderr } = await runCli(['walk', '0x1000', '--machine', machine, '--state', file]);
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/state\.json: expected an object such as \{"schemaVersion": 1, /);
});

test('a state file that is not there is told in words', async () => {
  const { status, stderr } = await runCli(['walk', '0x1000', '--state', join(folder, 'none.json')]);
  expect(status).toBe(1);
  expect(stderr).toContain('none.json');
  expect(stderr).toContain('no such file');
});

test("a state file's machine needs no --machine, and its walk is the demonstration's", async () => {
  const file = join(folder, 'arm.json');
  const demo = ['walk', '--machine', 'aarch64', '--mode', '64k'];
  writeFileSync(file, await printed([...demo, '--print-state']));
  const text = await printed(['walk', '0x420008', '--user', '--access', 'write', '--state', file, '--events']);
  expect(text).toMatch(/^write of 0x420008 at EL0, VMSAv8-64, granule of 64 KiB, 42 bits$/m);
  expect(text).toContain('Sets        accessed in the entry of level 3, dirty in the entry of level 3\n');
  expect(text).toMatch(/^ 5 {2}set +dirty, in the entry of level 3 at /m);
  expect(tooWide(text)).toEqual([]);
});
