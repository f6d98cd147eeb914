import { existsSync, linkSync, openSync, closeSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../../folder.js';
import { shippedTraces } from '../../../src/trace/node/shipped.js';
import { CLI_PATH, expectUsageError, runCli } from './run-cli.js';

const TRACE = ' L 00001000,8\n';

let folder: string;
let trace: string;

beforeEach(() => {
  folder = temporaryFolder();
  trace = join(folder, 't.txt');
  writeFileSync(trace, TRACE);
  symlinkSync('t.txt', join(folder, 'symbolic'));
  linkSync(trace, join(folder, 'hard'));
  writeFileSync(join(folder, 'costs.json'), '{}');
});

test.each([
  ['compare', ['TRACE', '--csv', 'DIR/t.txt']],
  ['compare', ['TRACE', '--csv', 'DIR/./t.txt']],
  ['compare', ['TRACE', '--csv', 'DIR/symbolic']],
  ['compare', ['TRACE', '--plot', 'DIR/hard']],
  ['compare', ['DIR/symbolic', '--plot', 'DIR/hard']],
  ['compare', ['TRACE', '--costs', 'DIR/costs.json', '--csv', 'DIR/costs.json']],
  ['sweep', ['TRACE', '--csv', 'DIR/hard']],
  ['sweep', ['TRACE', '--plot', 'DIR/symbolic']],
  ['record', ['-o', 'DIR/hard', '--', 'cat', 'TRACE']],
])('%s %j is refused: the report would replace what it reads', async (command, words) => {
  const args = words.map((word) => word.replace('TRACE', trace).replace('DIR', folder));
  await expectUsageError([command, ...args], ['which is read']);
  expect(readFileSync(trace, 'utf8')).toBe(TRACE);
});

const MANY = Array.from({ length: 100 }, () => '16x4').join(',');

test.each([
  ['compare', ['--costs', 'none.json']],
  ['sweep', ['--l1', MANY, '--l2', MANY]],
])('%s by itself reads the traces that ship, and does not replace them', async (command, laterMistake) => {
  // Were it not refused first, the later mistake would keep the trace whole.
  const [{ path }] = shippedTraces();
  await expectUsageError([command, '--csv', path, ...laterMistake], [path, 'which is read']);
});

test.each(['compare', 'sweep'])('%s writes no two files over each other', async (command) => {
  const files = ['--csv', join(folder, 'x'), '--plot', `${folder}/./x`];
  await expectUsageError([command, trace, ...files], ['--plot', 'it is the same file as what --csv writes']);
  expect(existsSync(join(folder, 'x'))).toBe(false);
});

test.each([
  ['standard input', ['compare', '-', '--csv', 'out'], 0],
  ['standard output', ['fork', '--csv', 'out'], 1],
])('%s of the shell counts as well', (stream, args, descriptor) => {
  const out = join(folder, 'out');
  writeFileSync(out, TRACE);
  const stdio: (number | 'pipe')[] = ['pipe', 'pipe', 'pipe'];
  const open = openSync(out, 'r+');
  stdio[descriptor] = open;
  const { status, stderr } = spawnSync(process.execPath, [CLI_PATH, ...args], { cwd: folder, stdio, encoding: 'utf8' });
  closeSync(open);
  expect(status).toBe(2);
  expect(stderr).toContain(`cannot write 'out' (--csv): it is the same file as ${stream}`);
  expect(readFileSync(out, 'utf8')).toBe(TRACE);
});

test.each([
  ['compare', ['TRACE', '--csv', 'TRACE/x']],
  ['record', ['-o', 'TRACE/x', '--', 'true']],
])('%s %j says that a file in the path is no folder', async (command, words) => {
  const { status, stderr } = await runCli([command, ...words.map((word) => word.replace('TRACE', trace))]);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^error: cannot write '.*t\.txt\/x' \(--.*\): a part of the path is not a folder\n$/);
});

test('two outputs may be one device, which loses nothing', async () => {
  const { stderr } = await runCli(['sweep', join(folder, 'none'), '--csv', '/dev/null', '--plot', '/dev/null']);
  expect(stderr).toContain('there is no such file');
});
