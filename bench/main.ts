/**
 * `npm run bench [-- --json]`: what the emulator itself costs on this machine.
 *
 * These are host times, noisy and of this machine alone; to compare two ways of doing something, run them in one
 * session and look at the ratio. Modelled counts are what `pagewalk compare` is for.
 */

import { Command } from 'commander';
import { forkTasks } from './fork.js';
import { measure, printTable } from './measure.js';
import { measureNative, nativeTable } from './native/native.js';
import { measureShapes } from './shapes.js';
import { translationTasks } from './translation.js';

const options = new Command('bench')
  .description('Host time per translation and per forked entry, with p50, p99 and spread.')
  .option('--json', 'print one JSON object instead of a table')
  .option('--seconds <n>', 'measuring time of each row', '0.5')
  .option('--native', 'ratios to a C reference, which is built first')
  .option('--shapes', 'the first of 200 TLB shapes against the same as the 200th')
  .option('--rounds <n>', 'with --native: rounds to take the median of', '7')
  .option('--only <pattern>', 'with --native: only rows that match this regular expression')
  .parse()
  .opts<{ json?: true; seconds: string; native?: true; shapes?: true; rounds: string; only?: string }>();

/** Ends the program: an option's value cannot be. */
function refuse(option: string, value: string, fix: string): never {
  process.stderr.write(`${option} ${value}: give ${fix}\n`);
  process.exit(2);
}

const seconds = Number(options.seconds);
if (!(seconds > 0 && seconds <= 600)) refuse('--seconds', options.seconds, 'a number above 0 and at most 600');
const rounds = Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1) refuse('--rounds', options.rounds, 'a whole number above 0');

if (options.native) {
  const result = await measureNative(rounds, options.only === undefined ? undefined : new RegExp(options.only));
  process.stdout.write(options.json ? `${JSON.stringify(result, null, 2)}\n` : nativeTable(result));
} else if (options.shapes) {
  const { first, last, ratio } = measureShapes();
  const text = `first shape ${first.toFixed(1)} ns, as the 200th ${last.toFixed(1)} ns: ratio ${ratio.toFixed(2)}\n`;
  process.stdout.write(options.json ? `${JSON.stringify({ schemaVersion: 1, first, last, ratio }, null, 2)}\n` : text);
} else {
  const rows = await measure([...translationTasks(), ...forkTasks()], seconds * 1000);
  if (options.json) process.stdout.write(`${JSON.stringify({ schemaVersion: 1, rows }, null, 2)}\n`);
  else printTable(rows);
  if (rows.some((row) => row.state !== 'completed')) process.exitCode = 1;
}
