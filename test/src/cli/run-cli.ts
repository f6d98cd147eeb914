import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, vi } from 'vitest';
import { HANGING_MS } from '../../runner/patience.js';

/** The command as it ships. */
export const CLI_PATH = fileURLToPath(new URL('../../../dist/bundle/main.js', import.meta.url));
/** What it was bundled from, without the process around it. */
const PROGRAM = new URL('../../../dist/src/cli/program.js', import.meta.url).href;

/** As on a host without prices of its own, which `compare` would take. */
const WITHOUT_PRICES = {
  XDG_CACHE_HOME: fileURLToPath(new URL('../../../node_modules/.cache', import.meta.url)),
};

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

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

/** Everything that is written to a stream until `end` is called, none of which goes out. */
function capture(stream: NodeJS.WriteStream): { text: () => string; end: () => void } {
  const write = vi.spyOn(stream, 'write').mockReturnValue(true);
  return {
    text: () => write.mock.calls.map(([chunk]) => String(chunk)).join(''),
    end: () => {
      write.mockRestore();
    },
  };
}

function exitStatus(): number {
  return Number(process.exitCode ?? 0);
}

/**
 * Runs the built `pagewalk ARGS...` within this process, which spares the start of another. One run at a time: standard
 * output, standard error and exit code belong to the run and are as they were afterwards. Not for runs that replay or
 * fork: gigabytes that a model reserves stay with this process for a while, and Linux refuses it other processes then.
 */
export async function runCli(args: readonly string[]): Promise<Outcome> {
  for (const [name, value] of Object.entries(WITHOUT_PRICES)) vi.stubEnv(name, value);
  const { runProgram } = (await import(PROGRAM)) as typeof import('../../../src/cli/program.js');
  const { exitCode } = process;
  process.exitCode = undefined;
  const streams = [capture(process.stdout), capture(process.stderr)];
  try {
    await runProgram(args);
    const [stdout, stderr] = streams.map(({ text }) => text());
    return { status: exitStatus(), stdout, stderr };
  } finally {
    for (const { end } of streams) end();
    process.exitCode = exitCode;
    vi.unstubAllEnvs();
  }
}

/** Expects a usage error: exit status 2, nothing on standard output, and all of `parts` in what is told instead. */
export async function expectUsageError(args: readonly string[], parts: readonly string[]): Promise<void> {
  const { status, stdout, stderr } = await runCli(args);
  expect([status, stdout]).toEqual([2, '']);
  for (const part of parts) expect(stderr).toContain(part);
}
