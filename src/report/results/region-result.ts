/** Regions and actions as parts of results: the forms that are checked. Their types stand in src/regions. */

import { z } from 'zod';
import { OBSTACLES } from '../../regions/backing.js';
import type { Obstacle } from '../../regions/backing.js';
import { REGION_KINDS } from '../../regions/region.js';
import { Count } from './schema.js';

const Cause = z.enum(Object.keys(OBSTACLES) as Obstacle[]);
const Address = z.string().regex(/^0x[0-9a-f]+$/);

const Added = z
  .strictObject({
    atFaults: Count.describe('a fault takes a whole huge page'),
    byKhugepaged: Count.describe('khugepaged leaves 2 MiB alone with too many pages missing (max_ptes_none)'),
  })
  .nullable()
  .describe('memory that huge pages would add; null: the places of the pages are not known');

/** A region of a process. */
export const RegionResult = z.strictObject({
  start: Address.describe('first address'),
  end: Address.describe('the address after the last one'),
  permissions: z.string().describe('such as rw-p'),
  kind: z.enum(REGION_KINDS),
  name: z.string().describe('path, or [heap] and the like, or empty'),
  mappedBytes: Count,
  residentBytes: Count,
  hugeBytes: Count.describe('mapped by huge entries'),
  couldBytes: Count.describe('resident memory that Linux could back by huge pages under its settings, if asked'),
  byItself: z.boolean().describe('Linux makes huge pages there without being asked again'),
  addedBytes: Added,
  whyNot: Cause.nullable().describe('what keeps most of it small; null: nothing does'),
  hindered: z
    .array(z.strictObject({ obstacle: Cause, bytes: Count }))
    .readonly()
    .describe('mapped bytes kept small, by cause'),
});

/** Something to do about huge pages. */
export const ActionResult = z.strictObject({
  id: z.string(),
  title: z.string(),
  how: z.string().describe('the setting, command or call'),
  bytes: Count.describe('the resident memory in question'),
  regions: z.array(z.string()).readonly().describe('the largest regions of it'),
  price: z.strictObject({
    effect: z.enum(['adds', 'saves', 'sets aside']).describe('what happens to the memory'),
    addedBytes: Added,
    memory: z.string(),
    fork: z.string(),
  }),
  source: z.string().describe('where that is written'),
});
