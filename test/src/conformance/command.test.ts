import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../folder.js';
import { runCli } from '../cli/run-cli.js';
import { CASE } from './case.js';

const RECORDING = fileURLToPath(new URL('../../data/x86/open-seghw.jsonl.gz', import.meta.url));
function fileOf(...cases: readonly object[]): string {
  const file = join(temporaryFolder(), 'cases.jsonl');
  writeFileSync(file, cases.map((value) => JSON.stringify(value)).join('\n'));
  return file;
}

describe('pagewalk conform x86', () => {
  it('prints a line a family and ends with 0 when all cases pass', async () => {
    const { status, stdout, stderr } = await runCli(['conform', 'x86', RECORDING, fileOf(CASE)]);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^segdata \d+ passed, 0 failed\npaging 1 passed, 0 failed\n$/);
  });

  it('shows a mismatch side by side and ends with 1', async () => {
    const wrong = { ...CASE, id: 8, out: { k: 'ok', pa: ['0x11'] } };
    const { status, stdout } = await runCli(['conform', 'x86', fileOf(CASE, wrong)]);
    expect(status).toBe(1);
    expect(stdout).toContain('paging case 8');
    expect(stdout).toMatch(/expected +at physical 0x11\n +got +at physical 0x10\n/);
    expect(stdout).toMatch(/paging 1 passed, 1 failed\n$/);
  });

  it('gives counts by family with --json', async () => {
    const { stdout } = await runCli(['conform', 'x86', '--json', fileOf(CASE)]);
    expect(JSON.parse(stdout)).toMatchObject({ families: { paging: { passed: 1, failed: 0 } } });
  });

  it('names the broken line and prints no counts', async () => {
    const { status, stdout, stderr } = await runCli(['conform', 'x86', fileOf(CASE, { ...CASE, la: 16 })]);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^error: .*cases\.jsonl line 2: field la: .*\n$/);
  });

  it.each([
    [{ colour: 'red' }, "expected no field 'colour'"],
    [{ size: 3 }, 'field size: expected 1, 2, 4, 6 or 8, found 3'],
    [{ out: { k: 'ok', pa: ['0x10'], vec: 14 } }, "field out: expected no field 'vec'"],
  ])('refuses what no case has: %j', async (change, words) => {
    const { status, stderr } = await runCli(['conform', 'x86', fileOf({ ...CASE, ...change })]);
    expect(status).toBe(1);
    expect(stderr).toContain(`line 1: ${words}`);
  });

  it('says in words that a file is missing', async () => {
    const { status, stderr } = await runCli(['conform', 'x86', join(temporaryFolder(), 'none.jsonl')]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: cannot read '.*none\.jsonl': no such file/);
  });
});
