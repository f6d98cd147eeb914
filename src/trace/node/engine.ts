/** What runs a command for a recording and tells its accesses. */

import type { AccessBlock } from '../block.js';

export const ENGINE_NAMES = ['qemu', 'valgrind'] as const;
/** An engine: QEMU with a plugin, or valgrind. */
export type EngineName = (typeof ENGINE_NAMES)[number];

/** What a recording asks of an engine. */
export interface RecordingPlan {
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]];
  /** Accesses to pass over before the first that is kept. */
  readonly skip: number;
  /** Keep and count instruction fetches besides data accesses. */
  readonly fetches: boolean;
}

/** What comes through the pipe of one recording, as far as it has been read. */
export interface Listener {
  /** The accesses in the pipe's bytes; the block is the listener's own. */
  readonly blocks: (chunks: AsyncIterable<Uint8Array>) => AsyncGenerator<AccessBlock>;
  /** True once the engine has said anything of a program. */
  readonly heard: () => boolean;
  /** How many processes were traced, a program replaced by exec counting as one more. */
  readonly processes: () => number;
  /** Lines from the engine that were neither accesses nor marked as its own. */
  readonly skippedLines: () => number;
  /** Programs that ran outside the engine's sight. */
  readonly unseen: () => readonly string[];
  /** Processes that were killed before they could say what they had counted. */
  readonly unended: () => number;
  /** Instructions of all processes that ended; undefined where the engine counts none. */
  readonly instructions: () => number | undefined;
}

export interface Engine {
  readonly name: EngineName;
  /** Name and version, for the recording. */
  readonly tool: string;
  /** Accesses that the engine passes over itself; whoever reads passes over the rest of `skip`. */
  readonly skipsItself: boolean;
  /** The words that run the command under the engine, which writes to `pipe`; may put files beside the pipe. */
  readonly start: (pipe: string, plan: RecordingPlan) => Promise<readonly [string, ...string[]]>;
  readonly listen: () => Listener;
}

/** Why an engine cannot record, in words for the person who asked: what is missing, and how to get it. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
}
