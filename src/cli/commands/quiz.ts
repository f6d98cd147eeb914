import { Argument, Command } from 'commander';
import { TOPICS } from '../../quiz/exercise.js';
import type { Topic } from '../../quiz/exercise.js';
import { makeQuiz, quizText } from '../../quiz/quiz.js';
import { parseSeed } from '../options.js';
import { printJson } from '../output.js';

interface QuizCommandOptions {
  readonly seed: number;
  readonly solve?: true;
  readonly json?: true;
}

/** `pagewalk quiz`: exercises. The model computes the answers. */
export function quizCommand(): Command {
  return new Command('quiz')
    .summary('exercises, and their answers with reasons')
    .description('Exercises made from the model: the same seed gives the same exercises.')
    .addArgument(new Argument('[TOPIC]', 'all of them when absent').choices(TOPICS))
    .option('--seed <number>', 'which exercises', parseSeed, 1)
    .option('--solve', 'with answers and reasoning')
    .option('--json', 'print JSON instead of text')
    .addHelpText('after', '\nExamples:\n  pagewalk quiz paging --seed 3\n  pagewalk quiz cow --seed 3 --solve')
    .action((topic: Topic | undefined, { seed, solve, json }: QuizCommandOptions) => {
      const result = makeQuiz(topic, seed, solve === true);
      if (json === true) printJson(result);
      else process.stdout.write(quizText(result));
    });
}
