/** Grades a handler: random programs of each step by a seed, until one fails; that one is made short. */

import { mix, Random } from '../../hw/base/random.js';
import type { FindingKind } from './engine/finding.js';
import type { CourseMachineName } from './engine/machines.js';
import { describeOperation, describeRegions } from './engine/program.js';
import type { CourseProgram } from './engine/program.js';
import { shrink } from './shrink.js';
import type { Failure, ProgramRunner } from './shrink.js';
import { COURSE_STEPS } from './steps.js';
import type { CourseStep } from './steps.js';

/** What was wrong in a step. */
export interface StepFailure {
  readonly kind: FindingKind;
  /** A sentence or two. */
  readonly why: string;
  /** The regions of process A, where there are some. */
  readonly regions: readonly string[];
  /** The shortest program found. */
  readonly program: readonly string[];
  /** The line where it shows, from 1. 0: at the start; one more than there are: at the end, when all is read and all exit. */
  readonly line: number;
}

/** The grade of one step. */
export interface StepGrade {
  readonly step: string;
  readonly title: string;
  readonly outcome: 'passed' | 'failed' | 'not written';
  /** Programs run up to the outcome, those to make one short left out. */
  readonly programs: number;
  /** The function that is not written: `exit: not written yet`. */
  readonly missing?: string;
  readonly failure?: StepFailure;
}

/** Programs a step; they grow. */
const PROGRAMS = 40;
const LEAST_OPERATIONS = 4;

function failureOf({ program, finding }: Failure): StepFailure {
  return {
    kind: finding.kind,
    why: finding.what,
    regions: describeRegions(program),
    program: program.operations.map(describeOperation),
    line: finding.line + 1,
  };
}

/** The programs of a step: the same seed gives the same ones. */
export function* stepPrograms(step: CourseStep, machine: CourseMachineName, seed: number): Generator<CourseProgram> {
  const random = new Random(mix(seed) ^ COURSE_STEPS.indexOf(step));
  for (let i = 0; i < PROGRAMS; i++) yield step.makeProgram(machine, random, LEAST_OPERATIONS + i);
}

/** The first program of a step that fails, made short if something is written; and how many ran, it among them. */
export async function firstFailure(
  step: CourseStep,
  machine: CourseMachineName,
  seed: number,
  run: ProgramRunner,
): Promise<{ readonly programs: number; readonly failure?: Failure }> {
  let programs = 0;
  for (const program of stepPrograms(step, machine, seed)) {
    programs++;
    const finding = await run(program);
    if (finding === undefined) continue;
    const failure = { program, finding };
    return { programs, failure: finding.kind === 'not written' ? failure : await shrink(failure, run) };
  }
  return { programs };
}

/** The grade of one step. */
export async function gradeStep(
  step: CourseStep,
  machine: CourseMachineName,
  seed: number,
  run: ProgramRunner,
): Promise<StepGrade> {
  const { name, title } = step;
  const { programs, failure } = await firstFailure(step, machine, seed, run);
  if (failure === undefined) return { step: name, title, outcome: 'passed', programs };
  const { kind, what } = failure.finding;
  if (kind === 'not written') return { step: name, title, outcome: 'not written', programs, missing: what };
  return { step: name, title, outcome: 'failed', programs, failure: failureOf(failure) };
}
