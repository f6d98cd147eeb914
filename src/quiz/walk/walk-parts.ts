/** The parts that exercises about walks have in common: memory as it is given, and the walk as reasoning. */

import type { MachineStateInput } from '../../explain/machine-state.js';
import { columns } from '../../report/output/columns.js';
import { LINE_WIDTH } from '../exercise.js';

/** Before the words of memory. */
export const MEMORY = 'Memory holds the following, and zero everywhere else:';

/** Words of memory, a line each. */
export function memoryLines(memory: NonNullable<MachineStateInput['memory']>): string[] {
  return columns(memory.map(({ at, value }) => [`at ${String(at)}:`, String(value)]));
}

/** The lines of a walk as the terminal shows it. @param text writes it, so many columns wide */
export function walkLines<T>(text: (result: T, width: number) => string, result: T): string[] {
  return text(result, LINE_WIDTH).trimEnd().split('\n');
}
