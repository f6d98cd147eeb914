/** What a trace holds of the run of its program: how much, from where, of which processes, and how the run ended. */

/** How the recorded command ended: by itself with a code, or by a signal. */
export interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
}

/** The run ended by itself; or the recorder stopped it at `--limit`. */
export type RunEnding = Ending | 'stopped';

/** How a process began: as the recorded command, as a copy of another one, or in place of its former program. */
export type ProcessOrigin = 'command' | 'fork' | 'exec';

/** A thread of a process. */
export interface ThreadShare {
  /** As Linux numbered it. */
  readonly tid: number;
  /** Its name where the program gave it one. */
  readonly name?: string | undefined;
  /** Accesses of the run, recorded or only counted; undefined where nobody counted them to the end. */
  readonly accesses?: number | undefined;
}

/** A process: one address space. A program that replaces itself by exec begins another one. */
export interface ProcessShare {
  readonly pid: number;
  /** The path of its program. */
  readonly program: string;
  readonly origin: ProcessOrigin;
  /** Accesses of the run, recorded or only counted; undefined where nobody counted them to the end. */
  readonly accesses?: number | undefined;
  readonly instructions?: number | undefined;
  /** In the order of their first accesses in the trace. */
  readonly threads: readonly ThreadShare[];
  /** Mappings in the order in which they came. */
  readonly regions: readonly TracedRegion[];
}

/** What a mapping is of. `file` has a name; `stack` is the main thread's, `heap` what brk gave. */
export type RegionKind = 'file' | 'heap' | 'stack' | 'anonymous' | 'shared';

/** A mapping of a process while it stayed the same: another protection makes another region. */
export interface TracedRegion {
  /** First address, and the first behind the region. Below 2^47. */
  readonly start: number;
  readonly end: number;
  /** Such as `rw-p`, as /proc/PID/maps has it. */
  readonly permissions: string;
  readonly kind: RegionKind;
  /** Path of the file; absent without one. */
  readonly file?: string | undefined;
  /** Accesses of the run before it came, and before it went; absent when it stayed to the end. */
  readonly from: number;
  readonly to?: number | undefined;
}

/** A part of the run without gaps. */
export interface RecordedWindow {
  /** Accesses of the run before its first. */
  readonly position: number;
  /** Accesses in it. */
  readonly accesses: number;
}

/** How much of the run the accesses of a trace are. Known once all have been read. */
export interface Coverage {
  /** In the order of the run. Windows that adjoin are one. */
  readonly windows: readonly RecordedWindow[];
  /** Accesses in the trace, instruction fetches among them where they were recorded. */
  readonly accesses: number;
  /** Accesses of the whole run; undefined where nothing tells: lackey's text, files of version 1. */
  readonly runAccesses: number | undefined;
  /** Instructions of the whole run; undefined where nobody counted them to the end. */
  readonly instructions: number | undefined;
  /** Empty where nothing tells processes apart. The index is the block's {@link AccessBlock.process}. */
  readonly processes: readonly ProcessShare[];
  /** Programs that the recorder could not follow: their accesses are missing. */
  readonly unseen: readonly string[];
  /** Undefined where nothing tells. */
  readonly ending: RunEnding | undefined;
}
