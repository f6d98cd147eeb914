import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { toCsv, type CsvCell } from '../report/csv.js';
import { writeFileWhole } from '../report/write-file.js';
import { CommandFailure, explainSystemError } from './failure.js';

/** Options of every command that ends in a result object. */
export interface OutputOptions {
  readonly json?: true;
  readonly csv?: string;
}

/** The views of one kind of result. */
interface Views<Result> {
  readonly text: (result: Result) => string;
  readonly rows: (result: Result) => Record<string, CsvCell>[];
}

const STDOUT = '-';

/**
 * Before any work is done: refuses two views on standard output at once, and files in folders that do not exist.
 * @param files what is going to be written, by option; two may not be one file
 * @param inputs what is going to be read, which nothing may be written over
 */
export function checkOutputs(
  options: OutputOptions,
  files: Readonly<Record<string, string | undefined>>,
  inputs: readonly string[] = [],
): void {
  if (options.json === true && options.csv === STDOUT) {
    throw new CommandFailure("--json and --csv - both print to standard output; give --csv a file's name", 2);
  }
  for (const [option, path] of Object.entries(files)) {
    if (path === undefined || (path === STDOUT && option === '--csv')) continue;
    if (path === STDOUT) throw new CommandFailure(`${option} - cannot be; give a file's name`, 2);
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
      throw new CommandFailure(`cannot write '${path}' (${option}): it is a folder; give a file's name`);
    }
    const folder = dirname(path);
    if (!existsSync(folder)) {
      throw new CommandFailure(`cannot write '${path}' (${option}): there is no folder '${folder}'; create it first`);
    }
  }
  const taken = new Map(inputs.map((path) => [identity(path), `'${path}', which is read`]));
  for (const [option, path] of Object.entries(files)) {
    if (path === undefined || path === STDOUT) continue;
    // A device, such as /dev/null, keeps nothing that could be lost.
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) continue;
    const other = taken.get(identity(path));
    if (other !== undefined) {
      throw new CommandFailure(
        `cannot write '${path}' (${option}): it is the same file as ${other}; give another name`,
        2,
      );
    }
    taken.set(identity(path), `what ${option} writes`);
  }
}

/** The same text for two names of one file: device and inode where it exists, else its folder's path and its name. */
function identity(path: string): string {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there !== undefined) return `${there.dev}:${there.ino}`;
  const folder = dirname(path);
  return join(existsSync(folder) ? realpathSync(folder) : folder, basename(path));
}

/** Writes a file whole or not at all; a failure names the option and the file. */
export function writeOutput(option: string, path: string, text: string): void {
  try {
    writeFileWhole(path, text);
  } catch (error) {
    throw explainSystemError(error, `write '${path}' (${option})`);
  }
}

/** Prints a value as JSON on standard output. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Prints the view that the options ask for, and writes the CSV file. */
export function printResult<Result>(result: Result, options: OutputOptions, views: Views<Result>): void {
  const { csv } = options;
  if (csv !== undefined && csv !== STDOUT) writeOutput('--csv', csv, toCsv(views.rows(result)));
  if (options.json === true) printJson(result);
  else process.stdout.write(csv === STDOUT ? toCsv(views.rows(result)) : views.text(result));
}
