import { expect } from 'vitest';
import { runCli } from './run-cli.js';

/** The examples in the help of a command, as words after `pagewalk`; the help must fit a screen and have two of them. */
export function examplesOf(command: string): string[][] {
  const { status, stdout } = runCli([command, '--help']);
  const lines = stdout.trimEnd().split('\n');
  expect(status).toBe(0);
  expect(lines.length).toBeLessThanOrEqual(24);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  const examples = lines.filter((line) => line.startsWith(`  pagewalk ${command} `));
  expect(examples).toHaveLength(2);
  return examples.map((line) => line.trim().split(' ').slice(1));
}

/** Runs a command that must go well, and gives what it prints, which must fit a terminal's width. */
export function printed(args: readonly string[]): string {
  const { status, stdout, stderr } = runCli(args);
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

/** The lines of a text that a terminal of 80 columns would break. */
export function tooWide(text: string): string[] {
  return text.split('\n').filter((line) => line.length > 80);
}
