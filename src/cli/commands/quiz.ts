import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { DIFFICULTIES, TOPICS } from '../../quiz/exercise.js';
import type { Difficulty, Topic } from '../../quiz/exercise.js';
import { quizHtml } from '../../quiz/quiz-html.js';
import { makeQuiz, MOST_EXERCISES, quizText } from '../../quiz/quiz.js';
import { parseSeed } from '../options.js';
import { printJson } from '../output.js';

interface QuizCommandOptions {
  readonly seed: number;
  readonly solve?: true;
  readonly difficulty: Difficulty;
  readonly count?: number;
  readonly html?: true;
  readonly json?: true;
}

function parseExercises(text: string): number {
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > MOST_EXERCISES)
    throw new InvalidArgumentError(`Give a whole number from 1 to ${MOST_EXERCISES}.`);
  return count;
}

/** `pagewalk quiz`: exercises. The model computes the answers. */
export function quizCommand(): Command {
  return new Command('quiz')
    .summary('exercises, and their answers with reasons')
    .description('Exercises made from the model: the same seed gives the same exercises.')
    .addArgument(new Argument('[TOPIC]', 'all of them when absent').choices(TOPICS))
    .option('--seed <number>', 'which exercises', parseSeed, 1)
    .option('--solve', 'with answers and reasoning')
    .addOption(new Option('--difficulty <level>', 'how hard the exercises are').choices(DIFFICULTIES).default('medium'))
    .option('--count <number>', `how many, up to ${MOST_EXERCISES}; one of each kind when absent`, parseExercises)
    .addOption(new Option('--html', 'print a page of HTML, to be printed').conflicts('json'))
    .option('--json', 'print JSON instead of text')
    .addHelpText('after', '\nExamples:\n  pagewalk quiz paging --seed 3\n  pagewalk quiz cow --seed 3 --solve')
    .action((topic: Topic | undefined, options: QuizCommandOptions) => {
      const { seed, solve, difficulty, count, html, json } = options;
      const result = makeQuiz(topic, seed, solve === true, { difficulty, count });
      if (json === true) printJson(result);
      else if (html === true) process.stdout.write(quizHtml(result));
      else process.stdout.write(quizText(result));
    });
}
