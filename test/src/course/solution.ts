/** A handler that is right, of either machine, as a student would write it; and others made from it by small changes. */

import { readFileSync } from 'node:fs';
import type { CourseMachineName } from '../../../src/course/engine/machines.js';
import type { AnyHandler } from '../../../src/course/engine/session.js';

/** A piece of the text, and another one in its place. */
export type Change = readonly [from: string, to: string];

const read = (name: string): string => readFileSync(new URL(`solution/${name}.txt`, import.meta.url), 'utf8');

/** The text of handler.js. @throws Error for a piece that does not stand there exactly once */
export function solutionText(machine: CourseMachineName, changes: readonly Change[] = []): string {
  return changes.reduce(
    (text, [from, to]) => {
      if (text.split(from).length !== 2) throw new Error(`not once in the solution: ${from}`);
      return text.replace(from, () => to);
    },
    read(machine) + read('kernel'),
  );
}

/** The functions of such a text. */
export async function handlerOf(text: string): Promise<AnyHandler> {
  return (await import(`data:text/javascript,${encodeURIComponent(text)}`)) as AnyHandler;
}
