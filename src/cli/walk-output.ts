import { printJson } from './output.js';

/** Options of every walk. */
export interface WalkOutputOptions {
  readonly events?: true;
  readonly json?: true;
}

/**
 * Prints a walk, as text or JSON; with `events` each step of the processor, too.
 * @param text of the result
 * @param lines of the steps
 */
export function printWalk<Result extends object, Step>(
  result: Result,
  steps: readonly Step[],
  { events, json }: WalkOutputOptions,
  text: (result: Result) => string,
  lines: (steps: readonly Step[]) => readonly string[],
): void {
  if (json === true) printJson(events === true ? { ...result, events: steps } : result);
  else process.stdout.write(text(result) + (events === true ? `\nEvents\n${lines(steps).join('\n')}\n` : ''));
}
