/**
 * The fast engine: QEMU's user-mode emulator with a plugin of ours to count and send accesses.
 *
 * The plugin follows children, and programs after exec: it starts those under QEMU again. Some it cannot follow, such
 * as a program with other rights: it names those.
 */

import { execFile } from 'node:child_process';
import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { getSystemErrorName, promisify } from 'node:util';
import type { AccessBlock } from '../../block.js';
import { QemuStream, qemuBlocks, type StreamProcess } from '../../readers/qemu-stream.js';
import type { WindowPlan } from '../../windows.js';
import {
  EngineError,
  planFrom,
  type Engine,
  type EngineFacts,
  type EngineRun,
  type Listener,
  type RecordingPlan,
} from '../engine.js';
import { builtPlugin } from './build.js';
import { findProgram, machineName } from './program.js';
import { offsetOfFunction } from './symbol.js';
import { makeWindowFile, slotBytes, storedWindows } from './window-file.js';

const run = promisify(execFile);

/** From this version on plugins hear of system calls, and so of exec. */
const FIRST = 6;
/** The newest with a known interface. */
const LAST = 10;
/** From this version on QEMU refuses plugins for the first version of the interface: "Changelog/9.0", "TCG Plugins". */
const SECOND_INTERFACE = 9;

/** The words of 64 bits in the plugin's `struct shared`, by index. */
const POSITION = 0;
const FROM = 1;
const LENGTH = 2;
const MOST = 3;
const FETCHES = 4;
const FAILED = 6;
const CLOSED = 7;
const SLOT_BYTES = 8;
const SLOTS = 9;
const FIRST_PLACE = 10;
const PLACES = 16384;
/** At the end, of the plugin's alone. */
const LOCK_WORDS = 8;
const SHARED_WORDS = FIRST_PLACE + 2 * PLACES + LOCK_WORDS;
const WORD_BYTES = 8;
const NOT_YET = 2n ** 64n - 1n;

/** @throws EngineError when QEMU, a compiler or the plugin's needs of them are missing */
export async function qemuEngine(): Promise<Engine> {
  const machine = machineName();
  if (machine === undefined) {
    throw new EngineError(`the plugin for QEMU knows x86-64 and AArch64, not ${process.arch}; take --engine valgrind`);
  }
  const qemu = `qemu-${machine}`;
  const version = await versionOf(qemu);
  const plugin = await builtPlugin(version, parseInt(version) < SECOND_INTERFACE ? 1 : 2);
  return {
    name: 'qemu',
    tool: `${qemu} ${version}`,
    cutsWindows: true,
    start: (pipe, plan) => start(qemu, plugin, pipe, plan),
    listen,
  };
}

async function versionOf(qemu: string): Promise<string> {
  try {
    const { stdout } = await run(qemu, ['--version']);
    const version = /version (\d+)[\d.]*/.exec(stdout);
    const major = Number(version?.[1]);
    if (version === null || !(major >= FIRST && major <= LAST)) {
      const found = version?.[0] ?? 'no version';
      throw new EngineError(`${qemu} says '${found}', and the plugin is for versions ${FIRST} to ${LAST}`);
    }
    const { stdout: help } = await run(qemu, ['-h']).catch((error: unknown) => error as { stdout: string });
    if (!help.includes('-plugin')) {
      throw new EngineError(
        `${qemu} was built without plugins, as static builds are, Debian 13's among them; take another build of QEMU, ` +
          'or --engine valgrind',
      );
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

async function start(qemu: string, plugin: string, pipe: string, plan: RecordingPlan): Promise<EngineRun> {
  const { command, skip, fetches, windows, startAt, startAfter } = plan;
  const program = findProgram(command);
  if (typeof program === 'string') throw new EngineError(`${qemu} cannot run '${command[0]}': ${program}`);
  const start = startAt === undefined ? undefined : offsetOfFunction(program.path, startAt);
  if (typeof start === 'string') throw new EngineError(`--start-at ${startAt}: ${start}`);
  const folder = dirname(pipe);
  const shared = sharedFile(pipe);
  shared.create();
  shared.write({
    [FROM]: start !== undefined || startAfter !== undefined ? NOT_YET : BigInt(skip),
    [LENGTH]: windows === 'whole' ? 1n : BigInt(windows.length),
    [MOST]: windows === 'whole' ? 0n : BigInt(windows.most),
    [FETCHES]: fetches ? 1n : 0n,
    [SLOT_BYTES]: windows === 'whole' ? 0n : BigInt(slotBytes(windows.length)),
  });
  const options = [plugin, `folder=${folder}`, ...(start === undefined ? [] : [`start=${start}`])];
  if (windows !== 'whole') await makeWindowFile(windowFile(pipe), windows).catch(cannotKeep);
  // Commas end an option of QEMU's; two stand for one.
  const option = options.map((part) => part.replaceAll(',', ',,')).join(',');
  return {
    words: [qemu, '-plugin', option, '-0', program.argv[0], program.path, ...program.argv.slice(1)],
    plan: () => {
      const from = shared.read(FROM);
      return from === NOT_YET ? undefined : planFrom(Number(from), plan);
    },
    beginNow: () => {
      if (shared.read(FROM) === NOT_YET) shared.write({ [FROM]: shared.read(POSITION) });
    },
    position: () => Number(shared.read(POSITION)),
  };
}

/** The file mapped by all processes of a recording; Linux shows each at once the others' writes. */
class SharedFile {
  constructor(private readonly path: string) {}

  create(): void {
    writeFileSync(this.path, new Uint8Array(SHARED_WORDS * WORD_BYTES));
  }

  read(word: number): bigint {
    const bytes = new BigUint64Array(1);
    const file = openSync(this.path, 'r');
    readSync(file, bytes, 0, WORD_BYTES, word * WORD_BYTES);
    closeSync(file);
    return bytes[0];
  }

  write(words: Record<number, bigint>): void {
    const file = openSync(this.path, 'r+');
    for (const [word, value] of Object.entries(words)) {
      writeSync(file, BigUint64Array.of(value), 0, WORD_BYTES, Number(word) * WORD_BYTES);
    }
    closeSync(file);
  }
}

function windowFile(pipe: string): string {
  return join(dirname(pipe), 'windows');
}

function cannotKeep(error: unknown): never {
  if (!(error instanceof Error && 'code' in error)) throw error;
  throw cannotKeepWindows(String(error.code));
}

function cannotKeepWindows(code: string): EngineError {
  return new EngineError(
    `the windows cannot be kept in the temporary folder '${tmpdir()}' (${code}); name another with TMPDIR, or give ` +
      'fewer --windows or a smaller --window',
  );
}

function sharedFile(pipe: string): SharedFile {
  return new SharedFile(join(dirname(pipe), 'shared'));
}

function listen(pipe: string): Listener {
  const stream = new QemuStream();
  return {
    blocks: (chunks) => qemuBlocks(chunks, stream),
    staying: (blocks, plan) => stayingWindows(blocks, plan, pipe, stream),
    heard: () => stream.processes.length > 0,
    skippedLines: () => 0,
    facts: () => factsOf(stream, sharedFile(pipe)),
  };
}

/** All but accesses comes through the pipe. */
async function* stayingWindows(
  blocks: AsyncIterable<AccessBlock>,
  plan: () => WindowPlan | undefined,
  pipe: string,
  stream: QemuStream,
): AsyncGenerator<AccessBlock> {
  yield* blocks;
  const shared = sharedFile(pipe);
  // Who still runs, out of our reach, must write no more into what is read now.
  shared.write({ [CLOSED]: 1n });
  const failed = Number(shared.read(FAILED));
  if (failed !== 0) throw cannotKeepWindows(getSystemErrorName(-failed));
  const windows = plan();
  if (windows === undefined) return;
  try {
    yield* storedWindows(windowFile(pipe), windows, Number(shared.read(SLOTS)), stream);
  } catch (error) {
    cannotKeep(error);
  }
}

function factsOf({ processes, unseen }: QemuStream, shared: SharedFile): EngineFacts {
  const counted = processes.map((process) => countsOf(process, shared));
  const sum = (of: 'accesses' | 'instructions'): number =>
    counted.reduce((total, { [of]: count = 0 }) => total + count, 0);
  return {
    processes: processes.map(({ pid, program, origin, threads, regions }, i) => ({
      pid,
      program,
      origin,
      ...counted[i],
      residentBytes: regions.residentBytes,
      threads: threads.map((thread) => ({ ...thread })),
      regions: regions.regions(),
    })),
    unseen: [...unseen],
    ...(counted.every(({ accesses }) => accesses !== undefined) && {
      accesses: sum('accesses'),
      instructions: sum('instructions'),
    }),
  };
}

/**
 * The counts of a process. Of one ended by a signal the last batch of each thread is missing: 4,096 accesses at most. So it
 * is of threads still busy when their process ends or replaces its program.
 */
function countsOf(
  { ended, accesses, instructions, place }: StreamProcess,
  shared: SharedFile,
): Partial<Record<'accesses' | 'instructions', number>> {
  if (place >= PLACES) return ended ? { accesses, instructions } : {};
  const at = FIRST_PLACE + 2 * place;
  return { accesses: Number(shared.read(at)), instructions: Number(shared.read(at + 1)) };
}
