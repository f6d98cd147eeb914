import { readFileSync } from 'node:fs';
import { CommandFailure, explainSystemError } from './failure.js';

/** The text of a file; `-` is standard input. @param option the option that named the file, for errors */
export function readText(path: string, option: string): string {
  return textOf(path, option, path === '-' ? 0 : path);
}

function textOf(path: string, option: string, source: string | 0): string {
  try {
    return readFileSync(source, 'utf8');
  } catch (error) {
    throw explainSystemError(error, `read '${path}' (${option})`);
  }
}

/**
 * The value of a JSON file.
 * @param option the option that named the file, for errors
 * @param source 0, standard input, in place of the path
 * @throws CommandFailure with file and fix
 */
export function readJson(path: string, option: string, source: string | 0 = path): unknown {
  const text = textOf(path, option, source);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CommandFailure(`${path}: not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The same; `-` is standard input. */
export function readJsonOrInput(path: string, option: string): unknown {
  return readJson(path, option, path === '-' ? 0 : path);
}
