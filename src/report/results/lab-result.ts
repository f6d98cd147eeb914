/** The result of a lab: one object; terminal text and JSON are views of it, and the page plays it step by step. */

import { z } from 'zod';
import { SCHEMA_VERSION } from './schema-version.js';
import { Count, Quantity } from './schema.js';

const Figure = z.union([z.number(), z.string(), z.boolean()]);

/** A piece of an arena: a segment, or a hole when it has no name. */
const Piece = z.strictObject({ base: Count, bytes: Count, name: z.string().optional() });

const Arena = z.strictObject({ base: Count, bytes: Count, pieces: z.array(Piece).describe('in address order') });

const Table = z.strictObject({
  head: z.array(z.string()),
  rows: z.array(z.array(z.string())),
  bars: z.array(Quantity).optional().describe('the length of a bar behind each row, in any unit'),
});

const Mapping = z.strictObject({
  who: z.string().describe('a process, or a part of it'),
  at: z.string().describe('its own name for the memory: an address or a selector'),
  to: z.string().describe('the memory: a frame, or a segment by its base'),
  rights: z.string().describe('what the entry or descriptor allows'),
});

const Lines = z.strictObject({
  x: z.string().describe('what the points lie over'),
  y: z.string().describe('what is counted'),
  series: z.array(z.strictObject({ name: z.string(), points: z.array(z.tuple([Quantity, Quantity])) })),
});

const Step = z.strictObject({
  text: z.string().describe('what happens'),
  evidence: z.array(z.string()).describe('what the machine shows for it'),
  table: Table.optional().describe('more of the evidence, in columns'),
  arena: Arena.optional(),
  mappings: z.array(Mapping).optional().describe('who has which memory now'),
  lines: Lines.optional().describe('how the evidence grows'),
  why: z.string().optional().describe('why it is right, where it looks wrong'),
});

const ChapterCell = z.strictObject({
  says: z.string().describe('the words for this figure, as the chapter has them'),
  sentence: z.string().describe('the words around them'),
  section: z.string().describe('where they stand'),
  agrees: z.boolean().describe('whether the machine does as the chapter says'),
  because: z.string().optional().describe('why not'),
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
  machine: z.enum(['riscv', 'aarch64']).optional().describe('x86 when absent'),
  steps: z.array(Step),
  figures: z.record(z.string(), Figure).describe('measured by this run'),
  labels: z.record(z.string(), z.string()).describe('what each figure is, in words'),
  measuredAt: z.record(z.string(), Count).describe('the number of the last step before each figure, from 0'),
  chapter: z.record(z.string(), ChapterCell).describe('what the textbook chapter says of a figure'),
  expected: z.record(z.string(), Figure).describe("what pagewalk's own rules say must come out"),
  comparison: z
    .strictObject({
      workload: z.string().describe('what both schemes did'),
      segmentation: SchemeCost,
      paging: SchemeCost,
    })
    .optional(),
});

export type Figure = z.infer<typeof Figure>;
export type ArenaDrawing = z.infer<typeof Arena>;
export type ChapterCell = z.infer<typeof ChapterCell>;
export type LabTable = z.infer<typeof Table>;
/** Counts that grow, as points of a plot. */
export type LabLines = z.infer<typeof Lines>;
/** Memory that somebody has. */
export type LabMapping = z.infer<typeof Mapping>;
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

/** What the lab is about, and the machine it ran on if it was not x86. */
export function labTitle({ title, machine }: Pick<LabResult, 'title' | 'machine'>): string {
  return machine === undefined ? title : `${title}; on ${machine}`;
}
