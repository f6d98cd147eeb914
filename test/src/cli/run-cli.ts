import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/** The command as `npm run build` leaves it; tests that need it run it as a user does, as a process of its own. */
export const CLI_PATH = fileURLToPath(new URL('../../../dist/src/cli/main.js', import.meta.url));

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `pagewalk ARGS...` with an 80-column terminal's width and without colours, and waits for its end. */
export function runCli(args: readonly string[], input = '', env: Readonly<Record<string, string>> = {}): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI_PATH, ...args], {
    input,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '', ...env },
    maxBuffer: 2 ** 26,
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

/** Expects a usage error: exit status 2, nothing on standard output, and all of `parts` in what is told instead. */
export function expectUsageError(args: readonly string[], parts: readonly string[]): void {
  const { status, stdout, stderr } = runCli(args);
  expect([status, stdout]).toEqual([2, '']);
  for (const part of parts) expect(stderr).toContain(part);
}
