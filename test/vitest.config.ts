import { defineConfig } from 'vitest/config';
import { CountReporter } from './count-reporter.js';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    reporters: ['default', new CountReporter()],
    testTimeout: 60_000,
  },
});
