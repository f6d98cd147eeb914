/** What `pagewalk fork` finds: one object, of which table, JSON and CSV are views. */

import { z } from 'zod';
import { Count, PageName, SCHEMA_VERSION } from './schema.js';

/** What happened after the fork, until everyone had written what the scenario says. */
const Aftermath = z.strictObject({
  cowFaults: Count.describe('page faults by writing to a page that fork made read-only'),
  bytesCopied: Count,
  tlbFlushes: Count,
});

const ForkRun = z.strictObject({
  pages: PageName,
  residentBytes: Count,
  entriesVisited: Count,
  entriesCopied: Count.describe('entries that map memory, written into the tables of the child'),
  tableBytes: Count.describe('page tables that the child got'),
  tlbFlushes: Count.describe('flushes that the fork itself needs'),
  /** Of the scenario that the options ask for: the child writes its share, or with --exec replaces itself first. */
  cowFaults: Count,
  bytesCopied: Count,
  scenarios: z.strictObject({
    child: Aftermath.describe('the child writes the share'),
    parent: Aftermath.describe('the parent writes it'),
    both: Aftermath.describe('the child writes it, then the parent'),
    best: Aftermath.describe('the child execs at once, then the parent writes the share'),
    worst: Aftermath.describe('both write everything'),
  }),
});

export const ForkResult = z.strictObject({
  schemaVersion: z.literal(SCHEMA_VERSION),
  command: z.literal('fork'),
  residentBytes: Count,
  touchedShare: z.number().min(0).max(1),
  exec: z.boolean(),
  runs: z.array(ForkRun),
});

export type ForkResult = z.infer<typeof ForkResult>;
export type ForkRun = z.infer<typeof ForkRun>;
export type Aftermath = z.infer<typeof Aftermath>;
