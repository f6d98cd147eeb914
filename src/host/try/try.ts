/** The experiment itself: a command with base pages alone and with huge pages, in turns. */

import { SCHEMA_VERSION } from '../../report/results/schema-version.js';
import type { TryResult, TrySide } from '../../report/results/try-result.js';
import { builtLauncher, launch, LaunchError, type LaunchOptions, type Run, type Side } from './launch.js';
import { OtherLoad } from '../other-load.js';
import { median, rangeOf, ratioOf, type Ratio } from '../ratio.js';
import { hasTunable, hugePageSystem, whyNoHugePages, type HugePageSystem } from '../thp.js';
import { answerOf, LEAST_PAIRS, notesOf } from './try-answer.js';

/** A range is narrow when its ends are no further apart than this. */
const NARROW = 1.05;
/** More pairs than this narrow a range by little. */
const MOST_PAIRS = 100;

export interface TryOptions extends Pick<LaunchOptions, 'command' | 'show' | 'signal'> {
  /** So many pairs exactly; otherwise five, and more until the range is narrow or the time is over. */
  readonly pairs: number | undefined;
  /** After so many seconds no pair begins unless it is asked for. */
  readonly seconds: number;
  /** Count failed runs, too. */
  readonly ignoreFailure: boolean;
  /** The folder with proc and sys in it, where the system's settings are read. Default: / */
  readonly root?: string;
  /** Told now and then how many runs are done, of how many as far as known. */
  readonly onProgress: (done: number, total: number) => void;
}

/** Two runs, one after the other. */
export type Pair = Readonly<Record<Side, Run>>;

/** @throws LaunchError for a failed run, with its last words */
function checkEnding(run: Run, number: number, { command, ignoreFailure }: TryOptions): void {
  if (ignoreFailure || (run.exitCode === 0 && run.signal === 0)) return;
  const how = run.signal === 0 ? `failed with exit code ${run.exitCode}` : `was ended by signal ${run.signal}`;
  const which = number === 0 ? 'in the warm-up run' : `in run ${number}, with ${run.side} pages`;
  const said = run.errors.trim().split('\n').slice(-1)[0];
  const words = said === '' ? '' : `; it said '${said}'`;
  throw new LaunchError(`'${command[0]}' ${how} ${which}${words}; --ignore-failure counts such runs too`);
}

function isNarrow(pairs: readonly Pair[]): boolean {
  const user = speedupOf(pairs, ({ user: time }) => time);
  return user !== null && user.high / user.low <= NARROW;
}

function speedupOf(pairs: readonly Pair[], time: (run: Run) => number): Ratio | null {
  return ratioOf(pairs.map(({ base, huge }) => time(base) / time(huge)));
}

/**
 * Runs the command in pairs, after one run to warm up. An interruption leaves the whole pairs.
 * @throws LaunchError when there are no huge pages here, the command cannot be run, or it fails
 * @throws CompileError when our helpers cannot be compiled
 */
export async function tryInPairs(options: TryOptions): Promise<TryResult> {
  const system = await hugePageSystem(options.root);
  const why = whyNoHugePages(system);
  if (why !== undefined) throw new LaunchError(why);
  const launcher = await builtLauncher();
  const load = new OtherLoad();
  const began = performance.now();
  const { signal, pairs: wanted, seconds } = options;
  const least = wanted ?? LEAST_PAIRS;
  const runs: Run[] = [];
  const pairs: Pair[] = [];
  const once = async (side: Side): Promise<Run> => {
    const onTick = (): void => {
      options.onProgress(runs.length, 1 + 2 * Math.max(least, pairs.length + 1));
    };
    const run = await launch(side, { ...options, launcher, onTick });
    checkEnding(run, runs.length, options);
    runs.push(run);
    return run;
  };
  const enough = (): boolean =>
    pairs.length >= least &&
    (wanted !== undefined ||
      isNarrow(pairs) ||
      pairs.length >= MOST_PAIRS ||
      performance.now() - began > 1000 * seconds);
  try {
    await once('base');
    while (!enough()) {
      const first = pairs.length % 2 === 0 ? 'base' : 'huge';
      const one = await once(first);
      const other = await once(first === 'base' ? 'huge' : 'base');
      pairs.push(first === 'base' ? { base: one, huge: other } : { base: other, huge: one });
    }
  } catch (error) {
    if (!signal.aborted || pairs.length === 0) throw error;
  }
  const others = load.processors(runs.reduce((sum, { user, system: inKernel }) => sum + user + inKernel, 0));
  return resultOf(options.command, system, pairs, others);
}

function sideOf(pages: Side, pairs: readonly Pair[]): TrySide {
  const runs = pairs.map((pair) => pair[pages]);
  const middle = (value: (run: Run) => number): number => median(runs.map(value));
  const samples = runs.flatMap(({ memory }) => memory ?? []);
  return {
    pages,
    user: middle(({ user }) => user),
    system: middle(({ system }) => system),
    wall: middle(({ wall }) => wall),
    minorFaults: middle(({ minorFaults }) => minorFaults),
    majorFaults: middle(({ majorFaults }) => majorFaults),
    memory:
      samples.length === 0
        ? null
        : {
            resident: median(samples.map(({ resident }) => resident)),
            anonymous: median(samples.map(({ anonymous }) => anonymous)),
            huge: median(samples.map(({ huge }) => huge)),
          },
  };
}

function meansOf(system: HugePageSystem, pairs: readonly Pair[]): string[] {
  const advised = pairs.some(({ huge }) => huge.advised);
  return [
    'PR_SET_THP_DISABLE for base pages',
    ...(system.setting === 'always' ? ['transparent_hugepage=always'] : []),
    ...(hasTunable(system) ? ['glibc.malloc.hugetlb=1'] : []),
    ...(advised ? ['madvise after mmap, by LD_PRELOAD'] : []),
  ];
}

/** From pairs to figures and words. */
export function resultOf(
  program: readonly string[],
  system: HugePageSystem,
  pairs: readonly Pair[],
  others: number,
): TryResult {
  const figures = {
    schemaVersion: SCHEMA_VERSION,
    command: 'try',
    program: [...program],
    system,
    means: meansOf(system, pairs),
    pairs: pairs.length,
    confidence: rangeOf(pairs.length).confidence,
    speedup: {
      user: speedupOf(pairs, ({ user }) => user),
      system: speedupOf(pairs, (run) => run.system),
      total: speedupOf(pairs, (run) => run.user + run.system),
      wall: speedupOf(pairs, ({ wall }) => wall),
    },
    sides: [sideOf('base', pairs), sideOf('huge', pairs)],
  } as const satisfies Omit<TryResult, 'verdict' | 'answer' | 'notes' | 'otherLoad' | 'runs'>;
  const runs = pairs.flatMap(({ base, huge }, i) => (i % 2 === 0 ? [base, huge] : [huge, base]));
  return {
    ...figures,
    ...answerOf(figures),
    notes: notesOf(figures, runs, others),
    otherLoad: others,
    runs: runs.map(({ side, user, system: inKernel, wall, minorFaults, majorFaults, memory }) => ({
      pages: side,
      user,
      system: inKernel,
      wall,
      minorFaults,
      majorFaults,
      anonymous: memory?.anonymous ?? null,
      huge: memory?.huge ?? null,
    })),
  };
}
