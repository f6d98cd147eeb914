/**
 * The fast engine: QEMU's user-mode emulator with a plugin of ours, which counts and sends accesses.
 *
 * The plugin follows children, and programs that replace themselves: it starts those under QEMU again. What it cannot
 * follow, such as a program that gets other rights, it names.
 */

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { QemuStream, qemuBlocks } from '../../readers/qemu-stream.js';
import { EngineError, type Engine, type Listener, type RecordingPlan } from '../engine.js';
import { builtPlugin } from './build.js';
import { findProgram, machineName } from './program.js';

const run = promisify(execFile);

/** From this version on plugins have another interface: QEMU, "Changelog/9.0", "TCG Plugins". */
const OTHER_INTERFACE = 9;
/** From this version on plugins hear of system calls, and so of exec. */
const FIRST = 6;

/** Three words of 64 bits: the plugin's `struct shared`. */
const SHARED_WORDS = 3;
const SKIP = 1;
const FETCHES = 2;

/** @throws EngineError when QEMU, a compiler or what the plugin needs of them is missing */
export async function qemuEngine(): Promise<Engine> {
  const machine = machineName();
  if (machine === undefined) {
    throw new EngineError(`the plugin for QEMU knows x86-64 and AArch64, not ${process.arch}; take --engine valgrind`);
  }
  const qemu = `qemu-${machine}`;
  const version = await versionOf(qemu);
  const plugin = await builtPlugin(version);
  return {
    name: 'qemu',
    tool: `${qemu} ${version}`,
    skipsItself: true,
    start: (pipe, plan) => start(qemu, plugin, pipe, plan),
    listen,
  };
}

async function versionOf(qemu: string): Promise<string> {
  try {
    const { stdout } = await run(qemu, ['--version']);
    const version = /version (\d+)[\d.]*/.exec(stdout);
    const major = Number(version?.[1]);
    if (version === null || !(major >= FIRST && major < OTHER_INTERFACE)) {
      const found = version?.[0] ?? 'no version';
      throw new EngineError(
        `${qemu} says '${found}', and the plugin is for versions ${FIRST} to ${OTHER_INTERFACE - 1}`,
      );
    }
    const { stdout: help } = await run(qemu, ['-h']).catch((error: unknown) => error as { stdout: string });
    if (!help.includes('-plugin')) {
      throw new EngineError(`${qemu} was built without plugins, as static builds are; install the package qemu-user`);
    }
    return version[0].slice('version '.length);
  } catch (error) {
    if (error instanceof EngineError) throw error;
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new EngineError(
        `${qemu} is missing; install it: apt-get install qemu-user on Debian and Ubuntu, dnf install qemu-user on ` +
          'Fedora, pacman -S qemu-user on Arch',
      );
    }
    throw new EngineError(`${qemu} does not run: ${error instanceof Error ? error.message.trim() : String(error)}`);
  }
}

async function start(
  qemu: string,
  plugin: string,
  pipe: string,
  { command, skip, fetches }: RecordingPlan,
): Promise<readonly [string, ...string[]]> {
  const program = findProgram(command);
  if (typeof program === 'string') throw new EngineError(`${qemu} cannot run '${command[0]}': ${program}`);
  const shared = new BigUint64Array(SHARED_WORDS);
  shared[SKIP] = BigInt(skip);
  shared[FETCHES] = fetches ? 1n : 0n;
  const folder = dirname(pipe);
  await writeFile(join(folder, 'shared'), shared);
  // Commas end an option of QEMU's; two stand for one.
  const option = [plugin, `folder=${folder}`].map((part) => part.replaceAll(',', ',,')).join(',');
  return [qemu, '-plugin', option, '-0', program.argv[0], program.path, ...program.argv.slice(1)];
}

function listen(): Listener {
  const stream = new QemuStream();
  return {
    blocks: (chunks) => qemuBlocks(chunks, stream),
    heard: () => stream.processes > 0,
    processes: () => stream.processes,
    skippedLines: () => 0,
    unseen: () => stream.unseen,
    unended: () => stream.unended,
    instructions: () => stream.counted.instructions,
  };
}
