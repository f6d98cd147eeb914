import type { MachineState } from '../explain/machine-state.js';
import { StateError } from '../explain/state-form.js';
import { CommandFailure } from './failure.js';
import { readJsonOrInput } from './json-file.js';

/**
 * The machine's state in a JSON file. Its validator takes a while to load, so only those wait for it who have a file.
 * @throws CommandFailure with file, field and fix
 */
export async function readState(path: string): Promise<MachineState> {
  const value = readJsonOrInput(path, '--state');
  const { parseState } = await import('../explain/machine-state.js');
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
