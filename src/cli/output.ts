import { existsSync, fstatSync, statSync, type BigIntStats } from 'node:fs';
import { basename, dirname } from 'node:path';
import { toCsv, type CsvCell } from '../report/output/csv.js';
import { printable, printableJson } from '../report/output/printable.js';
import { writeFileWhole } from '../report/output/write-file.js';
import { CommandFailure, explainSystemError } from './failure.js';

/** Options of every command with a result object. */
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

/** Device and inode of a regular file; others, such as pipes and /dev/null, keep nothing to lose. */
function regular(file: BigIntStats): string | undefined {
  return file.isFile() ? `${file.dev}:${file.ino}` : undefined;
}

/** The same text for all names of one file and all links to it: of a file not there yet, its folder's and its name. */
function identity(path: string): string | undefined {
  const there = statSync(path, { throwIfNoEntry: false, bigint: true });
  if (there !== undefined) return regular(there);
  const folder = statSync(dirname(path), { bigint: true });
  return `${folder.dev}:${folder.ino}/${basename(path)}`;
}

/** The file opened by the shell as standard input or output; undefined if nothing is open. */
function standardStream(descriptor: number): string | undefined {
  try {
    return regular(fstatSync(descriptor, { bigint: true }));
  } catch {
    return undefined;
  }
}

/** Refuses to write a file if it is read, or written already. */
function checkApart(files: Readonly<Record<string, string | undefined>>, inputs: readonly string[]): void {
  const taken = new Map([
    [standardStream(0), 'standard input'],
    [standardStream(1), 'standard output'],
    ...inputs.filter((path) => existsSync(path)).map((path) => [identity(path), `'${path}', which is read`] as const),
  ]);
  for (const [option, path] of Object.entries(files)) {
    const file = path === undefined || path === STDOUT ? undefined : identity(path);
    if (file === undefined) continue;
    const other = taken.get(file);
    if (other !== undefined) {
      const why = `it is the same file as ${other}; give another name`;
      throw new CommandFailure(`cannot write '${path}' (${option}): ${why}`, 2);
    }
    taken.set(file, `what ${option} writes`);
  }
}

function isFolder(option: string, path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch (error) {
    throw explainSystemError(error, `write '${path}' (${option})`);
  }
}

/**
 * Before any work is done: refuses two views on standard output at once, files in missing folders, writing to a file of
 * the input, and writing one file twice.
 * @param files files to write, by option
 * @param inputs files to read
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
    if (isFolder(option, path)) {
      throw new CommandFailure(`cannot write '${path}' (${option}): it is a folder; give a file's name`);
    }
    const folder = dirname(path);
    if (!existsSync(folder)) {
      throw new CommandFailure(`cannot write '${path}' (${option}): there is no folder '${folder}'; create it first`);
    }
  }
  checkApart(files, inputs);
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
  process.stdout.write(printableJson(`${JSON.stringify(value, undefined, 2)}\n`));
}

/** Prints the view chosen by the options, and writes the CSV file. */
export function printResult<Result>(result: Result, options: OutputOptions, views: Views<Result>): void {
  const { csv } = options;
  if (csv !== undefined && csv !== STDOUT) writeOutput('--csv', csv, toCsv(views.rows(result)));
  if (options.json === true) printJson(result);
  else if (csv !== STDOUT) process.stdout.write(views.text(printable(result)));
  else process.stdout.write(toCsv(views.rows(process.stdout.isTTY ? printable(result) : result)));
}
