/** What runs a command for a recording and tells its accesses. */

import type { AccessBlock } from '../block.js';
import type { TraceFacts } from '../packed/metadata.js';
import type { WindowPlan } from '../windows.js';

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
  /** Windows over the run by the rule of windows.ts, or all in one piece. */
  readonly windows: Omit<WindowPlan, 'from'> | 'whole';
  /** The function of the program whose first call begins the recording. */
  readonly startAt?: string | undefined;
  /** Seconds until the recording begins. */
  readonly startAfter?: number | undefined;
}

/** A command that runs under an engine. */
export interface EngineRun {
  /** The words that run it. */
  readonly words: readonly [string, ...string[]];
  /** Where windows lie; undefined until the place where they begin is known. */
  readonly plan: () => WindowPlan | undefined;
  /** Windows begin now. */
  readonly beginNow: () => void;
  /** Accesses so far, those between windows too; undefined where only what comes through the pipe is known. */
  readonly position: () => number | undefined;
}

/** What an engine tells of the run at its end. */
export type EngineFacts = Pick<TraceFacts, 'processes' | 'mixed' | 'unseen' | 'accesses' | 'instructions'>;

/** What comes through the pipe of one recording, as far as it has been read. */
export interface Listener {
  /** The accesses in the pipe's bytes; the block is the listener's own. */
  readonly blocks: (chunks: AsyncIterable<Uint8Array>) => AsyncGenerator<AccessBlock>;
  /** True once the engine has said anything of a program. */
  readonly heard: () => boolean;
  /** Lines from the engine that were neither accesses nor marked as its own. */
  readonly skippedLines: () => number;
  readonly facts: () => EngineFacts;
}

export interface Engine {
  readonly name: EngineName;
  /** Name and version, for the recording. */
  readonly tool: string;
  /** The engine sends nothing but what lies in windows; otherwise whoever reads cuts them out. */
  readonly cutsWindows: boolean;
  /**
   * Prepares a run whose engine writes to `pipe`; may put files beside the pipe.
   * @throws EngineError when the engine cannot do what the plan asks
   */
  readonly start: (pipe: string, plan: RecordingPlan) => Promise<EngineRun>;
  readonly listen: (pipe: string) => Listener;
}

/** Why an engine cannot record, in words for the person who asked: what is missing, and how to get it. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
}

/** The plan of windows that begin at a position. */
export function planFrom(from: number, { windows }: RecordingPlan): WindowPlan {
  return windows === 'whole' ? { from, length: Infinity, most: 1 } : { from, ...windows };
}
