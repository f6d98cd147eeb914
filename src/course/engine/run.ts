/** Runs one program with a handler on a machine of its own, and gives the first finding. */

import { runBuddy } from './buddy-run.js';
import { FindingError } from './finding.js';
import type { CourseFinding } from './finding.js';
import { runMap } from './map-run.js';
import { runMemory } from './memory-run.js';
import type { CourseProgram } from './program.js';
import { Session } from './session.js';
import type { AnyHandler } from './session.js';
import { runWalk } from './walk-run.js';

/**
 * Runs it. Without `checks` the machine runs all the same and nothing is compared: so it goes where the student's code is.
 * @param onCall hears of each call of a function, in words, before it is made; the operation's number comes with it
 * @returns undefined when nothing is wrong
 */
export function runCourseProgram(
  program: CourseProgram,
  handler: AnyHandler,
  checks = true,
  onCall?: (line: number, text: string) => void,
): CourseFinding | undefined {
  const session = new Session(handler, program.operations.length, checks, onCall);
  try {
    if (program.family === 'memory') runMemory(session, program);
    else if (program.family === 'walk') runWalk(session, program);
    else if (program.family === 'map') runMap(session, program);
    else runBuddy(session, program);
  } catch (error) {
    if (!(error instanceof FindingError)) throw error;
    return { kind: error.kind, line: session.line, what: error.message };
  }
  return undefined;
}
