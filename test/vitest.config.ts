import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { CountReporter } from './runner/count-reporter.js';
import { LongestFirst } from './runner/longest-first.js';
import { compiled } from './runner/compiled.js';
import { HANGING_MS } from './runner/patience.js';

/** How many times as much `--mode long` runs of what test/runs.ts counts, and how much `npm test`: it has three minutes. */
const LONG = 20;
const SHORT = 0.5;

/**
 * Tests that start programs have workers of their own. What models of other tests reserve stays with their worker for a
 * while, and Linux refuses a program to a process that holds more than the machine has.
 */
const STARTING_PROGRAMS = [
  'test/*.test.ts',
  'test/bench/**/*.test.ts',
  'test/src/{cli,host,inspect,trace}/**/*.test.ts',
  'test/src/conformance/command.test.ts',
  'test/src/{compare/jobs,course}/**/{jobs,sandbox}.test.ts',
  'test/web/*.browser.test.ts',
];

export default defineConfig(({ mode }) => {
  const times = mode === 'long' ? LONG : SHORT;
  // What the mode decides stands in the projects: they read the rest of this file anew, without the mode.
  const env = { PAGEWALK_TEST_TIMES: String(times) };
  const testTimeout = Math.max(1, times) * HANGING_MS;
  const project = (
    name: string,
    groupOrder: number,
    include: string[],
    exclude: string[] = [],
    execArgv: string[] = [],
  ) => ({
    extends: true as const,
    test: { name, include, exclude, env, testTimeout, execArgv, sequence: { groupOrder } },
  });
  return {
    plugins: [compiled()],
    test: {
      root: new URL('..', import.meta.url).pathname,
      projects: [
        project('programs', 0, STARTING_PROGRAMS),
        // Models allocate much memory, so collections are many: where all cores work, helping threads cost more than they
        // save. They free memory sooner, as starting programs needs.
        project('units', 1, ['test/**/*.test.ts'], STARTING_PROGRAMS, ['--single-threaded-gc']),
      ],
      globalSetup: ['test/runner/build.ts'],
      setupFiles: ['test/runs.ts'],
      reporters: ['default', new CountReporter()],
      // One core is left out by default. One worker more than cores works while others wait for a browser or a program.
      maxWorkers: availableParallelism() + 1,
      // Workers stay from file to file: vitest gives a new one 60 s to answer, which nothing can set, and a start for each
      // of a hundred files is a hundred chances to be late. Modules load once, too.
      isolate: false,
      sequence: { sequencer: LongestFirst },
      hookTimeout: HANGING_MS,
      teardownTimeout: HANGING_MS,
      // What is built runs as Node runs it, not as vite would read it.
      server: { deps: { external: [/\/dist\//] } },
    },
  };
});
