import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { TryResult } from '../../../../src/report/results/try-result.js';
import { temporaryFolder } from '../../../folder.js';
import { canTry, hasCompiler } from '../../host/compiler.js';
import { CLI_PATH, expectUsageError, spawnCli } from '../run-cli.js';
import { tryCommand } from '../../../../src/cli/commands/try.js';

it.each([
  [['try'], ['COMMAND is missing']],
  [['try', '--', ''], ['COMMAND is missing']],
  [['try', '--pairs', '0', '--', 'true'], ['--pairs']],
  [
    ['try', '--seconds', 'soon', '--', 'true'],
    ['--seconds', 'soon'],
  ],
])('%j is refused as wrong usage', (words, parts) => expectUsageError(words, parts));

/** The folder of a machine with this setting; its page tables are those of x86. */
function machineWith(setting: string): string {
  const root = temporaryFolder();
  const folder = join(root, 'sys/kernel/mm/transparent_hugepage');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'enabled'), ['always', 'madvise', 'never'].join(' ').replace(setting, `[${setting}]`));
  writeFileSync(join(folder, 'hpage_pmd_size'), '2097152\n');
  return root;
}

/** The whole command on such a machine, within this process. @returns its standard output */
async function tryOn(setting: string, words: readonly string[]): Promise<string> {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await tryCommand(machineWith(setting)).parseAsync(words, { from: 'user' });
    return write.mock.calls.map(([chunk]) => String(chunk)).join('');
  } finally {
    write.mockRestore();
  }
}

it.runIf(process.platform === 'linux')('where the setting is never, it runs nothing and says what to do', async () => {
  const mark = join(temporaryFolder(), 'ran');
  await expect(tryOn('never', ['--', 'touch', mark])).rejects.toThrow(
    /enabled says never, and pagewalk changes no setting; as root: echo madvise > .*enabled/,
  );
  expect(existsSync(mark)).toBe(false);
});

it.runIf(hasCompiler && process.platform === 'linux').each([
  ['always', true],
  ['madvise', false],
])('where the setting is %s, it says so, and whether that is a means', async (setting, means) => {
  const result = TryResult.parse(JSON.parse(await tryOn(setting, ['--pairs', '1', '--json', '--', 'true'])));
  expect([result.system.setting, result.means.includes('transparent_hugepage=always')]).toEqual([setting, means]);
  expect(result.runs).toHaveLength(2);
});

describe.runIf(canTry)('try', () => {
  it('runs a command in turns, one order and then the other, and keeps its output to itself', () => {
    const { status, stdout, stderr } = spawnCli(['try', '--pairs', '3', '--json', '--', 'echo', '--json']);
    expect([status, stderr]).toEqual([0, '']);
    const result = TryResult.parse(JSON.parse(stdout));
    expect(result).toMatchObject({ program: ['echo', '--json'], pairs: 3, verdict: 'none' });
    expect(result.runs.map(({ pages }) => pages)).toEqual(['base', 'huge', 'huge', 'base', 'base', 'huge']);
    expect(result.answer).toBe('No answer: 3 pairs cannot tell; give --pairs 5 or more.');
  });

  it('shows the output of every run on standard error when asked to, the warm-up too', () => {
    const { status, stdout, stderr } = spawnCli([
      'try',
      '--pairs',
      '1',
      '--show',
      '--',
      'sh',
      '-c',
      'echo o; echo e >&2',
    ]);
    expect(status).toBe(0);
    expect(stderr.match(/^o$/gm)).toHaveLength(3);
    expect(stderr.match(/^e$/gm)).toHaveLength(3);
    expect(stdout).toContain('sh -c echo o; echo e >&2: 1 pair of runs');
  });

  it('gives a file on standard input to each run from its beginning, and nothing of a pipe', () => {
    const file = join(temporaryFolder(), 'lines');
    writeFileSync(file, 'one\ntwo\n');
    const show = `"${process.execPath}" "${CLI_PATH}" try --pairs 1 --show -- wc -l`;
    const lines = (script: string): string => spawnSync('sh', ['-c', script], { encoding: 'utf8' }).stderr;
    expect(lines(`${show} < '${file}'`)).toBe('2\n2\n2\n');
    expect(lines(`cat '${file}' | ${show}`)).toBe('0\n0\n0\n');
  });

  it('a command that fails is told with what it said last, and counts with --ignore-failure', () => {
    const failing = ['--', 'sh', '-c', 'echo first >&2; echo last >&2; exit 3'];
    const { status, stdout, stderr } = spawnCli(['try', ...failing]);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      "error: 'sh' failed with exit code 3 in the warm-up run; it said 'last'; --ignore-failure counts such runs too\n",
    );
    const ignored = spawnCli(['try', '--pairs', '1', '-i', ...failing]);
    expect(ignored.status).toBe(0);
    expect(ignored.stdout).toContain('2 runs failed');
  });

  it('a command that does not exist is told', () => {
    const { status, stderr } = spawnCli(['try', '--', 'no-such\u001b[31m']);
    expect([status, stderr]).toEqual([1, "error: cannot run 'no-such\\x1b[31m': No such file or directory\n"]);
  });

  it('a missing compiler is told with its fix', () => {
    const { status, stderr } = spawnCli(['try', '--', 'true'], '', {
      CC: 'no-such-cc',
      XDG_CACHE_HOME: temporaryFolder(),
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: the C compiler 'no-such-cc' is missing, .* apt-get install gcc/);
  });

  it('Ctrl-C ends the command; what whole pairs say is printed', async () => {
    const folder = temporaryFolder();
    // The first pair is whole when the fourth run waits; the first run warms up.
    const script = 'echo >> runs; [ $(wc -l < runs) -lt 4 ] || { touch waits; exec sleep 1000; }';
    const child = spawn(process.execPath, [CLI_PATH, 'try', '--json', '--', 'sh', '-c', script], { cwd: folder });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const closed = once(child, 'close');
    while (!existsSync(join(folder, 'waits'))) await pause(20);
    child.kill('SIGINT');
    expect(await closed).toEqual([130, null]);
    expect(TryResult.parse(JSON.parse(text)).pairs).toBe(1);
  });
});
