/**
 * Records the memory accesses of a real command, by running it under an engine: QEMU with a plugin, or valgrind's lackey.
 *
 * The engine's words come through a named pipe, which each traced process opens, so the program keeps its standard input,
 * output and error. All processes end up in one trace, in the order of their running, as if they shared one address
 * space; the trace says how many there are.
 */

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { dropFetches, windowOf, type AccessBlock, type TraceCounts } from '../block.js';
import type { TraceMetadata } from '../packed/metadata.js';
import { writePacked } from '../packed/packed-writer.js';
import { chooseEngine, type EngineChoice } from './choose.js';
import { EngineError, type Engine, type EngineName, type Listener, type RecordingPlan } from './engine.js';
import { makeFolder, sweepFolders } from './leftovers.js';

/** A program to record, and where to. */
export interface RecordOptions extends RecordingPlan {
  readonly engine: EngineChoice;
  /** The file to write. */
  readonly output: string;
  /** The most accesses to keep; then the program is killed. Infinity keeps all. */
  readonly limit: number;
  /** Told now and then how many accesses came from the engine. */
  readonly onProgress: (accesses: number) => void | Promise<void>;
  /** Ends the recording: the program is killed and nothing is written. */
  readonly signal: AbortSignal;
}

/** What a recording holds, and how its command ended. */
export interface Recording {
  readonly engine: EngineName;
  /** Why the engine is not QEMU, where that was left to us. */
  readonly whyNotQemu: string | undefined;
  readonly counts: TraceCounts;
  /** How many processes were traced, a program replaced by exec counting as one more. */
  readonly processes: number;
  /** Lines from the engine that were neither accesses nor marked as its own. */
  readonly skippedLines: number;
  /** Programs that ran outside the engine's sight; their accesses are missing. */
  readonly unseen: readonly string[];
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
 * Runs a command under an engine and writes its accesses to a packed trace.
 * @throws RecordError when the engine is missing, the command cannot run or makes no accesses that count, or the signal
 *   came; the file system's error when the trace cannot be written. No file is left then.
 */
export async function record(options: RecordOptions): Promise<Recording> {
  const { engine, whyNotQemu } = await chooseEngine(options.engine, options.command).catch(asRecordError);
  await sweepFolders();
  const { folder, pipe } = await makeFolder().catch((error: unknown) => {
    throw inTemporaryFolder(error);
  });
  try {
    await run('mkfifo', [pipe]).catch((error: unknown) => {
      throw inTemporaryFolder(error);
    });
    return { ...(await recordThrough(pipe, engine, options)), whyNotQemu };
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

function asRecordError(error: unknown): never {
  throw error instanceof EngineError ? new RecordError(error.message) : error;
}

async function recordThrough(
  pipe: string,
  engine: Engine,
  options: RecordOptions,
): Promise<Omit<Recording, 'whyNotQemu'>> {
  const { command, output, skip, limit, fetches, signal } = options;
  const words = await engine.start(pipe, options).catch(asRecordError);
  // The reader must not wait for a writer; and we hold the pipe open for writing. At some moments no traced process has
  // it open (a program replaces itself by exec); they do not end it.
  const reader = new Socket({ fd: openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK), writable: false });
  // The reader hears of an error as its loop ends; an interrupt may come before anybody reads.
  reader.on('error', () => undefined);
  const writer = openSync(pipe, constants.O_WRONLY);
  const child = startEngine(words);
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
    const listener = engine.listen();
    const counted = countedBlocks(listener.blocks(reader), options);
    const blocks = windowOf(counted, engine.skipsItself ? 0 : skip, limit);
    const metadata = {
      command: [...command],
      tool: engine.tool,
      skip,
      limit: limit === Infinity ? null : limit,
      fetches,
    };
    const counts = await writePacked(output, guarded(blocks, ended, listener, options, engine), metadata, () => ({
      ...metadata,
      ...whatWasSeen(engine, listener),
    }));
    const running = child.exitCode === null && child.signalCode === null;
    // Once nobody reads any more, the pipe may end a writing program before we do.
    const stopped =
      counts.accesses === limit && (running || child.signalCode === 'SIGPIPE' || child.signalCode === 'SIGKILL');
    if (stopped) kill(child);
    const ending = await ended;
    return {
      engine: engine.name,
      counts,
      processes: listener.processes(),
      skippedLines: listener.skippedLines(),
      unseen: listener.unseen(),
      ending: stopped ? 'stopped' : ending,
    };
  } finally {
    signal.removeEventListener('abort', interrupt);
    reader.destroy();
    kill(child);
    await ended.catch(() => undefined);
  }
}

/** Starts the command in a process group of its own, so that it can be ended with all its children. */
function startEngine([program, ...words]: readonly [string, ...string[]]): ChildProcess {
  return spawn(program, words, { stdio: 'inherit', detached: true });
}

/** What of the metadata is known only at the end. */
function whatWasSeen(engine: Engine, listener: Listener): Partial<TraceMetadata> {
  const processes = listener.processes();
  const unseen = listener.unseen().length;
  const instructions = listener.unended() === 0 ? listener.instructions() : undefined;
  return {
    engine: engine.name,
    processes: processes > 0 ? processes : null,
    ...(unseen > 0 && { unseen }),
    ...(instructions !== undefined && { instructions }),
  };
}

function endingOf(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      reject(new RecordError(`the engine could not be started: ${error.message}`));
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
  listener: Listener,
  options: RecordOptions,
  engine: Engine,
): AsyncGenerator<AccessBlock> {
  let any = false;
  for await (const block of blocks) {
    any = true;
    yield block;
  }
  if (any) return;
  const { code } = await ended;
  const [program] = options.command;
  if (!listener.heard()) {
    throw new RecordError(`${engine.name} could not run '${program}' (exit code ${code}); nothing was written`);
  }
  const fix = options.skip > 0 ? `; it made fewer than --skip ${options.skip}, give less` : '';
  throw new RecordError(`'${program}' made no accesses to record${fix}; nothing was written`);
}
