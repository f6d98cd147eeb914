/** Hexadecimal words in recordings. */

import { z } from 'zod';
import type { Word64 } from '../../../hw/base/address.js';
import { parseAddress } from '../../../hw/base/address.js';
import { shortened } from '../../report/output/printable.js';

/** Text such as `0x1f` as a {@link Word64}. */
export const hexWord = z.string().transform((text, context): Word64 => {
  const word = /^0x/i.test(text) ? parseAddress(text) : undefined;
  if (word) return word;
  context.addIssue({
    code: 'custom',
    message: `expected a hexadecimal number of at most 64 bits, found '${shortened(text)}'`,
  });
  return z.NEVER;
});

/** A structure in memory: its physical address and its value. */
export const stored = z.tuple([hexWord, hexWord]);
export type Stored = z.infer<typeof stored>;

/** Fields about a recording's origin: how sure it is, who said it, and known quirks. Nothing depends on them. */
export const origin = {
  conf: z.string().optional(),
  by: z.array(z.string()).optional(),
  q: z.array(z.string()).optional(),
};

/** The number or name of a case. */
export const id = z.union([z.number(), z.string()], 'expected a number or a string');
