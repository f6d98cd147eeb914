/**
 * `npm run bench [-- --json]`: what the emulator itself costs on this machine.
 *
 * These are host times, noisy and of this machine alone; to compare two ways of doing something, run them in one
 * session and look at the ratio. Modelled counts are what `pagewalk compare` is for.
 */

import { Command } from 'commander';
import { forkTasks } from './fork.js';
import { measure, printTable } from './measure.js';
import { translationTasks } from './translation.js';

const options = new Command('bench')
  .description('Host time per translation and per forked entry, with p50, p99 and spread.')
  .option('--json', 'print one JSON object instead of a table')
  .option('--seconds <n>', 'measuring time of each row', '0.5')
  .parse()
  .opts<{ json?: true; seconds: string }>();

const seconds = Number(options.seconds);
if (!(seconds > 0 && seconds <= 600)) {
  process.stderr.write(`--seconds ${options.seconds}: give a number above 0 and at most 600\n`);
  process.exit(2);
}

const rows = await measure([...translationTasks(), ...forkTasks()], seconds * 1000);
if (options.json) process.stdout.write(`${JSON.stringify({ schemaVersion: 1, rows }, null, 2)}\n`);
else printTable(rows);
if (rows.some((row) => row.state !== 'completed')) process.exitCode = 1;
