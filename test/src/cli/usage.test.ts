import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { temporaryFolder } from '../../folder.js';
import { explain } from '../../../src/cli/program.js';
import { CompareResult } from '../../../src/report/results/compare-result.js';
import { CLI_PATH, expectUsageError, runCli, runCliApart, spawnCli } from './run-cli.js';

test.each([[['--help']], [['compare', '--help']], [['fork', '--help']]])(
  'the help of %j fits a screen',
  async (args) => {
    const { status, stdout } = await runCli(args);
    const lines = stdout.trimEnd().split('\n');
    expect(status).toBe(0);
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(stdout.match(/^ {2}pagewalk/gm)).toHaveLength(2);
  },
);

test.each([
  [['compare', '--jsn'], '--jsn', '--json'],
  [['--jsn'], '--jsn', '--json'],
  [['fork', '--residen', '1G'], '--residen', '--resident'],
  [['frok'], 'frok', 'fork'],
])('%j is a usage error that suggests the near word', async (args, wrong, near) => {
  await expectUsageError(args, [wrong, `Did you mean ${near}?`]);
});

test.each([
  [
    ['fork', '--resident', '1Q'],
    ['--resident', '1Q', '64M'],
  ],
  [
    ['fork', '--touch', '110%'],
    ['--touch', '110%', '0% to 100%'],
  ],
  [
    ['fork', '--pages', '4M'],
    ['--pages', '4M', '4K, 2M, 1G'],
  ],
  [
    ['compare', '--tlb', '64x5'],
    ['--tlb', '64x5', 'ways 5'],
  ],
  [
    ['compare', '--tlb', 'skylark'],
    ['--tlb', 'skylark', 'skylake'],
  ],
  [
    ['compare', '--workload', 'zip'],
    ['--workload', 'zip', 'zipf'],
  ],
  [
    ['compare', '--footprint', '1G'],
    ['--footprint', '--workload'],
  ],
  [
    ['compare', '--json', '--csv', '-'],
    ['--json', '--csv -'],
  ],
])('%j is a usage error that names option, value and fix', expectUsageError);

test('the version is that of the package', async () => {
  expect((await runCli(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test('a trace that does not exist is a failure, not a usage error', () => {
  const { status, stderr } = spawnCli(['compare', 'none/such.lackey']);
  expect([status, stderr]).toEqual([1, "error: cannot read 'none/such.lackey': no such file or folder\n"]);
});

test('a folder is no trace', async () => {
  const { status, stderr } = await runCli(['compare', '.']);
  expect([status, stderr]).toEqual([1, "error: cannot read '.': it is a folder; give the traces in it by name\n"]);
});

test('more memory than the model has is a failure that names the limit', async () => {
  const { status, stdout, stderr } = await runCli(['fork', '--resident', '64G']);
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/--resident: 64 GiB .* 16 GiB.* at most 7G\n$/);
});

test('a folder that does not exist is told before any work', async () => {
  const { status, stdout, stderr } = await runCli(['fork', '--csv', 'none/such.csv']);
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toContain("cannot write 'none/such.csv' (--csv)");
  expect(existsSync('none')).toBe(false);
});

test('a reader that stops early ends the command quietly', () => {
  const script = `"${process.execPath}" "${CLI_PATH}" fork --resident 4M --json | head -c 1`;
  const { stdout, stderr } = spawnSync('bash', ['-o', 'pipefail', '-c', script], { encoding: 'utf8' });
  expect([stdout, stderr]).toEqual(['{', '']);
});

test.runIf(existsSync('/dev/full'))('a full standard output is named', () => {
  const script = `"${process.execPath}" "${CLI_PATH}" fork --resident 4M > /dev/full`;
  const { status, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([1, 'error: cannot write standard output: no space left on the device\n']);
});

test('names that a terminal would obey are spelled out: in tables, errors and JSON', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'a\u001b[2J\u009b.txt');
  writeFileSync(path, ' L 00001000,8\n');
  const args = ['compare', '--pages', '4K'];
  const shown = [(await runCliApart([...args, path])).stdout, (await runCliApart([...args, `${path}x`])).stderr];
  for (const text of shown) expect(text).toContain('a\\x1b[2J\\x9b.txt');
  const json = (await runCliApart([...args, path, '--json'])).stdout;
  expect(json).not.toContain('\u009b');
  expect(CompareResult.parse(JSON.parse(json)).traces[0].trace).toBe(path);
  expect((await runCli(['fr\u001b[2Jk'])).stderr).toContain('fr\\x1b[2Jk');
});

test('a long word is quoted in part', async () => {
  for (const args of [['fork', '--pages'], ['walk'], ['lab'], ['compare', '--tlb'], ['sweep', '--l1']]) {
    const { status, stderr } = await runCli([...args, 'x'.repeat(5000)]);
    expect(status).toBe(2);
    expect(stderr).not.toMatch(/x{81}/);
  }
});

test('a result that breaks its own schema is told without the words of the validator', () => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const status = explain(CompareResult.safeParse({ schemaVersion: 0 }).error);
  const [[told]] = write.mock.calls;
  write.mockRestore();
  expect(status).toBe(1);
  expect(told).toMatch(
    /^error: the result's field schemaVersion cannot be as it is; this is a mistake of pagewalk.*\n$/,
  );
});
