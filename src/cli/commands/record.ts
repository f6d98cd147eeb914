import { basename } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { printableText } from '../../report/output/printable.js';
import { ENGINE_CHOICES, type EngineChoice } from '../../trace/node/choose.js';
import { record, RecordError, type RecordOptions } from '../../trace/node/recorder.js';
import { DEFAULT_WINDOW, DEFAULT_WINDOWS } from '../../trace/windows.js';
import { CommandFailure, explainSystemError } from '../failure.js';
import { interruptible } from '../interruption.js';
import { parseChoice, parseCount } from '../options.js';
import { checkOutputs } from '../output.js';
import { Progress } from '../progress.js';
import { reportLines } from '../record-report.js';

interface RecordCommandOptions {
  readonly output?: string;
  readonly engine: EngineChoice;
  readonly window?: number;
  readonly windows?: number;
  readonly whole?: true;
  readonly skip?: number;
  readonly limit?: number;
  readonly startAt?: string;
  readonly startAfter?: number;
  readonly fetches?: true;
}

function tell(line: string): void {
  process.stderr.write(`${printableText(line)}\n`);
}

/** @throws CommandFailure unless the words name a program: valgrind takes a leading dash for its own option. */
function checkCommand(words: readonly string[]): [string, ...string[]] {
  const program = words.at(0) ?? '';
  if (program === '') throw new CommandFailure('COMMAND is missing: give the program to record after --', 2);
  if (program.startsWith('-')) {
    throw new CommandFailure(`COMMAND '${program}' begins with a dash: give its path, such as './${program}'`, 2);
  }
  return [program, ...words.slice(1)];
}

/** Options: only one of them makes sense at a time. */
const EXCLUSIVE = [
  [['whole', 'window'], 'all is recorded in one piece'],
  [['whole', 'windows'], 'all is recorded in one piece'],
  [['limit', 'window'], '--limit keeps accesses in one piece'],
  [['limit', 'windows'], '--limit keeps accesses in one piece'],
  [['skip', 'startAt'], 'both say where the recording begins'],
  [['skip', 'startAfter'], 'both say where the recording begins'],
  [['startAt', 'startAfter'], 'both say where the recording begins'],
] as const;

/**
 * The part of the run chosen by the options.
 * @throws CommandFailure when they contradict each other
 */
function partOf(
  options: RecordCommandOptions,
): Pick<RecordOptions, 'windows' | 'skip' | 'limit' | 'startAt' | 'startAfter'> {
  for (const [[one, other], why] of EXCLUSIVE) {
    if (options[one] === undefined || options[other] === undefined) continue;
    const flag = (name: string): string => `--${name.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new CommandFailure(`${flag(other)} does not go with ${flag(one)}: ${why}; leave one of them out`, 2);
  }
  const { window = DEFAULT_WINDOW, windows = DEFAULT_WINDOWS, whole, skip = 0, limit, startAt, startAfter } = options;
  return {
    windows: whole === true || limit !== undefined ? 'whole' : { length: window, most: windows },
    skip,
    limit: limit ?? Infinity,
    startAt,
    startAfter,
  };
}

async function run(words: readonly string[], options: RecordCommandOptions): Promise<void> {
  const command = checkCommand(words);
  const [program] = command;
  const part = partOf(options);
  const output = options.output ?? `${basename(program)}.pwt`;
  checkOutputs({}, { '--output': output }, command);
  const progress = new Progress('recording');
  await interruptible(async (signal) => {
    try {
      const recording = await record({
        command,
        engine: options.engine,
        output,
        ...part,
        fetches: options.fetches === true,
        onProgress: (accesses) => progress.update(accesses, undefined),
        signal,
      });
      progress.end();
      reportLines(recording, output, program).forEach(tell);
    } catch (error) {
      if (signal.aborted && error instanceof RecordError) {
        progress.end();
        tell(error.message);
        return;
      }
      if (error instanceof RecordError) throw new CommandFailure(error.message);
      throw explainSystemError(error, `write '${output}'`);
    } finally {
      progress.end();
    }
  });
}

function parseOutput(text: string): string {
  if (text === '' || text === '-') {
    throw new InvalidArgumentError("Give a file name; standard output stays the recorded program's.");
  }
  return text;
}

function parseSeconds(text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (!(seconds <= 1_000_000)) throw new InvalidArgumentError('Give seconds from 0 to 1000000, such as 2.5.');
  return seconds;
}

/** `pagewalk record`: a real program's accesses as a trace. */
export function recordCommand(): Command {
  return new Command('record')
    .description('Records memory accesses of a program; under QEMU at some 20 times its CPU time.')
    .argument('[COMMAND...]', 'after --, the program and its arguments')
    .option('-o, --output <file>', "the trace (default: the program's name and .pwt)", parseOutput)
    .addOption(
      new Option('--engine <name>', 'qemu or valgrind, which is slow')
        .argParser(parseChoice(ENGINE_CHOICES))
        .default('auto', 'auto'),
    )
    .option('--window <count>', `accesses of a window (default: ${DEFAULT_WINDOW})`, (text) => parseCount(text, 1000))
    .option('--windows <count>', `how many, over the run (default: ${DEFAULT_WINDOWS})`, (text) => parseCount(text, 2))
    .option('--whole', 'no windows: every access, at hundreds of times')
    .option('--skip <count>', 'accesses to pass over first, such as 50M', (text) => parseCount(text, 0))
    .option('--limit <count>', 'keep so many in one piece, then stop it', (text) => parseCount(text))
    .option('--start-at <function>', "begin at a function's first call (QEMU)")
    .option('--start-after <seconds>', 'begin after some time (QEMU)', parseSeconds)
    .option('--fetches', 'record and count instruction fetches too')
    .addHelpText(
      'after',
      '\nExamples:\n' +
        '  pagewalk record -- python3 app.py\n' +
        '  pagewalk record -o sort.pwt --windows 128 -- sort orders.csv',
    )
    .action(run);
}
