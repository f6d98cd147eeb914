/**
 * How much of what can go on for ever a run does. `npm test` takes a sample of every kind; `npm run test:long` does more of
 * the same. test/vitest.config.ts sets how many times as much: nowhere else is there a switch.
 */

import fc from 'fast-check';

const TIMES = Number(process.env.PAGEWALK_TEST_TIMES ?? 1);

/** How many random programs, schedules or rounds to run where a sample has `sample` of them; one at least. */
export function runs(sample: number): number {
  return Math.max(1, Math.round(sample * TIMES));
}

// Text is compared by its letters, so it comes without colours, also where CI asks programs for them.
process.env.NO_COLOR = '1';
delete process.env.FORCE_COLOR;

// Properties that name no number of runs: fast-check's own is 100. Vitest loads this before every test file.
fc.configureGlobal({ numRuns: runs(100) });
