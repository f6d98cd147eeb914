import { describe, expect, it } from 'vitest';
import { COURSE_MACHINES } from '../../../src/course/engine/machines.js';
import type { CourseMachineName } from '../../../src/course/engine/machines.js';
import type { CourseFinding } from '../../../src/course/engine/finding.js';
import { runCourseProgram } from '../../../src/course/engine/run.js';
import type { AnyHandler } from '../../../src/course/engine/session.js';
import { gradeStep, stepPrograms } from '../../../src/course/grade.js';
import { shrink } from '../../../src/course/shrink.js';
import { COURSE_STEPS } from '../../../src/course/steps.js';
import type { CourseStep } from '../../../src/course/steps.js';
import { asTranscript, recorded, replayed } from '../../../src/course/transcript.js';
import type { Token } from '../../../src/course/transcript.js';
import type { CourseProgram } from '../../../src/course/engine/program.js';
import { runs } from '../../runs.js';
import { MISTAKES } from './mistakes.js';
import { handlerOf, solutionText } from './solution.js';

const SEED = 1;

function stepNamed(step: string): CourseStep {
  const [found] = COURSE_STEPS.filter(({ name }) => name === step);
  return found;
}

/** The first finding in the programs of a step. */
function firstFinding(step: string, machine: CourseMachineName, handler: AnyHandler): CourseFinding | undefined {
  for (const program of stepPrograms(stepNamed(step), machine, SEED)) {
    const finding = runCourseProgram(program, handler);
    if (finding !== undefined) return finding;
  }
  return undefined;
}

describe.each(COURSE_MACHINES)('a right handler on %s', (machine) => {
  it.each(COURSE_STEPS.map((step) => [step.name, step] as const))('passes %s', async (_name, step) => {
    const handler = await handlerOf(solutionText(machine));
    for (let seed = SEED; seed <= runs(1); seed++) {
      const programs = [...stepPrograms(step, machine, seed)];
      const sample = programs.filter((_, i) => i % 10 === 9);
      const findings = sample.map((program) => runCourseProgram(program, handler));
      expect(findings.filter((finding) => finding !== undefined)).toEqual([]);
    }
  });
});

/** What has nothing to do with the machine is tried on one of them. */
const CASES = MISTAKES.map((mistake) => ({ ...mistake, machine: mistake.machine ?? ('x86' as const) }));

it.each(CASES.map((one) => [one.name, one.machine, one] as const))(
  'finds: %s (%s)',
  async (_name, machine, { step, kind, reason, changes }) => {
    const finding = firstFinding(step, machine, await handlerOf(solutionText(machine, changes)));
    expect(finding?.kind).toBe(kind);
    expect(finding?.what).toMatch(reason);
  },
);

it('finds twenty mistakes and more, in every step', () => {
  expect(MISTAKES.length).toBeGreaterThanOrEqual(20);
  expect(new Set(MISTAKES.map(({ step }) => step))).toEqual(new Set(COURSE_STEPS.map(({ name }) => name)));
});

describe('the program of a failed step', () => {
  it.each([
    ['the parent keeps its right to write', ['A forks B'], 3],
    ['a block is taken back twice', ['free block'], 3],
    ['a new table is not cleared', ['map 0x'], 1],
    ['no flush at fork', ['A forks B', 'writes'], 6],
  ])('is made short: %s', async (name, parts, most) => {
    const [mistake] = MISTAKES.filter((one) => one.name === name);
    const handler = await handlerOf(solutionText('x86', mistake.changes));
    const run = (program: CourseProgram): Promise<CourseFinding | undefined> =>
      Promise.resolve(runCourseProgram(program, handler));
    const { outcome, failure } = await gradeStep(stepNamed(mistake.step), 'x86', SEED, run);
    expect([outcome, failure?.kind]).toEqual(['failed', mistake.kind]);
    for (const part of parts) expect(failure?.program.join('\n')).toContain(part);
    expect(failure?.program.length).toBeLessThanOrEqual(most);
  });
});

it('the program that ended its process is its shortest beginning that does so', async () => {
  const [program] = [...stepPrograms(stepNamed('fork'), 'x86', SEED)].slice(8);
  let runs = 0;
  const run = ({ operations }: CourseProgram): Promise<CourseFinding | undefined> => {
    runs++;
    const what = 'its process ended (exit code 3)';
    return Promise.resolve(operations.length > 4 ? { kind: 'stopped', line: operations.length, what } : undefined);
  };
  const short = await shrink({ program, finding: (await run(program))! }, run);
  expect([short.program.operations.length, short.finding.line]).toEqual([5, 4]);
  expect(runs).toBeLessThan(8);
});

describe('a transcript', () => {
  it.each(COURSE_MACHINES)('gives the same finding as the handler itself: %s', async (machine) => {
    const names = [
      'the clock clears no accessed bit',
      'a slot is leaked',
      'a frame is given back twice',
      'buddies are not joined',
    ];
    for (const { step, changes } of MISTAKES.filter(({ name }) => names.includes(name))) {
      const handler = await handlerOf(solutionText(machine, changes));
      const programs = [...stepPrograms(stepNamed(step), machine, SEED)].slice(0, 12);
      const failing = programs.find((program) => runCourseProgram(program, handler) !== undefined) ?? programs[0];
      const tokens: Token[] = [];
      runCourseProgram(failing, recorded(handler, tokens), false);
      const sent = asTranscript(JSON.parse(JSON.stringify(tokens))) ?? [];
      expect(runCourseProgram(failing, replayed(sent))).toEqual(runCourseProgram(failing, handler));
    }
  });

  it('keeps what JSON cannot say in words: a BigInt, a promise, NaN', () => {
    const [program] = stepPrograms(stepNamed('walk'), 'x86', SEED);
    const [pages] = stepPrograms(stepNamed('map'), 'x86', SEED);
    const found = (of: CourseProgram, handler: Partial<Record<keyof AnyHandler, unknown>>): string | undefined => {
      const tokens: Token[] = [];
      runCourseProgram(of, recorded(handler, tokens), false);
      return runCourseProgram(of, replayed(JSON.parse(JSON.stringify(tokens)) as Token[]))?.what;
    };
    expect(found(program, { walk: () => -1n })).toContain('answered -1n; the processor finds');
    expect(found(program, { walk: () => Promise.resolve(1) })).toContain('answered a promise;');
    const storing = (entry: unknown) => ({
      map: (kernel: { machine: { store: (at: number, entry: unknown) => void } }) => {
        kernel.machine.store(4096, entry);
      },
    });
    expect(found(pages, storing(5n))).toContain('store(4096, 5n): addresses, frames and entries are whole numbers');
    expect(found(pages, storing(NaN))).toContain('store(4096, NaN): ');
  });

  it('of another program, or of none, is no good one', async () => {
    const handler = await handlerOf(solutionText('x86'));
    const [short, other] = [...stepPrograms(stepNamed('fork'), 'x86', SEED)].slice(8);
    const tokens: Token[] = [];
    runCourseProgram(other, recorded(handler, tokens), false);
    expect(runCourseProgram(other, replayed(tokens))).toBeUndefined();
    for (const wrong of [tokens, [], [['return', true]], [['explode', 1]]] as Token[][]) {
      expect(runCourseProgram(short, replayed(wrong))).toBeDefined();
    }
    expect(asTranscript({ tokens })).toBeUndefined();
    expect(asTranscript([[1]])).toBeUndefined();
  });
});
