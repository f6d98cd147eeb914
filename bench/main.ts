/**
 * `npm run bench [-- OPTIONS]`: the cost of the emulator itself on this machine.
 *
 * These are host times, noisy and of this machine alone; to compare two ways of doing something, run them in one
 * session and look at the ratio. For modelled counts there is `pagewalk compare`.
 */

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { CommandFailure } from '../src/cli/failure.js';
import { parseCount } from '../src/cli/options.js';
import { checkOutputs, printJson, writeOutput } from '../src/cli/output.js';
import { keep, KEPT, type Ratios } from './keep.js';

interface Options {
  readonly json?: true;
  readonly quick?: true;
  readonly seconds: number;
  readonly rounds: number;
  readonly only?: RegExp;
  readonly tlb?: string;
  readonly measured?: string;
  readonly against?: string;
  readonly nested?: string;
  readonly plot?: string;
  readonly keep?: string | true;
}

/** The answer to one question, for machines and for people. */
interface Answer {
  readonly json: unknown;
  readonly text: string;
  readonly failed?: boolean;
  /** For `--keep`. */
  readonly ratios?: Ratios;
}

// Each question loads only its own needs: help and refusals come at once.

async function times({ seconds }: Options): Promise<Answer> {
  const { measure, rowsTable } = await import('./measure/measure.js');
  const { translationTasks } = await import('./translation.js');
  const { forkTasks } = await import('./fork.js');
  const rows = await measure([...translationTasks(), ...forkTasks()], seconds * 1000);
  const failed = rows.some((row) => row.state !== 'completed');
  return { json: { schemaVersion: 1, rows }, text: rowsTable(rows), failed };
}

/** @throws CommandFailure when `--only` left no row. */
function someRows<Result extends { readonly rows: readonly unknown[] }>(result: Result, { only }: Options): Result {
  if (result.rows.length > 0) return result;
  throw new CommandFailure(`--only ${only?.source}: no row matches; look at their names without it`, 2);
}

async function native(options: Options): Promise<Answer> {
  const { measureNative, nativeTable } = await import('./native/native.js');
  const result = someRows(await measureNative(options.rounds, options.only), options);
  return { json: result, text: nativeTable(result), ratios: result };
}

async function rivals(options: Options): Promise<Answer> {
  const { measureRivals, rivalsTable } = await import('./rivals/rivals.js');
  const result = someRows(measureRivals(options.rounds, options.quick ? QUICK : 1, options.only), options);
  return { json: result, text: rivalsTable(result) };
}

async function comparing({ rounds }: Options): Promise<Answer> {
  const { measureCompare, compareTable } = await import('./compare.js');
  const result = await measureCompare(rounds);
  return { json: result, text: compareTable(result), ratios: result };
}

async function growth({ rounds, quick, plot }: Options): Promise<Answer> {
  const { measureGrowth } = await import('./growth/growth.js');
  const { growthText } = await import('./growth/views.js');
  const result = measureGrowth(rounds, quick ? 'quick' : 'whole');
  if (plot !== undefined) {
    const { growthPlot } = await import('./growth/plot.js');
    writeOutput('--plot', plot, growthPlot(result));
  }
  return { json: result, text: growthText(result) };
}

async function shapes({ quick }: Options): Promise<Answer> {
  const { measureShapes, shapesText } = await import('./shapes.js');
  const result = measureShapes(quick ? QUICK : 1);
  return { json: result, text: shapesText(result) };
}

async function cores({ rounds }: Options): Promise<Answer> {
  const { measureCores, coresTable } = await import('./two-cores/two-cores.js');
  const result = await measureCores(rounds);
  return { json: result, text: coresTable(result) };
}

async function recording(options: Options): Promise<Answer> {
  const { measureRecord, recordTable } = await import('./record.js');
  const result = someRows(measureRecord(options.rounds, options.only), options);
  return { json: result, text: recordTable(result) };
}

async function start({ rounds, quick }: Options): Promise<Answer> {
  const { measureStart, startTable } = await import('./start.js');
  const result = await measureStart(rounds, quick);
  return { json: result, text: startTable(result), ratios: result };
}

async function reality(options: Options): Promise<Answer> {
  if (options.against === undefined && options.nested !== undefined) {
    throw new CommandFailure('--nested is for the machine of a table: give --against FILE too', 2);
  }
  const { measureReality, realityTable } = await import('./reality/reality.js');
  const result = someRows(measureReality(options), options);
  return { json: result, text: realityTable(result) };
}

async function page(): Promise<Answer> {
  const { measurePage, pageTable } = await import('./page/page.js');
  const result = await measurePage();
  return { json: result, text: pageTable(result) };
}

/** Share of the work, done only to see whether it can be. */
const QUICK = 1 / 64;

/** A question, and its options besides --json. */
interface Question {
  readonly help: string;
  readonly takes: readonly (keyof Options)[];
  readonly answer: (options: Options) => Promise<Answer>;
}

const TIMES: Question = { help: '', takes: ['seconds'], answer: times };

const QUESTIONS: Readonly<Record<string, Question>> = {
  native: {
    help: 'ratios to a C reference, which is built first',
    takes: ['rounds', 'only', 'keep'],
    answer: native,
  },
  rivals: {
    help: 'shapes that lost, as ratios to those in use, and why',
    takes: ['rounds', 'only', 'quick'],
    answer: rivals,
  },
  growth: {
    help: 'costs against footprint, forks against resident size,\nand memory of the emulator per mapped GiB',
    takes: ['rounds', 'plot', 'quick'],
    answer: growth,
  },
  compare: {
    help: 'pagewalk compare from end to end, against its TLBs alone',
    takes: ['rounds', 'keep'],
    answer: comparing,
  },
  shapes: {
    help: 'the first of 200 TLB shapes against the same as the 200th',
    takes: ['quick'],
    answer: shapes,
  },
  cores: {
    help: 'what two workers over one RAM gain, beside two threads of C',
    takes: ['rounds'],
    answer: cores,
  },
  start: {
    help: 'starts of pagewalk against those of an empty Node process',
    takes: ['rounds', 'quick', 'keep'],
    answer: start,
  },
  record: {
    help: 'pagewalk record against the life of three programs, by engine',
    takes: ['rounds', 'only'],
    answer: recording,
  },
  reality: {
    help: 'what programs gain from huge pages here, beside what\npagewalk predicts for --tlb: takes a quarter of an hour',
    takes: ['only', 'tlb', 'measured', 'against', 'nested'],
    answer: reality,
  },
  page: {
    help: 'the page in Chromium: time to its first view, and of a step',
    takes: [],
    answer: page,
  },
};

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() === '' || !(seconds > 0 && seconds <= 600)) {
    throw new InvalidArgumentError('Give a number above 0 and at most 600.');
  }
  return seconds;
}

function parsePattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch {
    throw new InvalidArgumentError("Give a regular expression, such as 'soft TLB|fork'.");
  }
}

const names = Object.keys(QUESTIONS);
const program = new Command('npm run bench --')
  .description('Host times of translations and forks on this machine, or the answer to one\nother question.')
  .exitOverride();
for (const [name, { help }] of Object.entries(QUESTIONS)) {
  program.addOption(new Option(`--${name}`, help).conflicts(names.filter((other) => other !== name)));
}
program
  .option('--json', 'print one JSON object instead of tables')
  .option('--seconds <n>', 'of the host times: measuring time of each row', parseSeconds, 0.5)
  .option('--rounds <n>', 'of the ratios and growth: take the median of so many', (text) => parseCount(text), 7)
  .option('--only <pattern>', 'only what matches this regular expression', parsePattern)
  .option('--tlb <shape>', "of this machine's processor, as pagewalk compare takes it")
  .option('--measured <file>', 'of reality: measurements made before, and new ones')
  .option(
    '--against <csv>',
    "another machine's gains: measure nothing here, predict\nwith --tlb and --nested of that machine",
  )
  .option('--nested <size>', "of --against: the pages of that machine's host")
  .option('--plot <file>', 'write the growth as an SVG file too')
  .option(
    '--keep [file]',
    'append the ratios (of --native, if nothing is asked)\nto bench/ratios.jsonl, or to this file',
  )
  .option('--quick', 'little work: to see that it works, not to measure')
  .addHelpText(
    'after',
    '\nExamples:\n  npm run bench -- --native --json\n  npm run bench -- --growth --plot growth.svg',
  );

/** @throws CommandFailure for an option of other questions only. */
function checkOptions(name: string | undefined, { takes }: Question): void {
  const known = ['seconds', 'rounds', 'only', 'tlb', 'measured', 'against', 'nested', 'plot', 'keep', 'quick'] as const;
  for (const option of known) {
    if (program.getOptionValueSource(option) !== 'cli' || takes.includes(option)) continue;
    const place = name === undefined ? 'the host times, which are measured without any' : `--${name}`;
    const others = names.filter((other) => QUESTIONS[other].takes.includes(option)).map((other) => `--${other}`);
    const fix = others.length > 0 ? `give it with ${others.join(' or ')}` : 'leave it out';
    throw new CommandFailure(`--${option} does not go with ${place}; ${fix}`, 2);
  }
}

async function main(): Promise<void> {
  const options = program.parse().opts<Options & Record<string, unknown>>();
  const asked = names.find((candidate) => options[candidate] === true);
  const name = asked ?? (options.keep === undefined ? undefined : 'native');
  const question = name === undefined ? TIMES : QUESTIONS[name];
  checkOptions(name, question);
  const kept = options.keep === true ? KEPT : options.keep;
  checkOutputs({}, { '--plot': options.plot, '--keep': kept });
  const { json, text, failed, ratios } = await question.answer(options);
  if (options.json === true) printJson(json);
  else process.stdout.write(text);
  if (failed === true) process.exitCode = 1;
  if (name !== undefined && kept !== undefined && ratios !== undefined) keep(kept, name, ratios);
}

// A reader may close early, as `head` does: no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

try {
  await main();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has named the error; asking for help is no failure.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = error instanceof CommandFailure ? error.exitCode : 1;
  }
}
