import { readFileSync } from 'node:fs';
import { parseState, StateError } from '../explain/machine-state.js';
import type { MachineState } from '../explain/machine-state.js';
import { CommandFailure, explainSystemError } from './failure.js';

/**
 * The machine's state in a JSON file.
 * @throws CommandFailure with file, field and fix
 */
export function readState(path: string): MachineState {
  let text: string;
  try {
    text = readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    throw explainSystemError(error, `read '${path}' (--state)`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CommandFailure(`${path}: not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  return inState(path, () => parseState(value));
}

/** Runs `use`; errors in the state are told with the file's name. */
export function inState<T>(path: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    throw error instanceof StateError ? new CommandFailure(`${path}: ${error.message}`) : error;
  }
}
