import { readFileSync } from 'node:fs';
import { CommandFailure, explainSystemError } from './failure.js';

/**
 * The value of a JSON file.
 * @param option the option that named the file, for errors
 * @param source a file descriptor in place of the path
 * @throws CommandFailure with file and fix
 */
export function readJson(path: string, option: string, source: string | number = path): unknown {
  let text: string;
  try {
    text = readFileSync(source, 'utf8');
  } catch (error) {
    throw explainSystemError(error, `read '${path}' (${option})`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CommandFailure(`${path}: not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
