import { Command } from 'commander';
import { allPassed, resultText } from '../conformance/result.js';
import type { ConformanceResult } from '../conformance/result.js';
import { conformX86 } from '../conformance/x86.js';
import { explainSystemError } from './failure.js';

interface ConformOptions {
  readonly json?: true;
}

/** `pagewalk conform`: replays what real machines did, and compares. */
export function conformCommand(): Command {
  return new Command('conform')
    .description('Replay what real machines did, and compare.')
    .addCommand(replayCommand('x86', 'translations and segment loads of x86 processors', conformX86));
}

/** A subcommand that replays recordings of one kind; exit code 1 when a case fails. */
function replayCommand(
  name: string,
  recordings: string,
  replay: (files: readonly string[]) => ConformanceResult,
): Command {
  return new Command(name)
    .description(`Replay recorded ${recordings}: JSON lines, plain or .gz.`)
    .argument('<files...>', 'recordings')
    .option('--json', 'print the counts as JSON')
    .addHelpText(
      'after',
      `\nExamples:\n  pagewalk conform ${name} recording.jsonl.gz\n  pagewalk conform ${name} --json a.jsonl b.jsonl.gz`,
    )
    .action((files: string[], options: ConformOptions) => {
      const result = replayFiles(files, replay);
      const json = options.json === true;
      process.stdout.write(json ? `${JSON.stringify(result, undefined, 2)}\n` : resultText(result));
      if (!allPassed(result)) process.exitCode = 1;
    });
}

function replayFiles(
  files: readonly string[],
  replay: (files: readonly string[]) => ConformanceResult,
): ConformanceResult {
  try {
    return replay(files);
  } catch (error) {
    const path = error instanceof Error && 'path' in error ? String(error.path) : files.join(', ');
    throw explainSystemError(error, `read '${path}'`);
  }
}
