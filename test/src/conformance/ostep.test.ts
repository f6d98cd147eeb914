import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { temporaryFolder } from '../../folder.js';
import { runCli } from '../cli/run-cli.js';

/** OSTEP, "Paging: Introduction": 64 bytes, pages of 16, in frames 3, 7, 5 and 2. */
const LINEAR = {
  fam: 'linear',
  seed: 0,
  pageBytes: 16,
  spaceBytes: 64,
  physBytes: 128,
  table: [0x80000003, 0x80000007, 0x80000005, 0],
  accesses: [
    [21, 117],
    [50, null],
  ],
};
/** OSTEP, "Segmentation": the examples with code at 32 KiB, and a stack below 28 KiB. */
const SEGMENTS = {
  fam: 'segments',
  seed: 0,
  spaceBytes: 16384,
  physBytes: 65536,
  up: { base: 32768, limit: 2048 },
  down: { base: 28672, limit: 2048 },
  accesses: [
    [100, 32868],
    [4200, null],
    [15360, 27648],
  ],
};
/** A directory in frame 1 of 16 bytes, a table in frame 2, a page in frame 3. */
const MULTILEVEL = {
  fam: 'multilevel',
  seed: 0,
  pageBytes: 16,
  vaBits: 8,
  paBits: 6,
  root: 1,
  pages: ['00'.repeat(16), `8200${'00'.repeat(14)}`, `0083${'00'.repeat(14)}`, `00112233${'00'.repeat(12)}`],
  accesses: [
    [0x12, 0x32, 0x22],
    [0x02, null, 'table'],
    [0x52, null, 'directory'],
  ],
};
const OPT = {
  fam: 'replacement',
  seed: 0,
  policy: 'OPT',
  frames: 1,
  steps: [
    [1, false, null],
    [2, false, 1],
    [2, true, null],
  ],
};
/** The second request finds no hole: malloc.py prints -1 plus the header. */
const HEAP = {
  fam: 'allocation',
  seed: 0,
  policy: 'FIRST',
  order: 'ADDRSORT',
  size: 20,
  base: 100,
  header: 4,
  align: 4,
  ops: [
    { op: 'alloc', ptr: 0, size: 6, at: 104, holes: [[112, 8]] },
    { op: 'alloc', ptr: 1, size: 6, at: 3, holes: [[112, 8]] },
    {
      op: 'free',
      ptr: 0,
      holes: [
        [100, 12],
        [112, 8],
      ],
    },
  ],
};
const BOUNDS = {
  fam: 'base-bounds',
  seed: 0,
  base: 0x363c,
  limit: 290,
  accesses: [
    [261, 14145],
    [290, null],
  ],
};

const RECORDED = new URL('../../data/ostep/open.jsonl.gz', import.meta.url).pathname;

function fileOf(...lines: readonly object[]): string {
  const file = join(temporaryFolder(), 'lines.jsonl');
  writeFileSync(file, lines.map((line) => JSON.stringify(line)).join('\n'));
  return file;
}

describe('pagewalk conform ostep', () => {
  it('gives what the simulators of the book gave', async () => {
    const { status, stdout } = await runCli(['conform', 'ostep', RECORDED]);
    expect(status).toBe(0);
    expect(stdout.match(/\d+ passed, 0 failed/g)).toHaveLength(6);
  });

  it('replays every family', async () => {
    const file = fileOf(LINEAR, SEGMENTS, MULTILEVEL, OPT, HEAP, BOUNDS);
    const { status, stdout } = await runCli(['conform', 'ostep', file]);
    const families = ['linear', 'segments', 'multilevel', 'replacement', 'allocation', 'base-bounds'];
    const remark = 'allocation: 1 failed request has -1 plus the header for an address; read as -1\n';
    expect(stdout).toBe(`${families.map((name) => `${name} 1 passed, 0 failed\n`).join('')}${remark}`);
    expect(status).toBe(0);
  });

  it.each([
    [LINEAR, { accesses: [[21, 118]] }, 'accesses.0\n  expected  [21,118]\n  got       [21,117]'],
    [SEGMENTS, { accesses: [[4200, 1]] }, 'got       [4200,null]'],
    [MULTILEVEL, { accesses: [[0x12, 0x32, 0x23]] }, 'got       [18,50,34]'],
    [MULTILEVEL, { accesses: [[0x52, null, 'table']] }, 'got       [82,null,"directory"]'],
    [OPT, { steps: [[1, true, null]] }, 'got       [1,false,null]'],
    [HEAP, { ops: [{ ...HEAP.ops[0], holes: [[112, 9]] }] }, '"holes":[[112,8]]'],
    [HEAP, { ops: [{ ...HEAP.ops[0], at: 100 }] }, '"at":104'],
    [BOUNDS, { accesses: [[290, 14174]] }, 'got       [290,null]'],
  ])('shows a wrong answer beside the right one: %#', async (line, change, words) => {
    const { status, stdout } = await runCli(['conform', 'ostep', fileOf({ ...line, ...change })]);
    expect(status).toBe(1);
    expect(stdout).toContain(words);
    expect(stdout).toContain(`${line.fam} 0 passed, 1 failed\n`);
  });

  it('lets OPT replace any page that is never used again, and no other', async () => {
    const steps = [
      [1, false, null],
      [2, false, null],
      [3, false, 1],
      [3, true, null],
    ];
    const any = await runCli(['conform', 'ostep', fileOf({ ...OPT, frames: 2, steps })]);
    expect(any.status).toBe(0);
    const wrong = await runCli(['conform', 'ostep', fileOf({ ...OPT, frames: 2, steps: [...steps, [1, true, null]] })]);
    expect(wrong.status).toBe(1);
  });

  it('gives counts and remarks with --json', async () => {
    const { stdout } = await runCli(['conform', 'ostep', '--json', fileOf(HEAP)]);
    expect(JSON.parse(stdout)).toMatchObject({
      families: { allocation: { passed: 1, failed: 0 } },
      mismatches: [],
      remarks: [expect.stringContaining('1 failed request')],
    });
  });
});

test.each([
  [{ ...LINEAR, fam: 'paging' }, /field fam: /],
  [{ ...LINEAR, pageBytes: 24 }, /field pageBytes: expected a power of two/],
  [{ ...LINEAR, pageBytes: 8, table: [...LINEAR.table, ...LINEAR.table] }, /pages\.bytes 8: must be .* from 16/],
  [{ ...LINEAR, table: [1] }, /field table: expected 4 entries, spaceBytes \/ pageBytes, found 1/],
  [{ ...LINEAR, accesses: [[1.5, 2]] }, /field accesses\.0\.0: expected a whole number, found 1\.5/],
  [{ ...LINEAR, accesses: [] }, /field accesses: /],
  [{ ...MULTILEVEL, pages: [] }, /field pages: /],
  [{ ...MULTILEVEL, pages: ['0', '1', '2', '3'] }, /field pages\.0: expected pairs of the digits/],
  [{ ...MULTILEVEL, pages: ['00', '00', '00', '00'] }, /field pages: page 0 has 1 bytes, not pageBytes 16/],
  [{ ...SEGMENTS, up: { base: 0, limit: 9000 } }, /segments\.registers\.0\.limit 9000: must be .* 8192/],
  [{ ...OPT, policy: 'CLOCK' }, /field policy: expected 'FIFO', 'LRU' or 'OPT', found 'CLOCK'/],
  [{ ...OPT, frames: 0 }, /field frames: .* at least 1, found 0/],
  [{ ...HEAP, align: 0 }, /field align: /],
  [{ ...HEAP, ops: [{ op: 'realloc', ptr: 0 }] }, /field ops\.0\.op: /],
])('names file, line and field of what is malformed: %#', async (line, words) => {
  const { status, stdout, stderr } = await runCli(['conform', 'ostep', fileOf(OPT, line)]);
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^error: .*lines\.jsonl line 2: /);
  expect(stderr).toMatch(words);
});
