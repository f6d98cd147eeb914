import { parseState, StateError } from '../explain/machine-state.js';
import type { MachineState } from '../explain/machine-state.js';
import { CommandFailure } from './failure.js';
import { readJson } from './json-file.js';

/**
 * The machine's state in a JSON file.
 * @throws CommandFailure with file, field and fix
 */
export function readState(path: string): MachineState {
  const value = readJson(path, '--state', path === '-' ? 0 : path);
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
