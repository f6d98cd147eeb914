/**
 * The engine for everywhere: valgrind's lackey tool.
 *
 * Lackey's lines come through the pipe (`--log-file`), so the program keeps its standard input, output and error. Its
 * children are traced as well: each opens the same pipe. Lackey writes every line with one `write`, and the kernel
 * keeps a write of up to PIPE_BUF bytes in one piece, so lines of processes at work at once take turns but never mix.
 * Sources: Valgrind User Manual, "Command-line options for Valgrind"; pipe(7), "PIPE_BUF".
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { lackeyBlocks, LackeyParser } from '../readers/lackey.js';
import {
  EngineError,
  planFrom,
  type Engine,
  type EngineFacts,
  type EngineRun,
  type Listener,
  type RecordingPlan,
} from './engine.js';
import { keptWindows } from './window-store.js';

const run = promisify(execFile);

/** @throws EngineError when valgrind is missing */
export async function valgrindEngine(): Promise<Engine> {
  return { name: 'valgrind', tool: `${await valgrindVersion()} lackey`, cutsWindows: false, start, listen };
}

async function valgrindVersion(): Promise<string> {
  try {
    const { stdout } = await run('valgrind', ['--version']);
    return stdout.trim();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    throw new EngineError(
      'valgrind is missing, and recording needs it; install it: apt-get install valgrind on Debian and Ubuntu, ' +
        'dnf install valgrind on Fedora, pacman -S valgrind on Arch, apk add valgrind on Alpine',
    );
  }
}

function start(pipe: string, plan: RecordingPlan): Promise<EngineRun> {
  if (plan.startAt !== undefined || plan.startAfter !== undefined) {
    const option = plan.startAt !== undefined ? '--start-at' : '--start-after';
    return Promise.reject(new EngineError(`${option} needs QEMU: valgrind's lackey begins at the start; take --skip`));
  }
  const logFile = pipe.replaceAll('%', '%%');
  const flags = ['--tool=lackey', '--trace-mem=yes', '--trace-children=yes', `--log-file=${logFile}`];
  const windows = planFrom(plan.skip, plan);
  return Promise.resolve({
    words: ['valgrind', ...flags, ...plan.command],
    plan: () => windows,
    beginNow: () => undefined,
    position: () => undefined,
  });
}

function listen(): Listener {
  // Now and then valgrind puts words of its own between lackey's lines, as of an unknown instruction.
  const parser = new LackeyParser({ source: 'lackey', lenient: true });
  return {
    blocks: (chunks) => lackeyBlocks(chunks, parser),
    staying: keptWindows,
    heard: () => parser.line > 0 && parser.processes > 0,
    skippedLines: () => parser.skippedLines,
    facts: () => factsOf(parser),
  };
}

/** Lackey's lines do not tell their process. */
function factsOf({ processes }: LackeyParser): EngineFacts {
  return { processes: [], ...(processes > 0 && { mixed: processes }), unseen: [] };
}
