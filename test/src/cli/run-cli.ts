import { fork, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { HANGING_MS } from '../../runner/patience.js';
import { runProgramOnce } from './run-program.js';
import type { Outcome } from './run-program.js';

export type { Outcome };

/** The command as it ships. */
export const CLI_PATH = fileURLToPath(new URL('../../../dist/bundle/main.js', import.meta.url));
/** What runs it again and again, compiled. */
const APART = fileURLToPath(new URL('../../../dist/test/src/cli/cli-process.js', import.meta.url));

/** As on a host without prices of its own, which `compare` would take. */
const WITHOUT_PRICES = {
  XDG_CACHE_HOME: fileURLToPath(new URL('../../../node_modules/.cache', import.meta.url)),
};

/**
 * Runs `pagewalk ARGS...` as a user does, as a process of its own, and waits for its end: for what depends on the
 * process, such as standard input, environment, colours and memory.
 */
export function spawnCli(args: readonly string[], input = '', env: Readonly<Record<string, string>> = {}): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI_PATH, ...args], {
    input,
    encoding: 'utf8',
    env: { ...process.env, ...WITHOUT_PRICES, ...env },
    maxBuffer: 2 ** 26,
    timeout: HANGING_MS,
  });
  return { status, stdout, stderr };
}

/**
 * Runs the built `pagewalk ARGS...` within this process, which spares the start of another. Not for runs that replay or
 * fork: gigabytes that a model reserves stay with this process for a while, and Linux refuses it other processes then.
 */
export async function runCli(args: readonly string[]): Promise<Outcome> {
  return runProgramOnce(args, WITHOUT_PRICES);
}

let apart: ChildProcess | undefined;

/**
 * Runs the built `pagewalk ARGS...` in a process that all runs of this worker share: one start for all of them. For runs
 * that replay or fork, one at a time.
 */
export async function runCliApart(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  if (apart?.connected !== true) {
    apart = fork(APART, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    apart.unref();
    apart.channel?.unref();
  }
  const child = apart;
  const over = new AbortController();
  let answered = false;
  const ended = once(child, 'exit', over).then(() => {
    throw new Error(`the process that runs pagewalk ${args.join(' ')} ended`);
  });
  child.channel?.ref();
  child.send({ args, env: { ...WITHOUT_PRICES, ...env } });
  try {
    const [outcome] = (await Promise.race([once(child, 'message', over), ended])) as [Outcome];
    answered = true;
    return outcome;
  } finally {
    // A run that was given up may still answer, or change what the next one sees.
    if (!answered) child.kill();
    child.channel?.unref();
    over.abort();
  }
}

/** Expects a usage error: exit status 2, nothing on standard output, and all of `parts` in what is told instead. */
export async function expectUsageError(args: readonly string[], parts: readonly string[]): Promise<void> {
  const { status, stdout, stderr } = await runCli(args);
  expect([status, stdout]).toEqual([2, '']);
  for (const part of parts) expect(stderr).toContain(part);
}
