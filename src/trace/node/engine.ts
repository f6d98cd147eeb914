/** The means to run a command for a recording and to tell its accesses. */

import type { AccessBlock } from '../block.js';
import type { TraceFacts } from '../packed/metadata.js';
import type { WindowPlan } from '../windows.js';

export const ENGINE_NAMES = ['qemu', 'valgrind'] as const;
/** An engine: QEMU with a plugin, or valgrind. */
export type EngineName = (typeof ENGINE_NAMES)[number];

/** A recording's demands on an engine. */
export interface RecordingPlan {
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]];
  /** Accesses to pass over before the first one kept. */
  readonly skip: number;
  /** Keep and count instruction fetches besides data accesses. */
  readonly fetches: boolean;
  /** Windows over the run by the rule of windows.ts, or all in one piece. */
  readonly windows: Omit<WindowPlan, 'from'> | 'whole';
  /** A function of the program: its first call begins the recording. */
  readonly startAt?: string | undefined;
  /** Seconds until the recording begins. */
  readonly startAfter?: number | undefined;
}

/** A command under an engine. */
export interface EngineRun {
  /** The words to run it. */
  readonly words: readonly [string, ...string[]];
  /** The places of windows; undefined until their beginning is known. */
  readonly plan: () => WindowPlan | undefined;
  /** Windows begin now. */
  readonly beginNow: () => void;
  /** Accesses so far, those between windows too; undefined if only the accesses through the pipe are known. */
  readonly position: () => number | undefined;
}

/** An engine's report of the run at its end. */
export type EngineFacts = Pick<TraceFacts, 'processes' | 'mixed' | 'unseen' | 'accesses' | 'instructions'>;

/** The content of the pipe of one recording, as far as it has been read. */
export interface Listener {
  /** The accesses in the pipe's bytes; the block is the listener's own. */
  readonly blocks: (chunks: AsyncIterable<Uint8Array>) => AsyncGenerator<AccessBlock>;
  /**
   * Of all accesses, those of the windows that are there at the end.
   * @param blocks those of {@link blocks}, cut to windows unless the engine does that
   * @param path of a new file for the time between, beside the pipe
   * @throws EngineError when an engine could not keep them
   */
  readonly staying: (
    blocks: AsyncIterable<AccessBlock>,
    plan: () => WindowPlan | undefined,
    path: string,
  ) => AsyncGenerator<AccessBlock>;
  /** True once the engine has said anything of a program. */
  readonly heard: () => boolean;
  /** Lines from the engine, neither accesses nor marked as its own. */
  readonly skippedLines: () => number;
  readonly facts: () => EngineFacts;
}

export interface Engine {
  readonly name: EngineName;
  /** Name and version, for the recording. */
  readonly tool: string;
  /** The engine tells only accesses in windows; otherwise the reader cuts them out. */
  readonly cutsWindows: boolean;
  /**
   * Prepares a run with an engine writing to `pipe`; may put files beside the pipe.
   * @throws EngineError when the engine cannot fulfil the plan
   */
  readonly start: (pipe: string, plan: RecordingPlan) => Promise<EngineRun>;
  readonly listen: (pipe: string) => Listener;
}

/** Why an engine cannot record, in words for the person who asked: the missing part, and how to get it. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
}

/** The plan of windows from a position on. */
export function planFrom(from: number, { windows }: RecordingPlan): WindowPlan {
  return windows === 'whole' ? { from, length: Infinity, most: 1 } : { from, ...windows };
}
