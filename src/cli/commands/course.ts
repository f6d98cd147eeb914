import { Argument, Command, Option } from 'commander';
import { randomInt } from 'node:crypto';
import { gradeText } from '../../course/course-text.js';
import { gradeCourse, showCourse } from '../../course/course.js';
import type { GradeOptions } from '../../course/course.js';
import { COURSE_MACHINES } from '../../course/engine/machines.js';
import type { CourseMachineName } from '../../course/engine/machines.js';
import { COURSE_LANGUAGES, projectHandler, projectMachine, makeProject, ProjectError } from '../../course/project.js';
import type { CourseLanguage } from '../../course/project.js';
import { HandlerError } from '../../course/sandbox.js';
import { COURSE_STEPS } from '../../course/steps.js';
import { printable, printableLines } from '../../report/output/printable.js';
import { CommandFailure, explainSystemError } from '../failure.js';
import { parseChoice, parseSeed, parseWhole } from '../options.js';
import { printJson } from '../output.js';

interface RunOptions {
  readonly seed?: number;
  readonly machine?: CourseMachineName;
  readonly step?: string;
  readonly seconds: number;
  readonly memory: number;
  readonly json?: true;
}

function machineOption(): Option {
  return new Option('--machine <name>', COURSE_MACHINES.join(' or ')).argParser(parseChoice(COURSE_MACHINES));
}

/** What is wrong with a project, as errors of the command. */
async function told<T>(folder: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ProjectError || error instanceof HandlerError) throw new CommandFailure(error.message);
    throw explainSystemError(error, `use '${folder}'`);
  }
}

async function gradeOptions(folder: string, options: RunOptions): Promise<GradeOptions> {
  const handler = projectHandler(folder);
  const machine = options.machine ?? (await projectMachine(folder));
  const { seed = randomInt(2 ** 32), seconds, memory } = options;
  const step = COURSE_STEPS.find(({ name }) => name === options.step);
  return { handler, machine, seed, limits: { seconds, mebibytes: memory }, step };
}

function runCommand(name: string, description: string): Command {
  const steps = COURSE_STEPS.map((step) => step.name);
  return new Command(name)
    .description(description)
    .addArgument(new Argument('<folder>', 'the project'))
    .option('--seed <number>', 'which programs; any when absent', parseSeed)
    .addOption(new Option('--step <name>', `one of ${steps.join(', ')}`).argParser(parseChoice(steps)))
    .addOption(machineOption())
    .addOption(new Option('--seconds <n>', 'limit of one program, CPU time').argParser(parseWhole(1, 600)).default(2))
    .addOption(
      new Option('--memory <MiB>', "limit of the handler's memory").argParser(parseWhole(32, 65536)).default(128),
    );
}

function newCommand(): Command {
  return new Command('new')
    .description("Make a project for a student's page-fault handler: stubs, texts, one command to test.")
    .addArgument(new Argument('<folder>', 'a new or an empty folder'))
    .addOption(machineOption().default('x86'))
    .addOption(
      new Option('--language <name>', COURSE_LANGUAGES.join(' or '))
        .argParser(parseChoice(COURSE_LANGUAGES))
        .default('js'),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  pagewalk course new my-kernel\n  pagewalk course new my-riscv --machine sv39 --language ts',
    )
    .action(
      async (folder: string, options: { readonly machine: CourseMachineName; readonly language: CourseLanguage }) => {
        await told(folder, () => {
          makeProject(folder, options.machine, options.language);
        });
        const next = `Read '${folder}/README.md', then: cd '${folder}' && npm test`;
        process.stdout.write(printableLines(`Made a project in '${folder}'.\n${next}\n`));
      },
    );
}

/** `pagewalk course`: students write a page-fault handler, and it is graded. */
export function courseCommand(): Command {
  return new Command('course')
    .description('A course: students write a page-fault handler step by step, and it is graded.')
    .addHelpText('after', '\nExamples:\n  pagewalk course new my-kernel\n  pagewalk course grade my-kernel --seed 7')
    .addCommand(newCommand())
    .addCommand(
      runCommand('run', 'Run a short program on a handler, and show each action.')
        .addHelpText(
          'after',
          '\nExamples:\n  pagewalk course run my-kernel\n  pagewalk course run my-kernel --step fork',
        )
        .action(async (folder: string, options: RunOptions) => {
          const text = await told(folder, async () => showCourse(await gradeOptions(folder, options)));
          process.stdout.write(printableLines(text));
        }),
    )
    .addCommand(
      runCommand('grade', 'Grade a handler by random programs; exit code 1 unless all steps pass.')
        .option('--json', 'print JSON instead of text')
        .addHelpText(
          'after',
          '\nExamples:\n  pagewalk course grade my-kernel --seed 7\n  pagewalk course grade my-kernel --step fork --json',
        )
        .action(async (folder: string, options: RunOptions) => {
          const grade = await told(folder, async () => gradeCourse(await gradeOptions(folder, options)));
          if (options.json === true) printJson(grade);
          // What the handler printed has lines; all other texts are one each.
          else process.stdout.write(printableLines(gradeText({ ...printable(grade), output: grade.output })));
          if (grade.passed < grade.steps.length) process.exitCode = 1;
        }),
    );
}
