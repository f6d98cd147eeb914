import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { countOf, formatBytes, formatShort } from '../../report/units.js';
import { printableText } from '../../report/printable.js';
import { ENGINE_CHOICES, type EngineChoice } from '../../trace/node/choose.js';
import { record, RecordError, type Recording } from '../../trace/node/recorder.js';
import { CommandFailure, explainSystemError } from '../failure.js';
import { parseCount } from '../options.js';
import { checkOutputs } from '../output.js';
import { Progress } from '../progress.js';

interface RecordCommandOptions {
  readonly output?: string;
  readonly engine: EngineChoice;
  readonly skip: number;
  readonly limit?: number;
  readonly fetches?: true;
}

const INTERRUPTED = 130;

function tell(line: string): void {
  process.stderr.write(`${printableText(line)}\n`);
}

/** What was recorded, and what a person should know before trusting it. */
function report(recording: Recording, output: string, program: string): void {
  const { engine, whyNotQemu, counts, processes, skippedLines, unseen, ending } = recording;
  const what = counts.fetches > 0 ? 'accesses and fetches' : 'data accesses';
  tell(
    `recorded ${countOf(counts.accesses, what, what)} of ${basename(program)} in ${output}${sizeOf(output, counts.accesses)}`,
  );
  if (whyNotQemu !== undefined) tell(`note: recorded by valgrind, which is slow: ${whyNotQemu}`);
  for (const program of new Set(unseen)) {
    tell(`note: ${program} left the emulator and was not seen; --engine valgrind may follow it`);
  }
  if (processes > 1) {
    tell(
      `note: ${processes} processes are in it, in the order they ran; a page at the same address in two counts as one`,
    );
  }
  if (skippedLines > 0) {
    tell(
      `note: ${engine} wrote ${countOf(skippedLines, 'line')} besides; it may not know all the program's instructions`,
    );
  }
  if (ending === 'stopped') tell('note: the program was stopped at --limit');
  else if (ending.signal !== null) tell(`note: the program was ended by ${ending.signal}`);
  else if (ending.code !== 0) tell(`note: the program failed with exit code ${ending.code}`);
  tell(`next: pagewalk compare ${output}`);
}

function sizeOf(output: string, accesses: number): string {
  const file = statSync(output);
  return file.isFile() ? ` (${formatBytes(file.size)}, ${formatShort(file.size / accesses)} bytes an access)` : '';
}

/** @throws CommandFailure unless the words name a program that valgrind would not take for an option of its own. */
function checkCommand(words: readonly string[]): [string, ...string[]] {
  const program = words.at(0) ?? '';
  if (program === '') throw new CommandFailure('COMMAND is missing: give the program to record after --', 2);
  if (program.startsWith('-')) {
    throw new CommandFailure(`COMMAND '${program}' begins with a dash: give its path, such as './${program}'`, 2);
  }
  return [program, ...words.slice(1)];
}

async function run(words: readonly string[], options: RecordCommandOptions): Promise<void> {
  const command = checkCommand(words);
  const [program] = command;
  const output = options.output ?? `${basename(program)}.pwt`;
  checkOutputs({}, { '--output': output }, command);
  const progress = new Progress('recording');
  const interruption = new AbortController();
  const interrupt = (): void => {
    interruption.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, interrupt);
  try {
    const recording = await record({
      command,
      engine: options.engine,
      output,
      skip: options.skip,
      limit: options.limit ?? Infinity,
      fetches: options.fetches === true,
      onProgress: (accesses) => progress.update(accesses, undefined),
      signal: interruption.signal,
    });
    progress.end();
    report(recording, output, program);
  } catch (error) {
    if (interruption.signal.aborted) {
      progress.end();
      tell('interrupted; nothing was written');
      process.exitCode = INTERRUPTED;
      return;
    }
    if (error instanceof RecordError) throw new CommandFailure(error.message);
    throw explainSystemError(error, `write '${output}'`);
  } finally {
    progress.end();
    for (const signal of signals) process.off(signal, interrupt);
  }
}

function parseOutput(text: string): string {
  if (text === '' || text === '-') {
    throw new InvalidArgumentError("Give a file name; standard output stays the recorded program's.");
  }
  return text;
}

/** `pagewalk record`: a real program's accesses as a trace. */
export function recordCommand(): Command {
  return new Command('record')
    .description(
      "Records a program's memory accesses under QEMU or valgrind, on any machine: no performance counters needed.",
    )
    .argument('[COMMAND...]', 'after --, the program to run and its arguments; its children are recorded too')
    .option('-o, --output <file>', "the trace to write (default: the program's name and .pwt)", parseOutput)
    .addOption(
      new Option('--engine <name>', 'what runs it; auto is qemu where that works')
        .choices(ENGINE_CHOICES)
        .default('auto'),
    )
    .option('--skip <count>', 'accesses to pass over first, such as 50M', (text: string) => parseCount(text, 0), 0)
    .option('--limit <count>', 'accesses to keep; then the program is stopped', (text: string) => parseCount(text))
    .option('--fetches', 'record and count instruction fetches too')
    .addHelpText(
      'after',
      '\nExpect some 500 times the CPU time of the program under QEMU, thousands of times\nunder valgrind: choose a small input.\n\nExamples:\n' +
        '  pagewalk record -- python3 app.py\n' +
        '  pagewalk record -o sort.pwt --limit 10M -- sort orders.csv',
    )
    .action(run);
}
