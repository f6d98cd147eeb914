/** The metadata of a packed trace. */

import { z } from 'zod';

const traceMetadata = z.object({
  /** The recorded command, word by word, as it was given. */
  command: z.array(z.string()).min(1),
  /** The recorder, such as `valgrind-3.19.0 lackey`. */
  tool: z.string(),
  /** Accesses passed over before the first in the file. */
  skip: z.number().int().nonnegative(),
  /** The most accesses to be kept; `null` when all were. */
  limit: z.number().int().positive().nullable(),
  /** True when instruction fetches were kept, and counted by skip and limit, besides data accesses. */
  fetches: z.boolean(),
  /**
   * How many processes the accesses are of, counting again after each exec: each has an address space of its own, and
   * the file does not tell them apart. `null` or absent: unknown.
   */
  processes: z.number().int().positive().nullable().optional(),
  /** What ran the program: `qemu` or `valgrind`; absent in files of before. */
  engine: z.string().optional(),
  /** How many programs ran outside the engine's sight, so that their accesses are missing; absent: none. */
  unseen: z.number().int().positive().optional(),
  /** Instructions of the whole run, where the engine counted them to the end. */
  instructions: z.number().int().nonnegative().optional(),
  /** The part between skip and limit was chosen for its own sake, and stands for no more; absent: it was not. */
  windowChosen: z.boolean().optional(),
});

/** What a packed recording says about itself. */
export type TraceMetadata = z.infer<typeof traceMetadata>;

/** The metadata in JSON text, or `undefined` when the text is anything else. */
export function parseMetadata(text: string): TraceMetadata | undefined {
  try {
    return traceMetadata.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
