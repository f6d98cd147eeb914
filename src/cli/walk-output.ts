import { whyLines } from '../explain/step-why.js';
import { printJson } from './output.js';

/** Options of every walk. */
export interface WalkOutputOptions {
  readonly events?: true;
  readonly json?: true;
}

/**
 * Prints a walk, as text or JSON; with `events` each step of the processor, too, and why it takes
 * steps of that kind.
 * @param text of the result
 * @param lines of the steps
 * @param kinds of the steps where their reasons go by other kinds than their own
 */
export function printWalk<Result extends object, Step extends Parameters<typeof whyLines>[0][number]>(
  result: Result,
  steps: readonly Step[],
  { events, json }: WalkOutputOptions,
  text: (result: Result) => string,
  lines: (steps: readonly Step[]) => readonly string[],
  kinds: Parameters<typeof whyLines>[0] = steps,
): void {
  if (json === true) printJson(events === true ? { ...result, events: steps } : result);
  else if (events !== true) process.stdout.write(text(result));
  else {
    const parts = [text(result), 'Events', ...lines(steps), '', 'Why', ...whyLines(kinds)];
    process.stdout.write(`${parts.join('\n')}\n`);
  }
}
