import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { CountReporter } from './count-reporter.js';
import { LongestFirst } from './longest-first.js';
import { HANGING_MS } from './patience.js';

/** How many times as much `--mode long` runs of what test/runs.ts counts. */
const LONG = 20;

export default defineConfig(({ mode }) => {
  const times = mode === 'long' ? LONG : 1;
  return {
    test: {
      root: new URL('..', import.meta.url).pathname,
      include: ['test/**/*.test.ts'],
      setupFiles: ['test/runs.ts'],
      reporters: ['default', new CountReporter()],
      // As into a pipe, without colours, whatever the terminal is.
      env: { PAGEWALK_TEST_TIMES: String(times), NO_COLOR: '1', FORCE_COLOR: '' },
      // One core is left out by default, which on two cores means one test file at a time.
      maxWorkers: Math.max(2, availableParallelism() - 1),
      // Workers stay from file to file: vitest gives a new one 60 s to answer, which nothing can set, and a start for each
      // of a hundred files is a hundred chances to be late. Modules load once, too.
      isolate: false,
      sequence: { sequencer: LongestFirst },
      testTimeout: times * HANGING_MS,
      hookTimeout: HANGING_MS,
      teardownTimeout: HANGING_MS,
      // What is built runs as Node runs it, not as vite would read it.
      server: { deps: { external: [/\/dist\//] } },
    },
  };
});
