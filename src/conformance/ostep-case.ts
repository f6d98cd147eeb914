/**
 * The contents of a recorded line of an OSTEP homework simulator: the parameters of a machine and its answers.
 *
 * Addresses and sizes are plain numbers, in bytes.
 */

import { z } from 'zod';

const natural = z
  .int()
  .min(0)
  .max(2 ** 32);
const positive = natural.min(1);
const seed = z.int();
const powerOfTwo = positive.refine((value) => Number.isInteger(Math.log2(value)), 'expected a power of two');
/** `[virtual, physical]`; null: the address is refused. */
const accesses = z.array(z.tuple([natural, natural.nullable()])).min(1);
const segment = z.object({ base: natural, limit: natural });
const hole = z.tuple([natural, positive]);
const step = z.tuple([natural, z.boolean(), natural.nullable()]);

const page = z.string().regex(/^([0-9a-f]{2})+$/, 'expected pairs of the digits 0 to 9 and a to f');

/** Any line of a recording; unknown fields are ignored. */
export const ostepCase = z
  .discriminatedUnion('fam', [
    z.object({
      fam: z.literal('linear'),
      seed,
      pageBytes: powerOfTwo,
      spaceBytes: powerOfTwo,
      physBytes: positive,
      /** A word a page: bit 31 valid, the rest the frame. */
      table: z.array(natural.max(2 ** 32 - 1)).min(1),
      accesses,
    }),
    z.object({
      fam: z.literal('multilevel'),
      seed,
      pageBytes: powerOfTwo,
      vaBits: positive.max(32),
      paBits: positive.max(32),
      /** The frame of the directory. */
      root: natural,
      /** Physical memory. */
      pages: z.array(page).min(1),
      accesses: z
        .array(
          z.union([
            z.tuple([natural, natural, natural.max(255)]),
            z.tuple([natural, z.null(), z.enum(['directory', 'table'])]),
          ]),
        )
        .min(1),
    }),
    z.object({
      fam: z.literal('segments'),
      seed,
      spaceBytes: powerOfTwo,
      physBytes: positive,
      up: segment,
      down: segment,
      accesses,
    }),
    z.object({ fam: z.literal('base-bounds'), seed, base: natural, limit: natural, accesses }),
    z.object({
      fam: z.literal('replacement'),
      seed,
      policy: z.enum(['FIFO', 'LRU', 'OPT']),
      frames: positive.max(2 ** 20),
      /** Page, whether it was there, and the page replaced. */
      steps: z.array(step).min(1),
    }),
    z.object({
      fam: z.literal('allocation'),
      seed,
      policy: z.enum(['FIRST', 'BEST', 'WORST']),
      order: z.enum(['ADDRSORT', 'SIZESORT+', 'SIZESORT-', 'INSERT-FRONT', 'INSERT-BACK']),
      coalesce: z.boolean().default(false),
      size: positive,
      base: natural,
      header: natural,
      /** -1: sizes are not rounded. */
      align: z.union([positive, z.literal(-1)]),
      ops: z
        .array(
          z.discriminatedUnion('op', [
            z.object({
              op: z.literal('alloc'),
              ptr: natural,
              size: positive,
              at: z.union([natural, z.literal(-1)]),
              holes: z.array(hole),
            }),
            z.object({ op: z.literal('free'), ptr: natural, holes: z.array(hole) }),
          ]),
        )
        .min(1),
    }),
  ])
  .superRefine((value, context) => {
    const complain = (path: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [path], message });
    };
    if (value.fam === 'linear' && value.table.length !== value.spaceBytes / value.pageBytes) {
      const want = value.spaceBytes / value.pageBytes;
      complain('table', `expected ${want} entries, spaceBytes / pageBytes, found ${value.table.length}`);
    }
    if (value.fam !== 'multilevel') return;
    const { pages, pageBytes, paBits } = value;
    if (pages.length * pageBytes !== 2 ** paBits) {
      complain('pages', `expected ${2 ** paBits / pageBytes} of them for paBits ${paBits}, found ${pages.length}`);
    }
    const odd = pages.findIndex((text) => text.length !== 2 * pageBytes);
    if (odd >= 0) complain('pages', `page ${odd} has ${pages[odd].length / 2} bytes, not pageBytes ${pageBytes}`);
  });

export type OstepCase = z.infer<typeof ostepCase>;
/** A recorded line of one family. */
export type OstepCaseOf<Family extends OstepCase['fam']> = Extract<OstepCase, { fam: Family }>;
