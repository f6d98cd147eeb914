/**
 * The prices of a machine: what its instructions, data caches, page walks, first touches and forks cost, in
 * nanoseconds. A preset gives one, and `pagewalk calibrate` writes one that it measured on its host.
 * docs/time-model.md says how they become a speed-up.
 */

import { z } from 'zod';
import { PRICES_VERSION } from './schema-version.js';
import { PageName } from './schema.js';

/** The longest time that a single event may take: a second. Sums over any trace then stay finite. */
const MOST_NS = 1e9;
const Nanoseconds = z.number().min(0).max(MOST_NS);
const Time = z.number().positive().max(MOST_NS);
/** Events under way at once. */
const InFlight = z.number().min(1).max(1024);

/** The machine that was measured. Prices of another are refused without `--force`. */
export const PricedHost = z.strictObject({
  name: z.string().describe('as uname -n has it'),
  cpu: z.string().describe('the model name of /proc/cpuinfo'),
  kernel: z.string().describe('as uname -r has it'),
  cores: z.int().positive(),
});

/** One level of data caches, with lines of 64 bytes. */
const PricedCache = z.strictObject({
  bytes: z.int().positive().describe('what one core may fill of it'),
  ways: z.int().positive(),
  ns: Time.describe('a load that waits for the one before and is answered here'),
});

/** A level that cores share. */
const SharedCache = PricedCache.extend({
  shareBytes: z
    .int()
    .positive()
    .optional()
    .describe('what is left to one core where all use theirs, or to lines that come again late; absent: all of it'),
});

/** The first touch of a page: a page fault, and the zeroing of its bytes. */
const FirstTouch = z.strictObject({
  faultNs: Nanoseconds.describe('system time of a fault, without the zeroing'),
  zeroNsPerByte: Nanoseconds,
});

/** Loads over one array, measured: the ground of the prices. */
const PricedLoads = z.strictObject({
  bytes: z.int().positive().describe('the array; every load goes to a random line of it'),
  pages: z.enum(['4K', '2M']),
  dependentNs: Time.describe('a load whose address is what the load before it found'),
  independentNs: Time.describe('a load whose address is known long before'),
});

/** Streams over one array, measured. */
const PricedStreams = z.strictObject({
  bytes: z.int().positive().describe('the array'),
  pages: z.enum(['4K', '2M']),
  streams: z.union([z.literal(1), z.literal(3)]).describe('one reads all of it; three read two thirds and change one'),
  inStep: z.literal(true).optional().describe('three that come to the ends of their pages at once'),
  pageNs: Time.describe('4 KiB of a stream'),
});

/** The form of a file of prices: for `compare --costs`. */
export const MachinePrices = z.strictObject({
  version: z.literal(PRICES_VERSION),
  source: z.string().describe('where the numbers come from'),
  file: z
    .strictObject({ name: z.string(), prices: z.array(z.string()) })
    .optional()
    .describe("prices of a file that names no host, in place of a preset's"),
  host: PricedHost.optional().describe('absent for a preset, which stands for no single machine'),
  nsPerInstruction: Time.describe('at its best: all in the first-level cache, and nothing waits'),
  nsPerCycle: Time.describe('an addition that waits for the one before'),
  caches: z.strictObject({ l1: PricedCache, l2: PricedCache, l3: SharedCache.nullable() }),
  memoryNs: Time.describe('a load that waits for the one before and is answered by memory'),
  missesInFlight: InFlight.describe('first-level data cache misses under way at once'),
  walksInFlight: InFlight.describe('page walks under way at once'),
  walkFactor: z
    .strictObject({
      low: Time,
      high: Time,
      overlapped: z
        .array(z.strictObject({ bytes: z.int().positive(), factor: Time, misses: InFlight }))
        .optional()
        .describe(
          'loads that wait for nothing, by array: what walks add to them, over the same, and the misses under way besides; absent: high over walksInFlight, and missesInFlight',
        ),
      tlb: z
        .string()
        .optional()
        .describe('the TLB that it was fitted with: compare fits it anew for another; absent: any'),
    })
    .refine(({ low, high }) => low <= high, { error: 'expected low to be high or less' })
    .describe('what a walk takes, over what its reads would take one after the other'),
  l2TlbHitNs: Nanoseconds.describe('what a second-level TLB hit adds to a load that others wait for'),
  nested: z
    .enum(['none', '4K', '2M', '1G'])
    .describe(
      "the host's pages below a virtual machine's; none on bare metal. 4K where 2 MiB pages spare no TLB misses",
    ),
  firstTouch: z.partialRecord(PageName, FirstTouch),
  forkNsPerEntry: Nanoseconds.describe('of a fork, for each page-table entry copied'),
  loads: z.array(PricedLoads).optional(),
  streams: z.array(PricedStreams).optional(),
});

export type PricedHost = z.infer<typeof PricedHost>;
export type PricedCache = z.infer<typeof PricedCache>;
/** The prices of a machine, in nanoseconds. */
export type MachinePrices = z.infer<typeof MachinePrices>;
