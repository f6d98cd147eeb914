/** The result of `pagewalk fork`: one object; table, JSON and CSV are views of it. */

import { z } from 'zod';
import { SCHEMA_VERSION } from './schema-version.js';
import { Count } from './schema.js';

/** The pages that a fork was made with. */
const ForkPages = z.enum(['4K', '16K', '64K', '2M', '1G']);

/** The writers after the fork. */
const ScenarioName = z.enum(['child', 'parent', 'both', 'best', 'worst']);

/** The events after the fork, up to the last write of the scenario. */
const Scenario = z.strictObject({
  name: ScenarioName,
  cowFaults: Count.describe('write faults on pages that fork made read-only'),
  reused: Count.describe('those among them that copied nothing, because nobody else had the page any more'),
  bytesCopied: Count,
  invalidations: Count.describe('pages dropped from the TLB one by one (INVLPG)'),
  tlbFlushes: Count.describe('flushes of the whole TLB, switches between the two processes included'),
});

const ForkRun = z.strictObject({
  pages: ForkPages,
  entriesVisited: Count.describe('entries of the last level that fork looked at'),
  entriesCopied: Count.describe('entries that map memory, written into the tables of the child'),
  tableBytes: Count.describe('page tables that the child translates with'),
  spareTableBytes: Count.describe('tables set aside for the child, so that its huge pages can be split without fail'),
  invalidations: Count.describe('pages that the fork itself drops from the TLB one by one (INVLPG)'),
  tlbFlushes: Count.describe('flushes of the whole TLB by the fork itself'),
  /** Of the scenario asked for: the child writes its share, or with --exec replaces itself first. */
  cowFaults: Count,
  bytesCopied: Count,
  scenarios: z.array(Scenario),
});

/** What {@link forkCost} finds: the object behind table, JSON and CSV. */
export const ForkResult = z.strictObject({
  schemaVersion: z.literal(SCHEMA_VERSION),
  command: z.literal('fork'),
  machine: z.enum(['x86', 'riscv', 'aarch64']),
  residentBytes: Count,
  touchedShare: z.number().min(0).max(1),
  exec: z.boolean(),
  runs: z.array(ForkRun),
});

/** What {@link forkCost} finds: the object behind table, JSON and CSV. */
export type ForkResult = z.infer<typeof ForkResult>;
export type ForkRun = z.infer<typeof ForkRun>;
export type ForkPages = ForkRun['pages'];
export type ForkScenario = z.infer<typeof Scenario>;
