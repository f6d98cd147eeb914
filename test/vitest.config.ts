import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { CountReporter } from './count-reporter.js';
import { LongestFirst } from './longest-first.js';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    reporters: ['default', new CountReporter()],
    // One core is left out by default, which on two cores means one test file at a time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    // What is built runs as Node runs it, not as vite would read it.
    server: { deps: { external: [/\/dist\//] } },
  },
});
