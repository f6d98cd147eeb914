/** A packed trace's words besides its accesses: metadata in its header, facts at its end. */

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
   * If they are not told apart, how many processes the accesses are of, counting again after each exec. `null` or
   * absent: unknown; in a file of version 2 the facts say it.
   */
  processes: z.number().int().positive().nullable().optional(),
  /** The engine of the recording: `qemu` or `valgrind`; absent in files of before. */
  engine: z.string().optional(),
  /** Accesses of a window; absent if the recording has no gaps. */
  window: z.number().int().positive().optional(),
  /** In files of version 1: how many programs ran outside the engine's sight; absent: none. */
  unseen: z.number().int().positive().optional(),
  /** In files of version 1: instructions of the whole run, if the engine counted them to the end. */
  instructions: z.number().int().nonnegative().optional(),
  /** The part between skip and limit was chosen for its own sake, and stands for no more; absent: it was not. */
  windowChosen: z.boolean().optional(),
});

const count = z.number().int().nonnegative();

const region = z.object({
  start: count,
  end: count,
  permissions: z.string(),
  name: z.string(),
  offset: count,
  pageBytes: count,
  advice: z.enum(['huge', 'nohuge', 'none']),
  stack: z.boolean().optional(),
  residentBytes: count,
  cameAt: count,
  wentAt: count.nullable(),
});

const traceFacts = z.object({
  /** Accesses of the whole run, recorded or only counted. */
  accesses: count.optional(),
  instructions: count.optional(),
  ending: z
    .object({ code: z.number().int().nullable(), signal: z.string().nullable() })
    .or(z.enum(['stopped', 'interrupted']))
    .optional(),
  /** By their numbers in the turns of blocks; empty if the accesses do not tell them apart. */
  processes: z.array(
    z.object({
      pid: count,
      program: z.string(),
      origin: z.enum(['command', 'fork', 'exec']),
      accesses: count.optional(),
      instructions: count.optional(),
      residentBytes: count.optional(),
      threads: z.array(z.object({ tid: count, name: z.string().optional(), accesses: count.optional() })),
      regions: z.array(region),
    }),
  ),
  /** How many processes are mixed, if their accesses do not tell them apart. */
  mixed: count.optional(),
  /** Programs outside the engine's sight. */
  unseen: z.array(z.string()),
});

/** The facts of a run at its end. */
export type TraceFacts = z.infer<typeof traceFacts>;

/** The facts in JSON text, or `undefined` when the text is anything else. */
export function parseFacts(text: string): TraceFacts | undefined {
  try {
    return traceFacts.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** A packed recording's words about itself. */
export type TraceMetadata = z.infer<typeof traceMetadata>;

/** The metadata in JSON text, or `undefined` when the text is anything else. */
export function parseMetadata(text: string): TraceMetadata | undefined {
  try {
    return traceMetadata.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
