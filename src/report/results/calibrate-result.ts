/** The result of `pagewalk calibrate`: one object; table, plot and JSON are views of it. */

import { z } from 'zod';
import { MachinePrices } from './prices.js';
import { SCHEMA_VERSION } from './schema-version.js';
import { Count, Quantity } from './schema.js';

/** The names of figures, and of the samples behind them: `calibrate.c` has their meanings. */
export const FIGURE_NAMES = [
  'cycle',
  'instruction',
  'dependent',
  'independent',
  'lap',
  'sparse-dependent',
  'sparse-independent',
  'stream',
  'three-streams',
  'streams-in-step',
  'touch',
  'look',
  'fork',
] as const;

const Figure = z.strictObject({
  name: z.enum(FIGURE_NAMES),
  pages: z.enum(['4K', '2M']),
  bytes: Count.describe('the array; 0 for none'),
  ns: Quantity.describe('the median, in nanoseconds an event'),
  low: Quantity.describe('a quarter of the samples lie below'),
  high: Quantity.describe('a quarter of the samples lie above'),
  samples: Count,
});

/** What {@link calibrate} finds: the object behind table, plot and JSON. */
export const CalibrateResult = z.strictObject({
  schemaVersion: z.literal(SCHEMA_VERSION),
  command: z.literal('calibrate'),
  seconds: Quantity.describe('how long it took'),
  prices: MachinePrices.partial().describe('what the file holds; compare takes the rest from a preset'),
  figures: z.array(Figure).describe('all that was measured'),
  notes: z.array(z.string()),
});

export type CalibrateResult = z.infer<typeof CalibrateResult>;
export type CalibrateFigure = z.infer<typeof Figure>;
