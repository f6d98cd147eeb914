import { Argument, Command, Option } from 'commander';
import { DIFFICULTIES, QUIZ_MACHINES, TOPICS } from '../../quiz/exercise.js';
import type { Difficulty, Exercise, QuizMachine, Topic } from '../../quiz/exercise.js';
import { answersIn, markedText, markSheet } from '../../quiz/marked-sheet.js';
import type { MarkedQuiz } from '../../quiz/marked-sheet.js';
import { quizHtml } from '../../quiz/quiz-html.js';
import { makeQuiz, MOST_EXERCISES, quizText, makeGivenQuiz, topicsAbout } from '../../quiz/quiz.js';
import type { QuizResult } from '../../quiz/quiz.js';
import { printableLines } from '../../report/output/printable.js';
import { CommandFailure } from '../failure.js';
import { readJsonOrInput, readText } from '../json-file.js';
import { parseChoice, parseSeed, parseWhole } from '../options.js';
import { printJson } from '../output.js';
import { inState } from '../state-file.js';

interface QuizCommandOptions {
  readonly seed: number;
  readonly given?: string;
  readonly solve?: true;
  readonly answers?: string;
  readonly machine?: QuizMachine;
  readonly difficulty: Difficulty;
  readonly count?: number;
  readonly html?: true;
  readonly json?: true;
}

/** The one exercise about the numbers of a file, or `-` for standard input. */
function givenQuiz(file: string, topic: Topic | undefined, solved: boolean): QuizResult {
  if (topic !== undefined)
    throw new CommandFailure(`TOPIC ${topic}: the file of --given says the kind; leave it out`, 2);
  const value = readJsonOrInput(file, '--given');
  return inState(file, () => makeGivenQuiz(value, solved));
}

/** The sheet that the options ask for. */
function sheet(topic: Topic | undefined, options: QuizCommandOptions): QuizResult {
  const { seed, given, solve, answers, difficulty, count, machine } = options;
  // Marking needs the answers.
  const solved = solve === true || answers !== undefined;
  if (given !== undefined) return givenQuiz(given, topic, solved);
  const result = makeQuiz(topic, seed, solved, { difficulty, count, machine });
  if (result.exercises.length > 0 || machine === undefined) return result;
  const fix = `leave one out, or take ${topicsAbout(machine).join(' or ')}`;
  throw new CommandFailure(`TOPIC ${topic}: no exercise of it is about ${machine}; ${fix}`, 2);
}

/** The sheet marked, with the answers of a file. */
function marked({ exercises, seed }: QuizResult, file: string): MarkedQuiz {
  const solved = exercises as readonly Exercise[];
  const text = readText(file, '--answers');
  try {
    return markSheet(solved, answersIn(text, solved), seed);
  } catch (error) {
    throw error instanceof RangeError ? new CommandFailure(`${file}: ${error.message}`) : error;
  }
}

/** `pagewalk quiz`: exercises. The model computes the answers. */
export function quizCommand(): Command {
  return new Command('quiz')
    .summary('exercises, and their answers with reasons')
    .description('Exercises made from the model: the same seed gives the same exercises.')
    .addArgument(new Argument('[TOPIC]', 'all of them when absent').choices(TOPICS))
    .option('--seed <number>', 'which exercises', parseSeed, 1)
    .addOption(
      new Option('--given <file>', 'one about your numbers: docs/toy-machine.md').conflicts([
        'seed',
        'count',
        'difficulty',
        'machine',
      ]),
    )
    .option('--solve', 'with answers and reasoning')
    .addOption(
      new Option('--answers <file>', "marks them: a line each, as '1: 0x3f; none'").conflicts(['solve', 'html']),
    )
    .addOption(
      new Option('--machine <name>', 'only those about x86, riscv, aarch64 or toy').argParser(
        parseChoice(QUIZ_MACHINES),
      ),
    )
    .addOption(
      new Option('--difficulty <level>', 'easy, medium or hard').argParser(parseChoice(DIFFICULTIES)).default('medium'),
    )
    .option(
      '--count <number>',
      `how many, up to ${MOST_EXERCISES}; one of each kind when absent`,
      parseWhole(1, MOST_EXERCISES),
    )
    .addOption(new Option('--html', 'print a page of HTML, to be printed').conflicts('json'))
    .option('--json', 'print JSON instead of text')
    .addHelpText('after', '\nExamples:\n  pagewalk quiz paging --seed 3\n  pagewalk quiz cow --seed 3 --solve')
    .action((topic: Topic | undefined, options: QuizCommandOptions) => {
      const { answers, html, json } = options;
      const result = sheet(topic, options);
      if (answers !== undefined) {
        const marks = marked(result, answers);
        if (json === true) printJson(marks);
        else process.stdout.write(printableLines(markedText(marks)));
      } else if (json === true) printJson(result);
      else if (html === true) process.stdout.write(quizHtml(result));
      else process.stdout.write(quizText(result));
    });
}
