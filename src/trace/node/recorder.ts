/**
 * Records the memory accesses of a real command, by running it under an engine: QEMU with a plugin, or valgrind's lackey.
 *
 * The engine's words come through a named pipe. Each traced process opens it, so the program keeps its standard input,
 * output and error. All processes and threads end up in one trace, in the order of their running. QEMU's are told apart;
 * lackey does not tell the process of an access, and the trace says how many processes are mixed.
 */

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { checkChoice, checkOptions, arrayOf, NUMBER, objectWith, TEXT, TRUTH } from '../../../hw/base/arguments.js';
import type { Kind } from '../../../hw/base/arguments.js';
import { dropFetches, windowOf, type AccessBlock, type TraceCounts } from '../block.js';
import { programsOf, type Ending, type RunEnding } from '../coverage.js';
import type { TraceFacts, TraceMetadata } from '../packed/metadata.js';
import { writePacked } from '../packed/packed-writer.js';
import { cutWindows } from '../windows.js';
import { chooseEngine, ENGINE_CHOICES, type EngineChoice } from './choose.js';
import {
  EngineError,
  type Engine,
  type EngineName,
  type EngineRun,
  type Listener,
  type RecordingPlan,
} from './engine.js';
import { makeFolder, sweepFolders } from './leftovers.js';

/** A program to record, and the path of the trace. */
export interface RecordOptions extends RecordingPlan {
  readonly engine: EngineChoice;
  /** The file to write. */
  readonly output: string;
  /** The most accesses to keep; then the program is killed. Infinity keeps all. */
  readonly limit: number;
  /** Told now and then how many accesses the program has made. */
  readonly onProgress: (accesses: number) => void | Promise<void>;
  /** Ends the recording: the program is killed, and what was recorded of it is kept. */
  readonly signal: AbortSignal;
}

/** The content of a recording, and the end of its command. */
export interface Recording {
  readonly engine: EngineName;
  /** Why the engine is not QEMU, if the choice was left to us. */
  readonly whyNotQemu: string | undefined;
  readonly counts: TraceCounts;
  /** The facts of the run. */
  readonly facts: TraceFacts;
  readonly windows: KeptWindows;
  /** How many processes were traced, a program replaced by exec counting as one more. */
  readonly processes: number;
  /** Lines from the engine, neither accesses nor marked as its own. */
  readonly skippedLines: number;
  /** How the command ended; `stopped` when it was killed at the limit, `interrupted` when the signal came. */
  readonly ending: RunEnding;
}

/** The windows of a recording; one if all is in one piece. */
export interface KeptWindows {
  readonly kept: number;
  /** Accesses of the run in one of them; Infinity in one piece. */
  readonly length: number;
  /** How many of them begin after a gap. */
  readonly gaps: number;
}

/** Why nothing could be recorded, in words for people. */
export class RecordError extends Error {
  override readonly name = 'RecordError';
}

const WINDOWS = objectWith('length', "{ length, most } or 'whole'");
const REQUIRED: Readonly<Record<Exclude<keyof RecordOptions, 'engine' | 'startAt' | 'startAfter'>, Kind>> = {
  command: arrayOf(TEXT),
  output: TEXT,
  skip: NUMBER,
  limit: NUMBER,
  fetches: TRUTH,
  windows: { ...WINDOWS, fits: (value) => value === 'whole' || WINDOWS.fits(value) },
  onProgress: { words: 'a function', fits: (value) => typeof value === 'function' },
  signal: objectWith('aborted', 'an AbortSignal, such as new AbortController().signal'),
};

const TOO_SOON = 'interrupted before the first access; nothing was written';

const runProgram = promisify(execFile);
const PROGRESS_MILLISECONDS = 250;
/** After an interruption nobody waits longer for processes that hold the pipe and went out of reach. */
const LAST_WORDS_MILLISECONDS = 2000;

/**
 * Runs a command under an engine and writes its accesses to a packed trace.
 * @throws RecordError when the engine is missing, or the command cannot run or makes no accesses to count, as one does
 *   that the signal ended too soon; the file system's error when the trace cannot be written. No file is left then.
 *   TypeError for options that are missing or of another kind.
 */
export async function record(options: RecordOptions): Promise<Recording> {
  checkOptions('record: options', options, REQUIRED);
  checkChoice('engine', options.engine, ENGINE_CHOICES);
  const { engine, whyNotQemu } = await chooseEngine(options.engine, options.command).catch(asRecordError);
  await sweepFolders();
  const { folder, ...paths } = await makeFolder().catch((error: unknown) => {
    throw inTemporaryFolder(error);
  });
  try {
    await runProgram('mkfifo', [paths.pipe]).catch((error: unknown) => {
      throw inTemporaryFolder(error);
    });
    return { ...(await recordThrough(paths, engine, options)), whyNotQemu };
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
  { pipe, stored }: Record<'pipe' | 'stored', string>,
  engine: Engine,
  options: RecordOptions,
): Promise<Omit<Recording, 'whyNotQemu'>> {
  const { output, limit, windows, signal } = options;
  const run = await engine.start(pipe, options).catch(asRecordError);
  if (signal.aborted) throw new RecordError(TOO_SOON);
  // The reader must not wait for a writer; and we hold the pipe open for writing. At some moments no traced process has
  // it open (a program replaces itself by exec); they do not end it.
  const reader = new Socket({ fd: openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK), writable: false });
  // The reader hears of an error as its loop ends; an interrupt may come before anybody reads.
  reader.on('error', () => undefined);
  const writer = openSync(pipe, constants.O_WRONLY);
  const child = startEngine(run.words);
  const ended = endingOf(child).finally(() => {
    closeSync(writer);
  });
  const interrupt = (): void => {
    kill(child);
    setTimeout(() => reader.destroy(), LAST_WORDS_MILLISECONDS).unref();
  };
  signal.addEventListener('abort', interrupt);
  // Whether it started is asked for below; until then nobody may be listening.
  ended.catch(() => undefined);
  const stopTimers = startTimers(run, options);
  try {
    const listener = engine.listen(pipe);
    const counted = countedBlocks(toTheEnd(listener.blocks(reader), signal), run, options);
    const kept = windowOf(engine.cutsWindows ? counted : cutWindows(counted, run.plan), 0, limit);
    const staying = windows === 'whole' ? kept : listener.staying(kept, run.plan, stored);
    const blocks = guarded(staying, ended, listener, options, engine);
    let facts: TraceFacts | undefined;
    let positions: readonly number[] = [];
    const counts = await writePacked(output, blocks, metadataOf(engine, options), {
      facts: async (written) => {
        positions = written.windows;
        const ending = signal.aborted ? 'interrupted' : await endOf(child, ended, written.accesses === limit);
        return (facts = factsOf(listener, run, ending));
      },
    }).catch(asRecordError);
    if (facts === undefined) throw new Error('a trace was written without facts');
    return {
      engine: engine.name,
      counts,
      facts,
      windows: tallyWindows(positions, windows === 'whole' ? Infinity : windows.length),
      processes: facts.mixed ?? programsOf(facts.processes),
      skippedLines: listener.skippedLines(),
      ending: facts.ending ?? 'stopped',
    };
  } finally {
    stopTimers();
    signal.removeEventListener('abort', interrupt);
    reader.destroy();
    kill(child);
    await ended.catch(() => undefined);
  }
}

/** Tells of progress, and begins the windows when their time has come. @returns the function to end that */
function startTimers(run: EngineRun, { startAfter, onProgress }: RecordOptions): () => void {
  const progress = setInterval(() => {
    // Between two windows nothing comes through the pipe.
    const position = run.position();
    if (position !== undefined) void onProgress(position);
  }, PROGRESS_MILLISECONDS);
  const begin = startAfter === undefined ? undefined : setTimeout(run.beginNow, 1000 * startAfter);
  return () => {
    clearInterval(progress);
    clearTimeout(begin);
  };
}

/** The facts of a recording before its start. */
function metadataOf(engine: Engine, { command, skip, limit, fetches, windows }: RecordOptions): TraceMetadata {
  return {
    command: [...command],
    tool: engine.tool,
    engine: engine.name,
    skip,
    limit: limit === Infinity ? null : limit,
    fetches,
    ...(windows !== 'whole' && { window: windows.length }),
  };
}

/** How the command ended. It is stopped here if all wanted accesses are there. */
async function endOf(child: ChildProcess, ended: Promise<Ending>, atLimit: boolean): Promise<RunEnding> {
  const running = child.exitCode === null && child.signalCode === null;
  // Once nobody reads any more, the pipe may end a writing program before we do.
  const stopped = atLimit && (running || child.signalCode === 'SIGPIPE' || child.signalCode === 'SIGKILL');
  if (stopped) kill(child);
  const ending = await ended;
  return stopped ? 'stopped' : ending;
}

/** Starts the command in a process group of its own, to end it with all its children. */
function startEngine([program, ...words]: readonly [string, ...string[]]): ChildProcess {
  return spawn(program, words, { stdio: 'inherit', detached: true });
}

function tallyWindows(positions: readonly number[], length: number): KeptWindows {
  const gaps = positions.filter((position, i) => position > (i === 0 ? 0 : positions[i - 1] + length));
  return { kept: positions.length, length, gaps: gaps.length };
}

/** The facts of a finished run. */
function factsOf(listener: Listener, run: EngineRun, ending: RunEnding): TraceFacts {
  const facts = listener.facts();
  // Of very many processes some may not have told their counts; the claims of all are a little more.
  const accesses = facts.accesses ?? run.position();
  return { ...facts, ending, ...(accesses !== undefined && ending !== 'stopped' && { accesses }) };
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

/** The blocks; after an interruption the last words of the engine may be missing. */
async function* toTheEnd(blocks: AsyncIterable<AccessBlock>, signal: AbortSignal): AsyncGenerator<AccessBlock> {
  try {
    yield* blocks;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** The accesses to be kept, reported to onProgress as they go by. */
async function* countedBlocks(
  blocks: AsyncIterable<AccessBlock>,
  run: EngineRun,
  { fetches, onProgress }: RecordOptions,
): AsyncGenerator<AccessBlock> {
  let accesses = 0;
  // An engine that knows its position is asked now and then, by a timer: to ask takes longer than a block.
  const known = run.position() !== undefined;
  for await (const block of blocks) {
    if (!fetches) dropFetches(block);
    accesses += block.length;
    if (!known) await onProgress(accesses);
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
  if (options.signal.aborted) throw new RecordError(TOO_SOON);
  const { code } = await ended;
  const [program] = options.command;
  if (!listener.heard()) {
    throw new RecordError(`${engine.name} could not run '${program}' (exit code ${code}); nothing was written`);
  }
  throw new RecordError(`'${program}' made no accesses to record${neverBegun(options)}; nothing was written`);
}

/** The option that the recording waited for in vain. */
function neverBegun({ skip, startAfter, startAt }: RecordOptions): string {
  if (skip > 0) return `; it made fewer than --skip ${skip}, give less`;
  if (startAfter !== undefined) return `; it ended before --start-after ${startAfter}, give less`;
  return startAt === undefined ? '' : `; it never called --start-at ${startAt}, name another`;
}
