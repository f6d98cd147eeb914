/** Parts shared by the results of several commands. */

import { z } from 'zod';

/** A whole number from 0 up: a count or a number of bytes. */
export const Count = z.int().nonnegative();

/** A measured or computed quantity from 0 up. */
export const Quantity = z.number().nonnegative();

/** Pages of every machine by name, smallest first; `+contig`: folios of several entries. */
export const PageName = z.enum([
  '4K',
  '4K+contig',
  '16K',
  '16K+contig',
  '64K',
  '64K+contig',
  '2M',
  '2M+contig',
  '32M',
  '512M',
  '1G',
]);

/** Pages by name: `4K`, `64K`, `4K+contig` and so on. */
export type PageName = z.infer<typeof PageName>;
