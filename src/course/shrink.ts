/** Makes a failing program short: leaves operations out as long as the same kind of thing goes wrong. */

import type { CourseFinding } from './engine/finding.js';
import { withOperations } from './engine/program.js';
import type { CourseProgram, CourseOperation } from './engine/program.js';

/** Runs a program: its finding, or undefined. */
export type ProgramRunner = (program: CourseProgram) => Promise<CourseFinding | undefined>;

/** A program, and what it finds. */
export interface Failure {
  readonly program: CourseProgram;
  readonly finding: CourseFinding;
}

const MOST_TRIES = 300;

/** The shortest beginning of the program that ends the process, too; what shows there is its last operation. */
async function shortest(failure: Failure, run: ProgramRunner): Promise<Failure> {
  const { operations } = failure.program;
  let fine = -1;
  let stops = operations.length;
  while (stops - fine > 1) {
    const middle = Math.floor((fine + stops) / 2);
    const finding = await run(withOperations(failure.program, operations.slice(0, middle)));
    if (finding?.kind === 'stopped') stops = middle;
    else fine = middle;
  }
  const program = withOperations(failure.program, operations.slice(0, stops));
  return { program, finding: { ...failure.finding, line: stops - 1 } };
}

/** Without the operations after the finding, and without all that it does not need. */
export async function shrink(failure: Failure, run: ProgramRunner): Promise<Failure> {
  const all = failure.program.operations;
  let best = failure;
  let tries = 0;
  const take = async (operations: readonly CourseOperation[]): Promise<boolean> => {
    tries++;
    const program = withOperations(best.program, operations);
    const finding = await run(program);
    if (finding?.kind !== failure.finding.kind) return false;
    best = { program, finding };
    return true;
  };
  const upTo = all.slice(0, failure.finding.line + 1);
  if (failure.finding.kind === 'stopped') {
    // Its process ended: nobody knows in which operation.
    if (failure.finding.line === all.length && !failure.finding.what.includes('no answer'))
      return shortest(failure, run);
    // Each try would last as long as the limit.
    return { ...failure, program: withOperations(failure.program, upTo) };
  }
  await take(upTo);
  for (let size = Math.ceil(all.length / 2); size >= 1 && tries < MOST_TRIES;) {
    let shorter = false;
    for (let from = 0; from < best.program.operations.length && tries < MOST_TRIES;) {
      const { operations } = best.program;
      if (await take([...operations.slice(0, from), ...operations.slice(from + size)])) shorter = true;
      else from += size;
    }
    if (!shorter || size > 1) size = Math.floor(size / 2);
  }
  return best;
}
