/** Runs a command once, with huge pages allowed or forbidden, and measures it. */

import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fstatSync, openSync, closeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { basename } from 'node:path';
import { compiled } from '../compile.js';
import { MemorySampler, type MemorySample } from './memory-sampler.js';
import { packageFile } from '../package-file.js';

/** The two sides of the experiment: base pages alone, or huge pages in all possible places. */
export type Side = 'base' | 'huge';

/** Why a command cannot be run or measured, in words for people. */
export class LaunchError extends Error {
  override readonly name = 'LaunchError';
}

/** The compiled helpers. */
export interface Launcher {
  readonly program: string;
  /** The library with the request for huge pages, for LD_PRELOAD. */
  readonly library: string;
}

/** One run; times in seconds, of all processes started by the command. */
export interface Run {
  readonly side: Side;
  readonly exitCode: number;
  /** The number of the signal at its end; 0 for none. */
  readonly signal: number;
  readonly user: number;
  readonly system: number;
  readonly wall: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
  /** Processes still at work after the command's end, and ended then. */
  readonly leftRunning: number;
  /** At the moment with the most anonymous memory; undefined when nobody could look. */
  readonly memory: MemorySample | undefined;
  /** A process loaded the library. */
  readonly advised: boolean;
  /** A digest of its standard output. */
  readonly output: string;
  /** The last of its standard error. */
  readonly errors: string;
}

export interface LaunchOptions {
  readonly launcher: Launcher;
  readonly command: readonly string[];
  /** Show the command's output, on our standard error. */
  readonly show: boolean;
  /** Called now and then while the command still runs. */
  readonly onTick: () => void;
  readonly signal: AbortSignal;
}

/** @throws CompileError when there is no compiler, or the cache cannot be written */
export async function builtLauncher(): Promise<Launcher> {
  const [program, library] = await Promise.all([
    compiled({ path: packageFile('src/host/try/launcher.c'), kind: 'program', name: 'the launcher' }),
    compiled({ path: packageFile('src/host/try/advise.c'), kind: 'library', name: 'the library for madvise' }),
  ]);
  // Source: Linux manual pages, ld.so(8), "LD_PRELOAD": "there is no way to escape" these two.
  if (/[ :]/.test(library)) {
    const why = 'LD_PRELOAD takes no path with spaces or colons';
    throw new LaunchError(
      `the library for madvise is '${library}', and ${why}; name another folder with XDG_CACHE_HOME`,
    );
  }
  return { program, library };
}

/** Both sides get the same variables of the same length: the size of the environment moves the stack. */
function environment(side: Side, { library }: Launcher): string[] {
  const on = side === 'huge' ? 1 : 0;
  const tunables = (process.env.GLIBC_TUNABLES ?? '')
    .split(':')
    .filter((t) => t !== '' && !t.startsWith('glibc.malloc.hugetlb='));
  const preloads = (process.env.LD_PRELOAD ?? '').split(/[ :]/).filter((path) => path !== '');
  return [
    `GLIBC_TUNABLES=${[...tunables, `glibc.malloc.hugetlb=${on}`].join(':')}`,
    `LD_PRELOAD=${[...preloads, library].join(':')}`,
    `PAGEWALK_ADVISE=${on}`,
  ];
}

/** Our standard input from its beginning, if it is a file; otherwise nothing: it can be read only once. */
function openInput(): number {
  try {
    if (fstatSync(0).isFile()) return openSync('/proc/self/fd/0', 'r');
  } catch {
    // It is closed, or the file cannot be opened again.
  }
  return openSync('/dev/null', 'r');
}

const KEPT_ERRORS = 2048;

function listen(
  child: ChildProcess,
  show: boolean,
): { output: () => string; errors: () => string; report: () => string } {
  const hash = createHash('sha1');
  let errors = '';
  let report = '';
  const [, output, error, reports] = child.stdio as Readable[];
  output.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    if (show) process.stderr.write(chunk);
  });
  error.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-KEPT_ERRORS);
    if (show) process.stderr.write(chunk);
  });
  reports.on('data', (chunk: Buffer) => {
    report += chunk.toString();
  });
  return { output: () => hash.digest('hex'), errors: () => errors, report: () => report };
}

type Report = { readonly failed: string; readonly why: string } | Readonly<Record<string, number>>;

/**
 * Runs the command and waits for its end, and for that of all its processes.
 * @throws LaunchError when the command cannot be started, or the signal came
 */
export async function launch(side: Side, { launcher, command, show, onTick, signal }: LaunchOptions): Promise<Run> {
  const words = [side, ...environment(side, launcher), '--', ...command];
  const input = openInput();
  const child = spawn(launcher.program, words, { stdio: [input, 'pipe', 'pipe', 'pipe'], detached: true });
  closeSync(input);
  const heard = listen(child, show);
  const sampler = new MemorySampler(child.pid ?? 0, basename(launcher.library), onTick);
  const interrupt = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', interrupt);
  if (signal.aborted) interrupt();
  try {
    await new Promise((resolve, reject) => {
      child.once('close', resolve);
      child.once('error', reject);
    });
  } finally {
    sampler.stop();
    signal.removeEventListener('abort', interrupt);
  }
  if (signal.aborted) throw new LaunchError('interrupted');
  return runOf(side, command, heard, sampler);
}

function runOf(side: Side, command: readonly string[], heard: ReturnType<typeof listen>, sampler: MemorySampler): Run {
  if (heard.report() === '') throw new LaunchError('the launcher was killed before it could report');
  const report = JSON.parse(heard.report()) as Report;
  if ('why' in report) {
    const what = report.failed === 'exec' ? `run '${command[0]}'` : `measure '${command[0]}' (${report.failed})`;
    throw new LaunchError(`cannot ${what}: ${report.why}`);
  }
  return {
    side,
    exitCode: report.exitCode,
    signal: report.signal,
    user: report.userMicroseconds / 1e6,
    system: report.systemMicroseconds / 1e6,
    wall: report.wallMicroseconds / 1e6,
    minorFaults: report.minorFaults,
    majorFaults: report.majorFaults,
    leftRunning: report.leftRunning,
    memory: sampler.most,
    advised: sampler.sawLibrary,
    output: heard.output(),
    errors: heard.errors(),
  };
}
