/**
 * Records the memory accesses of a real command, by running it under valgrind's lackey tool.
 *
 * Lackey's lines come through a named pipe (`--log-file`), so the program keeps its standard input, output and error.
 * Its children are traced as well: each opens the same pipe. Lackey writes every line with one `write`, and the kernel
 * keeps a write of up to PIPE_BUF bytes in one piece, so lines of concurrent processes take turns but never mix. All
 * processes end up in one trace, in the order of their running, as if they shared one address space; the trace says how
 * many there are.
 * Sources: Valgrind User Manual, "Command-line options for Valgrind"; pipe(7), "PIPE_BUF".
 */

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { dropFetches, windowOf, type AccessBlock, type TraceCounts } from '../block.js';
import { lackeyBlocks, LackeyParser } from '../readers/lackey.js';
import { makeFolder, sweepFolders } from './leftovers.js';
import { writePacked } from '../packed/packed-writer.js';

/** What to record, and where to. */
export interface RecordOptions {
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]];
  /** The file to write. */
  readonly output: string;
  /** Accesses to pass over before the first one kept. */
  readonly skip: number;
  /** The most accesses to keep; then the program is killed. Infinity keeps all. */
  readonly limit: number;
  /** Keep and count instruction fetches besides data accesses. */
  readonly fetches: boolean;
  /** Told now and then how many accesses went by, those passed over included. */
  readonly onProgress: (accesses: number) => void | Promise<void>;
  /** Ends the recording: the program is killed and nothing is written. */
  readonly signal: AbortSignal;
}

/** What a recording holds, and how its command ended. */
export interface Recording {
  readonly counts: TraceCounts;
  /** How many processes were traced, a program replaced by exec counting as one more. */
  readonly processes: number;
  /** Lines from valgrind, neither accesses nor marked as its own. */
  readonly skippedLines: number;
  /** How the command ended; `stopped` when it was killed at the limit. */
  readonly ending: Ending | 'stopped';
}

/** How a command ended: by itself with a code, or by a signal. */
export interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
}

/** Why nothing could be recorded, in words for people. */
export class RecordError extends Error {
  override readonly name = 'RecordError';
}

const run = promisify(execFile);

/**
 * Runs a command under lackey and writes its accesses to a packed trace.
 * @throws RecordError when valgrind is missing, the command cannot run or makes no accesses to be counted, or the
 *   signal came; the file system's error when the trace cannot be written. No file is left then.
 */
export async function record(options: RecordOptions): Promise<Recording> {
  const tool = `${await valgrindVersion()} lackey`;
  await sweepFolders();
  const { folder, pipe } = await makeFolder().catch((error: unknown) => {
    throw inTemporaryFolder(error);
  });
  try {
    await run('mkfifo', [pipe]).catch((error: unknown) => {
      throw inTemporaryFolder(error);
    });
    return await recordThrough(pipe, tool, options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Why the pipe cannot be made in its place. */
function inTemporaryFolder(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  if ('path' in error && error.path === 'mkfifo') return new RecordError('mkfifo is missing; it comes with coreutils');
  const reason = error.code === 'ENOENT' ? 'there is no such folder' : String(error.code);
  return new RecordError(
    `no pipe can be made in the temporary folder '${tmpdir()}': ${reason}; name another with TMPDIR`,
  );
}

async function valgrindVersion(): Promise<string> {
  try {
    const { stdout } = await run('valgrind', ['--version']);
    return stdout.trim();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    throw new RecordError(
      'valgrind is missing, and recording needs it; install it: apt-get install valgrind on Debian and Ubuntu, ' +
        'dnf install valgrind on Fedora, pacman -S valgrind on Arch, apk add valgrind on Alpine',
    );
  }
}

async function recordThrough(pipe: string, tool: string, options: RecordOptions): Promise<Recording> {
  const { command, output, skip, limit, fetches, signal } = options;
  // The reader must not wait for a writer; and we hold the pipe open for writing. At some moments no traced process has
  // it open (a program replaces itself by exec); they do not end it.
  const reader = new Socket({ fd: openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK), writable: false });
  // The reader hears of an error as its loop ends; an interrupt may come before anybody reads.
  reader.on('error', () => undefined);
  const writer = openSync(pipe, constants.O_WRONLY);
  const child = startLackey(pipe, command);
  const ended = endingOf(child).finally(() => {
    closeSync(writer);
  });
  const interrupt = (): void => {
    reader.destroy(new RecordError('interrupted; nothing was written'));
  };
  signal.addEventListener('abort', interrupt);
  if (signal.aborted) interrupt();
  // Whether it started is asked for below; until then nobody may be listening.
  ended.catch(() => undefined);
  try {
    // Now and then valgrind puts words of its own between lackey's lines, as of an instruction that it does not know.
    const parser = new LackeyParser({ source: 'lackey', lenient: true });
    const blocks = windowOf(countedBlocks(lackeyBlocks(reader, parser), options), skip, limit);
    const metadata = { command: [...command], tool, skip, limit: limit === Infinity ? null : limit, fetches };
    const counts = await writePacked(output, guarded(blocks, ended, parser, options), metadata, () => ({
      ...metadata,
      processes: parser.processes > 0 ? parser.processes : null,
    }));
    const running = child.exitCode === null && child.signalCode === null;
    // Once nobody reads any more, the pipe may end a writing program before we do.
    const stopped = counts.accesses === limit && (running || child.signalCode === 'SIGPIPE');
    if (stopped) kill(child);
    const ending = await ended;
    const { processes, skippedLines } = parser;
    return { counts, processes, skippedLines, ending: stopped ? 'stopped' : ending };
  } finally {
    signal.removeEventListener('abort', interrupt);
    reader.destroy();
    kill(child);
    await ended.catch(() => undefined);
  }
}

/** Starts the command in a process group of its own, to end it with all its children. */
function startLackey(pipe: string, command: readonly string[]): ChildProcess {
  const logFile = pipe.replaceAll('%', '%%');
  const flags = ['--tool=lackey', '--trace-mem=yes', '--trace-children=yes', `--log-file=${logFile}`];
  return spawn('valgrind', [...flags, ...command], { stdio: 'inherit', detached: true });
}

function endingOf(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      reject(new RecordError(`valgrind could not be started: ${error.message}`));
    });
    child.once('exit', (code, signal) => {
      resolve({ code, signal });
    });
  });
}

/** Ends the command and its children, if any still run. */
function kill(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The whole group is gone already.
  }
}

/** The accesses to be kept, reported to onProgress as they go by. */
async function* countedBlocks(
  blocks: AsyncIterable<AccessBlock>,
  { fetches, onProgress }: RecordOptions,
): AsyncGenerator<AccessBlock> {
  let accesses = 0;
  for await (const block of blocks) {
    if (!fetches) dropFetches(block);
    accesses += block.length;
    await onProgress(accesses);
    if (block.length > 0) yield block;
  }
}

/** Passes blocks on; when there are none, says why rather than leaving an empty trace. */
async function* guarded(
  blocks: AsyncIterable<AccessBlock>,
  ended: Promise<Ending>,
  parser: LackeyParser,
  options: RecordOptions,
): AsyncGenerator<AccessBlock> {
  let any = false;
  for await (const block of blocks) {
    any = true;
    yield block;
  }
  if (any) return;
  const { code } = await ended;
  const [program] = options.command;
  if (parser.line === 0 || parser.processes === 0) {
    throw new RecordError(`valgrind could not run '${program}' (exit code ${code}); nothing was written`);
  }
  const fix = options.skip > 0 ? `; it made fewer than --skip ${options.skip}, give less` : '';
  throw new RecordError(`'${program}' made no accesses to record${fix}; nothing was written`);
}
