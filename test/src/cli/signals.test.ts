import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { temporaryFolder } from '../../folder.js';
import { CLI_PATH } from './run-cli.js';

let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
});

function start(words: readonly string[]): ChildProcess {
  const env = { ...process.env, TMPDIR: folder };
  return spawn(process.execPath, [CLI_PATH, ...words], { cwd: folder, env, stdio: ['pipe', 'pipe', 'pipe'] });
}

/** What a process writes until it ends, and how it ends. A shell calls an end by signal 2 or 15 exit code 130 or 143. */
async function endOf(child: ChildProcess): Promise<unknown> {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: Buffer) => (text += data.toString()));
  const [, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { signal, text };
}

it.each(['SIGINT', 'SIGTERM'] as const)('%s ends compare at once, with nothing printed or left', async (signal) => {
  const child = start(['compare', '-', '--csv', 'a.csv', '--plot', 'a.svg']);
  const end = endOf(child);
  child.stdin?.on('error', () => undefined);
  // More than a pipe holds: when all of it is gone, the comparison has begun.
  await new Promise((resolve) => child.stdin?.write(' L 00401000,8\n'.repeat(100_000), resolve));
  child.kill(signal);
  expect(await end).toEqual({ signal, text: '' });
  expect(readdirSync(folder)).toEqual([]);
});

it.each(['SIGINT', 'SIGTERM'] as const)('%s ends sweep and its workers, with nothing left', async (signal) => {
  const trace = join(folder, 'trace');
  spawnSync('mkfifo', [trace]);
  const child = start(['sweep', 'trace', '--pages', '4K', '--workers', '2', '--csv', 'a.csv', '--plot', 'a.svg']);
  const end = endOf(child);
  // A named pipe opens when a worker has opened it: it then waits for accesses that never come.
  const writer = await open(trace, 'w');
  child.kill(signal);
  expect(await end).toEqual({ signal, text: '' });
  await writer.close();
  expect(readdirSync(folder)).toEqual(['trace']);
});

it('a signal while a file is written waits until it is whole', () => {
  const path = join(folder, 'a.csv');
  writeFileSync(path, 'old');
  const module = new URL('../../../dist/src/report/output/write-file.js', import.meta.url).href;
  const program = `import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const { renameSync } = fs;
    fs.renameSync = (from, to) => {
      process.kill(process.pid, 'SIGTERM');
      renameSync(from, to);
    };
    syncBuiltinESMExports();
    const { writeFileWhole } = await import(${JSON.stringify(module)});
    writeFileWhole(${JSON.stringify(path)}, 'new');
    setInterval(() => undefined, 1000);`;
  const { signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  expect({ signal, stderr }).toEqual({ signal: 'SIGTERM', stderr: '' });
  expect(readdirSync(folder)).toEqual(['a.csv']);
  expect(readFileSync(path, 'utf8')).toBe('new');
});
