/** The course as commands have it: a project graded, or one program of it shown. */

import { SCHEMA_VERSION } from '../report/results/schema-version.js';
import type { CourseMachineName } from './engine/machines.js';
import type { CourseProgram } from './engine/program.js';
import { firstFailure, gradeStep, stepPrograms } from './grade.js';
import type { StepGrade } from './grade.js';
import { Sandbox } from './sandbox.js';
import type { SandboxLimits } from './sandbox.js';
import { COURSE_STEPS } from './steps.js';
import type { CourseStep } from './steps.js';
import { traceProgram } from './trace.js';
import { replayed } from './transcript.js';

/** What to grade, and how. */
export interface GradeOptions {
  /** The path of handler.js or handler.ts. */
  readonly handler: string;
  readonly machine: CourseMachineName;
  readonly seed: number;
  readonly limits: SandboxLimits;
  /** All when absent. */
  readonly step?: CourseStep | undefined;
}

/** The grade of a handler. */
export interface CourseGrade {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly command: 'course grade';
  readonly handler: string;
  readonly machine: CourseMachineName;
  readonly seed: number;
  /** Steps passed. */
  readonly passed: number;
  readonly steps: readonly StepGrade[];
  /** The end of what the handler printed. */
  readonly output: string;
}

/** Grades a handler in a process of its own. @throws HandlerError when it cannot be loaded */
export async function gradeCourse({ handler, machine, seed, limits, step }: GradeOptions): Promise<CourseGrade> {
  const sandbox = new Sandbox(handler, limits);
  try {
    const steps: StepGrade[] = [];
    for (const one of step === undefined ? COURSE_STEPS : [step]) {
      steps.push(await gradeStep(one, machine, seed, (program) => sandbox.run(program)));
    }
    const passed = steps.filter(({ outcome }) => outcome === 'passed').length;
    const { output } = sandbox;
    return { schemaVersion: SCHEMA_VERSION, command: 'course grade', handler, machine, seed, passed, steps, output };
  } finally {
    sandbox.close();
  }
}

/** A program to show: the first failing one of the steps, made short, or a short one of the last step. */
async function programToShow(options: GradeOptions, sandbox: Sandbox): Promise<CourseProgram> {
  const { machine, seed, step } = options;
  const steps = step === undefined ? COURSE_STEPS : [step];
  for (const one of steps) {
    const { failure } = await firstFailure(one, machine, seed, (program) => sandbox.run(program));
    if (failure !== undefined) return failure.program;
  }
  const [first] = stepPrograms(steps[steps.length - 1], machine, seed);
  return first;
}

/** A short program with each action of the handler, as text; ends with what went wrong. */
export async function showCourse(options: GradeOptions): Promise<string> {
  const sandbox = new Sandbox(options.handler, options.limits);
  try {
    const program = await programToShow(options, sandbox);
    const transcript = await sandbox.transcriptOf(program);
    if (typeof transcript === 'string') return `${transcript}\n`;
    const { lines, finding } = traceProgram(program, replayed(transcript));
    const end = finding === undefined ? 'Nothing is wrong.' : finding.what;
    const printed = sandbox.output === '' ? '' : `\nYour code printed:\n${sandbox.output}`;
    return [...lines, '', end, printed].join('\n');
  } finally {
    sandbox.close();
  }
}
