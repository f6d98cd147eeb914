/** The result of `pagewalk try`: one object; table and JSON are views of it. */

import { z } from 'zod';
import { SCHEMA_VERSION } from './schema-version.js';
import { Count, Quantity } from './schema.js';

const Range = z
  .strictObject({
    median: Quantity,
    low: Quantity.describe('of a range that holds the true median with the chance `confidence`'),
    high: Quantity,
    min: Quantity,
    max: Quantity,
  })
  .nullable()
  .describe('time with base pages over time with huge ones, by pairs; null where a time was too short to measure');

/** Medians over the runs of one side; times in seconds. */
const Side = z.strictObject({
  pages: z.enum(['base', 'huge']),
  user: Quantity,
  system: Quantity,
  wall: Quantity,
  minorFaults: Quantity,
  majorFaults: Quantity,
  /** At the moment with the most anonymous memory; null when it could not be seen. */
  memory: z.strictObject({ resident: Quantity, anonymous: Quantity, huge: Quantity }).nullable(),
});

/** What decides over huge pages on this machine. */
const System = z.strictObject({
  setting: z.enum(['always', 'madvise', 'never']).describe('transparent_hugepage/enabled'),
  basePageBytes: Count,
  hugePageBytes: Count,
  glibc: z.string().nullable().describe('the version; null for another C library'),
});

const Measured = z.strictObject({
  pages: z.enum(['base', 'huge']),
  user: Quantity,
  system: Quantity,
  wall: Quantity,
  minorFaults: Count,
  majorFaults: Count,
  anonymous: Count.nullable(),
  huge: Count.nullable(),
});

/** What {@link tryInPairs} finds: the object behind table and JSON. */
export const TryResult = z.strictObject({
  schemaVersion: z.literal(SCHEMA_VERSION),
  command: z.literal('try'),
  program: z.array(z.string()).describe('command and arguments'),
  system: System,
  means: z.array(z.string()).describe('how huge pages were forbidden, and asked for'),
  pairs: Count,
  confidence: z.number().min(0).max(1),
  speedup: z.strictObject({ user: Range, system: Range, total: Range, wall: Range }),
  sides: z.tuple([Side, Side]),
  verdict: z.enum(['yes', 'no', 'between', 'none']).describe('is at least 3 % of user time saved?'),
  answer: z.string(),
  notes: z.array(z.string()),
  otherLoad: Quantity.describe('processors that other programs kept busy meanwhile, on average'),
  runs: z.array(Measured).describe('in the order of their running; the first, a warm-up, is left out'),
});

export type TryResult = z.infer<typeof TryResult>;
export type TrySide = z.infer<typeof Side>;
