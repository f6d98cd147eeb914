/** A packed trace's words besides its accesses: metadata in its header, facts at its end. */

import {
  count,
  either,
  listOf,
  nullable,
  oneOf,
  optional,
  parseJson,
  positive,
  objectOf,
  text,
  truth,
  whole,
} from './json-shape.js';

const traceMetadata = objectOf({
  /** The recorded command, word by word, as it was given. */
  command: listOf(text, 1),
  /** The recorder, such as `valgrind-3.19.0 lackey`. */
  tool: text,
  /** Accesses passed over before the first in the file. */
  skip: count,
  /** The most accesses to be kept; `null` when all were. */
  limit: nullable(positive),
  /** True when instruction fetches were kept, and counted by skip and limit, besides data accesses. */
  fetches: truth,
  /**
   * If they are not told apart, how many processes the accesses are of, counting again after each exec. `null` or
   * absent: unknown; in a file of version 2 the facts say it.
   */
  processes: optional(nullable(positive)),
  /** The engine of the recording: `qemu` or `valgrind`; absent in files of before. */
  engine: optional(text),
  /** Accesses of a window; absent if the recording has no gaps. */
  window: optional(positive),
  /** In files of version 1: how many programs ran outside the engine's sight; absent: none. */
  unseen: optional(positive),
  /** In files of version 1: instructions of the whole run, if the engine counted them to the end. */
  instructions: optional(count),
  /** The part between skip and limit was chosen for its own sake, and stands for no more; absent: it was not. */
  windowChosen: optional(truth),
});

const region = objectOf({
  start: count,
  end: count,
  permissions: text,
  name: text,
  offset: count,
  pageBytes: count,
  advice: oneOf('huge', 'nohuge', 'none'),
  stack: optional(truth),
  residentBytes: count,
  cameAt: count,
  wentAt: nullable(count),
});

const traceFacts = objectOf({
  /** Accesses of the whole run, recorded or only counted. */
  accesses: optional(count),
  instructions: optional(count),
  ending: optional(
    either(objectOf({ code: nullable(whole), signal: nullable(text) }), oneOf('stopped', 'interrupted')),
  ),
  /** By their numbers in the turns of blocks; empty if the accesses do not tell them apart. */
  processes: listOf(
    objectOf({
      pid: count,
      program: text,
      origin: oneOf('command', 'fork', 'exec'),
      accesses: optional(count),
      instructions: optional(count),
      residentBytes: optional(count),
      threads: listOf(objectOf({ tid: count, name: optional(text), accesses: optional(count) })),
      regions: listOf(region),
    }),
  ),
  /** How many processes are mixed, if their accesses do not tell them apart. */
  mixed: optional(count),
  /** Programs outside the engine's sight. */
  unseen: listOf(text),
});

/** The facts of a run at its end. */
export type TraceFacts = ReturnType<typeof traceFacts>;

/** The facts in JSON text, or `undefined` when the text is anything else. */
export function parseFacts(json: string): TraceFacts | undefined {
  return parseJson(json, traceFacts);
}

/** A packed recording's words about itself. */
export type TraceMetadata = ReturnType<typeof traceMetadata>;

/** The metadata in JSON text, or `undefined` when the text is anything else. */
export function parseMetadata(json: string): TraceMetadata | undefined {
  return parseJson(json, traceMetadata);
}
