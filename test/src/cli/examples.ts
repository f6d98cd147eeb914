import { expect } from 'vitest';
import { type Outcome, runCli, spawnCli } from './run-cli.js';

/** What each of the two examples in the help of a command prints, as a process of its own; the help must fit a screen. */
export function printedExamples(command: string): string[] {
  const lines = outputOf(spawnCli([command, '--help']))
    .trimEnd()
    .split('\n');
  expect(lines.length).toBeLessThanOrEqual(24);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  const examples = lines.filter((line) => line.startsWith(`  pagewalk ${command} `));
  expect(examples).toHaveLength(2);
  return examples.map((line) => outputOf(spawnCli(line.trim().split(' ').slice(1))));
}

/** Runs a command, which must go well, and gives its output. */
export async function printed(args: readonly string[]): Promise<string> {
  return outputOf(await runCli(args));
}

/** The output of a run, which must have gone well. */
export function outputOf({ status, stdout, stderr }: Outcome): string {
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

/** The lines of a text that a terminal of 80 columns would break. */
export function tooWide(text: string): string[] {
  return text.split('\n').filter((line) => line.length > 80);
}
