/** Grades and traces as text for a terminal. */

import { wrap } from '../report/output/wrap.js';
import { countOf } from '../report/output/units.js';
import { AT_THE_END } from './engine/program.js';
import type { CourseGrade } from './course.js';
import type { StepFailure, StepGrade } from './grade.js';
import { KEPT_OUTPUT } from './sandbox.js';

const INDENT = ' '.repeat(6);

function failureLines({ why, regions, program, line }: StepFailure): string[] {
  const numbered = program.map((text, i) => `${INDENT}${String(i + 1).padStart(2)}  ${text}`);
  const end = line > program.length ? [`${INDENT}    ${AT_THE_END}`] : [];
  return [wrap(`${INDENT}${why}`, INDENT), ...regions.map((text) => INDENT + text), ...numbered, ...end];
}

function stepLines({ step, outcome, title, programs, missing, failure }: StepGrade): string[] {
  const count = outcome === 'passed' ? countOf(programs, 'program') : outcome === 'failed' ? `program ${programs}` : '';
  const head = `${step.padEnd(10)}  ${outcome.padEnd(11)}  ${count.padEnd(11)}  ${title}`;
  if (missing !== undefined) return [head, wrap(`${INDENT}${missing}`, INDENT)];
  return failure === undefined ? [head] : [head, ...failureLines(failure)];
}

/** The grade of a handler. */
export function gradeText(grade: CourseGrade): string {
  const { steps, passed, seed, machine, output, handler } = grade;
  const what =
    output.length < KEPT_OUTPUT ? 'Your code printed:' : `The last ${KEPT_OUTPUT} characters that your code printed:`;
  const printed = output === '' ? [] : ['', what, ...output.trimEnd().split('\n')];
  const again = `The same programs again: --seed ${seed}`;
  return [
    `${handler}, ${machine}, seed ${seed}`,
    '',
    ...steps.flatMap(stepLines),
    ...printed,
    '',
    `${passed} of ${countOf(steps.length, 'step')} passed. ${again}`,
    '',
  ].join('\n');
}
