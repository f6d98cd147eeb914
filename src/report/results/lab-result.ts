/** The result of a lab: one object; terminal text and JSON are views of it, and the page plays it step by step. */

import { z } from 'zod';
import { Count, Quantity, SCHEMA_VERSION } from './schema.js';

const Figure = z.union([z.number(), z.string(), z.boolean()]);

/** A piece of an arena: a segment, or a hole when it has no name. */
const Piece = z.strictObject({ base: Count, bytes: Count, name: z.string().optional() });

const Arena = z.strictObject({ base: Count, bytes: Count, pieces: z.array(Piece).describe('in address order') });

const Step = z.strictObject({
  text: z.string().describe('what happens'),
  evidence: z.array(z.string()).describe('what the machine shows for it'),
  arena: Arena.optional(),
});

const SchemeCost = z.strictObject({
  bytesCopied: Count,
  tableBytes: Count.describe('page tables, or descriptors, of all processes, at their most'),
  faults: Count,
  flushes: Count.describe(
    'invalidations of the TLB, or segment registers reloaded; changes of the running process included',
  ),
  modelCycles: Quantity.describe('by the weights of the model, for everything the lab did'),
  largestPause: Quantity.describe('model cycles of the longest single fault or system call'),
});

/** What a lab found, step by step. */
export const LabResult = z.strictObject({
  schemaVersion: z.literal(SCHEMA_VERSION),
  command: z.literal('lab'),
  name: z.string(),
  title: z.string(),
  steps: z.array(Step),
  figures: z.record(z.string(), Figure).describe('measured by this run'),
  expected: z
    .record(z.string(), Figure)
    .describe('what must come out, for the figures that the textbook or the rule behind it gives'),
  comparison: z.strictObject({ segmentation: SchemeCost, paging: SchemeCost }).optional(),
});

export type Figure = z.infer<typeof Figure>;
export type ArenaDrawing = z.infer<typeof Arena>;
export type LabStep = z.infer<typeof Step>;
/** What a lab found, step by step. */
export type LabResult = z.infer<typeof LabResult>;
export type SchemeCost = z.infer<typeof SchemeCost>;

/** The costs in reading order, with their names. */
export const COST_LABELS: readonly (readonly [keyof SchemeCost, string])[] = [
  ['bytesCopied', 'bytes copied'],
  ['tableBytes', 'table bytes'],
  ['faults', 'faults'],
  ['flushes', 'flushes'],
  ['modelCycles', 'model cycles'],
  ['largestPause', 'largest single pause'],
];
