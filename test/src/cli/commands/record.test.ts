import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, expect, it } from 'vitest';
import { temporaryFolder } from '../../../folder.js';
import type { CompareResult } from '../../../../src/report/results/compare-result.js';
import { openTrace } from '../../../../src/trace/node/open.js';
import { collect } from '../../trace/blocks.js';
import { pathWithStandIn } from '../../trace/node/valgrind-stand-in.js';
import { CLI_PATH, spawnCli } from '../run-cli.js';

let folder: string;
let environment: NodeJS.ProcessEnv;

beforeEach(() => {
  folder = temporaryFolder();
  environment = { ...process.env, PATH: pathWithStandIn(folder) };
});

function pagewalk(...words: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [CLI_PATH, ...words], { cwd: folder, env: environment, encoding: 'utf8' });
}

const files = (): string[] => readdirSync(folder).filter((name) => name !== 'bin');

it('leaves standard output to the program and names the trace after it', async () => {
  const { status, stdout, stderr } = pagewalk('record', '--', 'echo', '--limit');
  expect({ status, stdout }).toEqual({ status: 0, stdout: '--limit\n' });
  expect(stderr).toMatch(
    /^recorded 5 data accesses of echo in echo\.pwt \(.* bytes an access\)\nnote: recorded by valgrind.*\nnext: /,
  );
  expect((await collect(openTrace(join(folder, 'echo.pwt')))).length).toBe(5);
});

it('says how a failing program ended, the trace being whole nevertheless', () => {
  const { status, stderr } = pagewalk('record', '-o', 'x.pwt', '--', 'sh', '-c', 'exit 3');
  expect(status).toBe(0);
  expect(stderr).toContain('note: the program failed with exit code 3');
  expect(files()).toEqual(['x.pwt']);
});

it.each([
  [['record'], 'COMMAND is missing'],
  [['record', '--', '-x'], "COMMAND '-x' begins with a dash"],
  [['record', '--limit', '0', '--', 'true'], '--limit'],
  [['record', '--skip', '-1', '--', 'true'], '--skip'],
  [['record', '-o', '-', '--', 'true'], '--output'],
  [['record', '--window', '10', '--', 'true'], '--window'],
  [['record', '--start-after', 'soon', '--', 'true'], '--start-after'],
  [['record', '--whole', '--windows', '9', '--', 'true'], '--windows does not go with --whole'],
  [['record', '--limit', '9', '--window', '1000', '--', 'true'], '--window does not go with --limit'],
  [['record', '--skip', '9', '--start-at', 'main', '--', 'true'], '--start-at does not go with --skip'],
])('refuses %j as wrong usage', (words, expected) => {
  const { status, stderr } = pagewalk(...words);
  expect(status).toBe(2);
  expect(stderr).toContain(expected);
  expect(files()).toEqual([]);
});

it('fails when the folder of the trace does not exist', () => {
  const { status, stderr } = pagewalk('record', '-o', 'none/x.pwt', '--', 'true');
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: "error: cannot write 'none/x.pwt' (--output): there is no folder 'none'; create it first\n",
  });
});

it('names the temporary folder when it is at fault', () => {
  environment.TMPDIR = join(folder, 'none');
  const { status, stderr } = pagewalk('record', '-o', 'x.pwt', '--', 'true');
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /^error: no pipe can be made in the temporary folder '.*none': there is no such folder;.*TMPDIR\n$/,
  );
  expect(files()).toEqual([]);
});

it('sweeps what a killed recording left behind, once the next one runs', async () => {
  environment.TMPDIR = join(folder, 'tmp');
  mkdirSync(environment.TMPDIR);
  // It runs on until the test's folder is removed: before the sweep, it would wait for a reader of its last line.
  const program = 'touch began; while [ -e began ]; do sleep 0.1; done';
  const words = [CLI_PATH, 'record', '-o', 'x.pwt', '--', 'sh', '-c', program];
  const child = spawn(process.execPath, words, { cwd: folder, env: environment });
  const partial = `x.pwt.${child.pid}.partial`;
  while (!['began', partial].every((name) => files().includes(name))) await pause(20);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect([files(), readdirSync(environment.TMPDIR).length]).toEqual([['began', 'tmp', partial], 1]);
  expect(pagewalk('record', '-o', 'x.pwt', '--', 'true').status).toBe(0);
  expect([files(), readdirSync(environment.TMPDIR)]).toEqual([['began', 'tmp', 'x.pwt'], []]);
});

it('shows the name of the command without what a terminal would obey', () => {
  const { stderr } = pagewalk('record', '-o', 'a\u001b[31m.pwt', '--', 'true');
  expect(stderr).toContain('true in a\\x1b[31m.pwt');
});

it('ends the program when it is interrupted, and keeps what it did so far', async () => {
  // The program makes accesses for as long as somebody reads them.
  const words = [CLI_PATH, 'record', '--engine', 'valgrind', '--', 'endless'];
  const between = temporaryFolder();
  const child = spawn(process.execPath, words, { cwd: folder, env: { ...environment, TMPDIR: between } });
  let told = '';
  child.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
  // Windows wait in a temporary file for the end of the run.
  const isWritten = (): boolean =>
    readdirSync(between, { recursive: true, encoding: 'utf8' }).some((name) => {
      const file = statSync(join(between, name));
      return file.isFile() && file.size > 500;
    });
  while (!isWritten() && child.exitCode === null) await pause(20);
  child.kill('SIGINT');
  expect(await once(child, 'close')).toEqual([130, null]);
  expect(files()).toEqual(['endless.pwt']);
  expect(told).toContain('interrupted, and the program with it; the recording holds the run so far');
  const { stdout } = spawnCli(['compare', join(folder, 'endless.pwt'), '--json']);
  const [{ verdict, reason }] = (JSON.parse(stdout) as CompareResult).traces;
  expect([verdict, reason]).toEqual(['none', 'cut']);
});
