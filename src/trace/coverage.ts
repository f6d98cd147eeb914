/** The part of its program's run in a trace: how much, from where, of which processes, and how the run ended. */

/** How the recorded command ended: by itself with a code, or by a signal. */
export interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
}

/** The run ended by itself; or the recorder stopped it at `--limit`, or when somebody interrupted the recorder. */
export type RunEnding = Ending | 'stopped' | 'interrupted';

/** How a process began: as the recorded command, as a copy of another one, or in place of its former program. */
export type ProcessOrigin = 'command' | 'fork' | 'exec';

/** A thread of a process. */
export interface ThreadShare {
  /** As Linux numbered it. */
  readonly tid: number;
  /** Its name if the program gave it one. */
  readonly name?: string | undefined;
  /** Accesses of the run, recorded or only counted; undefined where nobody counted them to the end. */
  readonly accesses?: number | undefined;
}

/** A process: one address space. After an exec it is another one. */
export interface ProcessShare {
  readonly pid: number;
  /** The path of its program. */
  readonly program: string;
  readonly origin: ProcessOrigin;
  /** Accesses of the run, recorded or only counted; undefined where nobody counted them to the end. */
  readonly accesses?: number | undefined;
  readonly instructions?: number | undefined;
  /** Accesses in the trace. */
  readonly recorded: number;
  /** The most bytes seen in RAM at once, if there was a look. */
  readonly residentBytes?: number | undefined;
  /** In the order of their first accesses in the trace. */
  readonly threads: readonly ThreadShare[];
  /** Mappings in the order of their coming. */
  readonly regions: readonly TracedRegion[];
}

/** A mapping of a process. Permissions and advice are its last. */
export interface TracedRegion {
  /** First address, and the address after the last one. Below 2^47. */
  readonly start: number;
  readonly end: number;
  /** `rwxp`: the last letter is s for shared mappings. */
  readonly permissions: string;
  /** Path, or `[heap]` and the like, or empty. */
  readonly name: string;
  /** Offset in the file, bytes; 0 without a file. */
  readonly offset: number;
  /** Bytes of a page: more than 4096 for MAP_HUGETLB. */
  readonly pageBytes: number;
  /** A call of madvise: MADV_HUGEPAGE, MADV_NOHUGEPAGE, or neither. */
  readonly advice: 'huge' | 'nohuge' | 'none';
  /** mmap was told to make a stack: MAP_STACK or MAP_GROWSDOWN. */
  readonly stack?: boolean | undefined;
  /** The most bytes of it seen in RAM; the looks are at the start of windows, and at the end. */
  readonly residentBytes: number;
  /** Accesses of the run before it was mapped, and before it was unmapped; null: it was there at the end. */
  readonly cameAt: number;
  readonly wentAt: number | null;
}

/** A part of the run without gaps. */
export interface RecordedWindow {
  /** Accesses of the run before its first. */
  readonly position: number;
  /** Accesses of the run in it. */
  readonly span: number;
  /** Accesses in the trace: fewer than of the run, since QEMU counts some in two parts, or if threads were killed. */
  readonly accesses: number;
}

/** How much of the run the accesses of a trace are. Known once all have been read. */
export interface Coverage {
  /** In the order of the run. Windows without a gap between them are one. */
  readonly windows: readonly RecordedWindow[];
  /** Accesses in the trace for warming up after a gap, not to be counted. */
  readonly warmUp: number;
  /** Accesses in the trace, instruction fetches among them if they were recorded. */
  readonly accesses: number;
  /** Accesses of the whole run; undefined if nothing tells: lackey's text, files of version 1. */
  readonly runAccesses: number | undefined;
  /** Instructions of the whole run; undefined if nobody counted them to the end. */
  readonly instructions: number | undefined;
  /** Empty if nothing tells processes apart. The index is the block's {@link AccessBlock.process}. */
  readonly processes: readonly ProcessShare[];
  /** How many processes are mixed in the accesses as if they were one; 0 if they are told apart or nothing tells. */
  readonly mixed: number;
  /** Programs out of the recorder's sight: their accesses are missing. */
  readonly unseen: readonly string[];
  /** Undefined if nothing tells. */
  readonly ending: RunEnding | undefined;
}

/** Programs of the run, each in a process of its own: a child's time before its first program is no other one. */
export function programsOf(processes: readonly Pick<ProcessShare, 'pid' | 'origin'>[]): number {
  const replaced = processes.filter(
    ({ origin, pid }, i) => origin === 'fork' && processes.slice(i + 1).some((later) => later.pid === pid),
  );
  return processes.length - replaced.length;
}

/** A program of the run, in one process or several. */
export interface ProgramShare {
  /** The name of its file. */
  readonly program: string;
  readonly addressSpaces: number;
  /** Share of the counted accesses of all processes, 0 to 1. */
  readonly share: number;
}

/** The programs of a run, the largest first. A shell around the main program is among them. */
export function sharesOf(processes: readonly Pick<ProcessShare, 'program' | 'accesses'>[]): ProgramShare[] {
  const total = processes.reduce((sum, { accesses = 0 }) => sum + accesses, 0);
  const shares = new Map<string, ProgramShare>();
  for (const { program: path, accesses = 0 } of processes) {
    const program = path.slice(path.lastIndexOf('/') + 1);
    const { addressSpaces, share } = shares.get(program) ?? { addressSpaces: 0, share: 0 };
    const more = total === 0 ? 0 : accesses / total;
    shares.set(program, { program, addressSpaces: addressSpaces + 1, share: share + more });
  }
  return [...shares.values()].sort((a, b) => b.share - a.share);
}
