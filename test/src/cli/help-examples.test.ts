import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../folder.js';
import { canTry } from '../host/compiler.js';
import { pathWithStandIn } from '../trace/node/valgrind-stand-in.js';
import { CLI_PATH, runCli } from './run-cli.js';

const RECORDED = fileURLToPath(new URL('../../data/', import.meta.url));

/** Every command that a help text lists, those below another command too. */
async function commandsBelow(words: readonly string[]): Promise<string[][]> {
  const { stdout } = await runCli([...words, '--help']);
  // The list ends with an empty line.
  const list = /\nCommands:\n((?: .*\n)*)/.exec(stdout)?.[1] ?? '';
  const names = [...list.matchAll(/^ {2}([a-z]+\d*)/gm)].map(([, name]) => name);
  const commands: string[][] = [];
  for (const name of names) commands.push([...words, name], ...(await commandsBelow([...words, name])));
  return commands;
}

/** One machine of OSTEP's relocation.py, as `conform ostep` reads it. */
const BASE_AND_BOUNDS = {
  fam: 'base-bounds',
  seed: 1,
  base: 0x363c,
  limit: 290,
  accesses: [
    [0x105, 0x3741],
    [0x30e, null],
  ],
};

const commands = await commandsBelow([]);
/** Commands whose own tests run their examples, and look at what they print; and those that cannot work here. */
const LOOKED_AT = [
  'calibrate',
  'course',
  'course new',
  'course run',
  'course grade',
  'inspect',
  'quiz',
  'segment',
  'walk',
  'watch',
  ...(canTry ? [] : ['try']),
];
/** Examples that were seen to end well: some stand in the help of a command and in that of one below it. */
const ended = new Set<string>();

describe.each(commands.map((words) => [words.join(' ')]))('the help of %s', (command) => {
  let folder: string;
  beforeEach(() => {
    // The files that the examples name, and a stand-in for what they need installed.
    folder = temporaryFolder();
    writeFileSync(join(folder, 'app.lackey.gz'), gzipSync(' L 400000,8\n S 600000,4\n'));
    writeFileSync(join(folder, 'orders.csv'), 'b\na\n');
    for (const name of ['x86/open-seghw', 'riscv/open-bare', 'arm/open-s2', 'linux/open-ext4']) {
      const cases = gunzipSync(readFileSync(join(RECORDED, `${name}.jsonl.gz`)))
        .toString()
        .split('\n');
      const [machine] = name.split('/');
      writeFileSync(join(folder, `${machine}.jsonl.gz`), gzipSync(cases.slice(0, 10).join('\n')));
    }
    writeFileSync(join(folder, 'ostep.jsonl.gz'), gzipSync(`${JSON.stringify(BASE_AND_BOUNDS)}\n`));
  });

  const environment = (): NodeJS.ProcessEnv => {
    const path = pathWithStandIn(folder);
    writeFileSync(join(folder, 'bin', 'python3'), '#!/bin/sh\n', { mode: 0o755 });
    return { ...process.env, PATH: path };
  };

  it('fits a screen and has two examples, which end well', async () => {
    const { stdout: help } = await runCli([...command.split(' '), '--help']);
    const lines = help.trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    const examples = lines.filter((line) => line.startsWith(`  pagewalk ${command.split(' ')[0]}`));
    expect(examples).toHaveLength(2);
    const env = environment();
    for (const example of LOOKED_AT.includes(command) ? [] : examples) {
      if (ended.has(example)) continue;
      const words = example.trim().split(/ +/).slice(1);
      if (command === 'explore') await expectServed(words);
      else {
        const { status, stdout, stderr } = spawnSync(process.execPath, [CLI_PATH, ...words], {
          cwd: folder,
          env,
          encoding: 'utf8',
        });
        expect([example, status, stderr.includes('error')]).toEqual([example, 0, false]);
        if (command !== 'record') expect(stdout).not.toBe('');
      }
      ended.add(example);
    }
  });
});

/** A server goes on until it is ended; the port that it likes best may be taken on this machine. */
async function expectServed(words: readonly string[]): Promise<void> {
  const server = spawn(process.execPath, [CLI_PATH, ...words]);
  const answers = [server.stdout, server.stderr].map(async (stream) => {
    const [line] = (await once(stream, 'data')) as [Buffer];
    return line.toString();
  });
  expect(await Promise.race(answers)).toMatch(/^The explorer is at http:|something else uses it/);
  server.kill();
}

it('covers every command', () => {
  expect(commands.length).toBeGreaterThanOrEqual(13);
});
