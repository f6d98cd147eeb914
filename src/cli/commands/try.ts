import { Command } from 'commander';
import { CompileError } from '../../host/compile.js';
import { LaunchError } from '../../host/try/launch.js';
import { tryInPairs } from '../../host/try/try.js';
import { printable, printableText } from '../../report/output/printable.js';
import type { TryResult } from '../../report/results/try-result.js';
import { tryText } from '../../report/views/try-views.js';
import { CommandFailure } from '../failure.js';
import { interruptible } from '../interruption.js';
import { parseCount } from '../options.js';
import { printJson } from '../output.js';
import { Progress } from '../progress.js';

interface TryCommandOptions {
  readonly pairs?: number;
  readonly seconds: number;
  readonly show?: true;
  readonly ignoreFailure?: true;
  readonly json?: true;
}

function tell(line: string): void {
  process.stderr.write(`${printableText(line)}\n`);
}

/** Undefined when it was interrupted before there was anything to report. */
async function run(
  command: readonly string[],
  options: TryCommandOptions,
  root: string,
  signal: AbortSignal,
): Promise<TryResult | undefined> {
  const progress = new Progress('trying', 'runs');
  try {
    const result = await tryInPairs({
      command,
      pairs: options.pairs,
      seconds: options.seconds,
      ignoreFailure: options.ignoreFailure === true,
      show: options.show === true,
      root,
      onProgress: (done, total) => void progress.update(done, total),
      signal,
    });
    progress.end();
    if (signal.aborted) tell('interrupted; this is what the whole pairs say');
    return result;
  } catch (error) {
    progress.end();
    if (!signal.aborted) {
      throw error instanceof LaunchError || error instanceof CompileError ? new CommandFailure(error.message) : error;
    }
    tell('interrupted before two runs were whole; there is nothing to report');
    return undefined;
  }
}

/**
 * `pagewalk try`: the experiment itself.
 * @param root the folder with proc and sys in it
 */
export function tryCommand(root = '/'): Command {
  return new Command('try')
    .description(
      'Do huge pages help a command? Runs it with and without them in turns, and says\nhow much faster it is, and whether huge pages were really there. Linux only;\nneeds no privileges, and changes no setting of the system.',
    )
    .argument('[COMMAND...]', 'after --, the command to run and its arguments')
    .option('--pairs <count>', 'pairs of runs (default: 5, more till the range is narrow)', (text) => parseCount(text))
    .option('--seconds <count>', 'begin no more pairs than 5 after this', (text: string) => parseCount(text), 60)
    .option('--show', 'show what the command prints, on standard error')
    .option('-i, --ignore-failure', 'count runs that fail, too')
    .option('--json', 'print JSON instead of a table')
    .addHelpText(
      'after',
      '\nEach run reads standard input anew if it is a file, and nothing otherwise.\n\nExamples:\n' +
        '  pagewalk try -- python3 app.py\n' +
        '  pagewalk try --pairs 9 --json -- sort orders.csv',
    )
    .action(async (command: string[], options: TryCommandOptions) => {
      if ((command.at(0) ?? '') === '') {
        throw new CommandFailure('COMMAND is missing: give the command to try after --', 2);
      }
      const result = await interruptible((signal) => run(command, options, root, signal));
      if (result === undefined) return;
      if (options.json === true) printJson(result);
      else process.stdout.write(tryText(printable(result)));
    });
}
