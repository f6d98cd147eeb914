import { Argument, Command, Option } from 'commander';
import { DIFFICULTIES, TOPICS } from '../../quiz/exercise.js';
import type { Difficulty, Topic } from '../../quiz/exercise.js';
import { quizHtml } from '../../quiz/quiz-html.js';
import { makeQuiz, MOST_EXERCISES, quizText, makeGivenQuiz } from '../../quiz/quiz.js';
import type { QuizResult } from '../../quiz/quiz.js';
import { CommandFailure } from '../failure.js';
import { readJsonOrInput } from '../json-file.js';
import { parseSeed, parseWhole } from '../options.js';
import { printJson } from '../output.js';
import { inState } from '../state-file.js';

interface QuizCommandOptions {
  readonly seed: number;
  readonly given?: string;
  readonly solve?: true;
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
      ]),
    )
    .option('--solve', 'with answers and reasoning')
    .addOption(new Option('--difficulty <level>', 'how hard the exercises are').choices(DIFFICULTIES).default('medium'))
    .option(
      '--count <number>',
      `how many, up to ${MOST_EXERCISES}; one of each kind when absent`,
      parseWhole(1, MOST_EXERCISES),
    )
    .addOption(new Option('--html', 'print a page of HTML, to be printed').conflicts('json'))
    .option('--json', 'print JSON instead of text')
    .addHelpText('after', '\nExamples:\n  pagewalk quiz paging --seed 3\n  pagewalk quiz cow --seed 3 --solve')
    .action((topic: Topic | undefined, options: QuizCommandOptions) => {
      const { seed, given, solve, difficulty, count, html, json } = options;
      const solved = solve === true;
      const result =
        given === undefined ? makeQuiz(topic, seed, solved, { difficulty, count }) : givenQuiz(given, topic, solved);
      if (json === true) printJson(result);
      else if (html === true) process.stdout.write(quizHtml(result));
      else process.stdout.write(quizText(result));
    });
}
