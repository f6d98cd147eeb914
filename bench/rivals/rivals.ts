/**
 * `npm run bench -- --rivals`: shapes tried and lost, kept to show why the real ones are as they are.
 *
 * All contenders of a contest live at once and take turns, round after round; a ratio is made from the two CPU times of
 * one round. Host time, so it holds for this machine only.
 */

import { boxTable } from '../../src/report/output/table.js';
import { wrap } from '../../src/report/output/wrap.js';
import { hostText, thisHost } from '../measure/host.js';
import type { Host } from '../measure/host.js';
import { makeRam } from '../native/workload.js';
import { cpuNow, rangeText, roundRatio } from '../measure/ratio.js';
import { median } from '../../src/host/ratio.js';
import type { RoundRatio } from '../measure/ratio.js';
import type { Contender, Contest, Scale } from './contest.js';
import { faultContest } from './faults.js';
import { forkContest } from './forks.js';
import { loadWork } from './loads.js';
import { modelledContest } from './modelled.js';
import { ramContest } from './ram.js';
import { softContest } from './soft.js';
import { walkContest } from './walks.js';

/** The ratio is to the winner, so the winner has 1. */
interface RivalRow extends RoundRatio {
  readonly question: string;
  readonly name: string;
  readonly why: string;
  /** Median of CPU nanoseconds for one operation. */
  readonly nanoseconds: number;
}

export interface RivalsResult extends Host {
  readonly schemaVersion: 1;
  readonly rounds: number;
  readonly rows: readonly RivalRow[];
}

/** Rounds before the first to count: V8 compiles meanwhile. */
const WARM_UP = 2;

function contests(scale: Scale): Contest[] {
  const ram = makeRam();
  // Shapes of TypeScript are held to TypeScript: hot loops have a place of their own among them.
  if (ram.hot !== null) ram.hot.leastBatch = Infinity;
  const hits = loadWork(ram, 'b', scale);
  const misses = loadWork(ram, 'c', scale);
  return [
    softContest('soft TLB, a load that hits', hits),
    softContest('soft TLB, a load that misses', misses),
    modelledContest('arrays of the modelled TLB, a load that hits', hits),
    modelledContest('arrays of the modelled TLB, a load that misses', misses),
    walkContest('entries read by a walk', hits),
    ramContest('a word of RAM, in 256 KiB', hits),
    ramContest('a word of RAM, in 64 MiB', misses),
    faultContest(ram, scale),
    forkContest('an entry that fork copies, frames in order', false, scale),
    forkContest('an entry that fork copies, frames shuffled', true, scale),
  ];
}

/** One turn: CPU nanoseconds. @throws Error when the checksum is not `expected` */
function turn({ name, before, run, checksum }: Contender, question: string, expected?: number): number {
  before?.();
  const began = cpuNow();
  run();
  const spent = cpuNow() - began;
  if (expected !== undefined && checksum() !== expected) throw new Error(`${question}, ${name}: another checksum`);
  return spent;
}

function measureContest({ question, operations, contenders }: Contest, rounds: number): RivalRow[] {
  const times = contenders.map((): number[] => []);
  for (let round = -WARM_UP; round < rounds; round++) {
    contenders.forEach((contender, i) => {
      const expected = i === 0 ? undefined : contenders[0].checksum();
      const spent = turn(contender, question, expected);
      if (round >= 0) times[i].push(spent);
    });
  }
  return contenders.map(({ name, why }, i) => ({
    question,
    name,
    why,
    ...roundRatio(times[i], times[0]),
    nanoseconds: median(times[i]) / operations,
  }));
}

/**
 * Measures every contest if `only` matches its question or contenders.
 * @throws Error when a rival comes to another checksum than the real one
 */
export function measureRivals(rounds: number, scale: Scale, only?: RegExp): RivalsResult {
  const chosen = contests(scale).filter(
    ({ question, contenders }) =>
      only === undefined || contenders.some(({ name }) => only.test(`${question}, ${name}`)),
  );
  return {
    schemaVersion: 1,
    ...thisHost(),
    rounds,
    rows: chosen.flatMap((contest) => measureContest(contest, rounds)),
  };
}

/** The result for people: a table a contest. */
export function rivalsTable(result: RivalsResult): string {
  const { rows } = result;
  const questions = [...new Set(rows.map(({ question }) => question))];
  const tables = questions.map((question) => {
    const rivals = rows.filter((row) => row.question === question);
    const lines = rivals.map(({ name, why, nanoseconds, ...ratio }) => [
      wrap(name, '', 27),
      ratio.ratio.toFixed(2),
      rangeText(ratio),
      nanoseconds.toFixed(1),
      wrap(why, '', 32),
    ]);
    const table = boxTable(['', 'ratio', 'range', 'ns', 'why'], lines, { left: [0, 4] });
    return `${question}\n${table}\n`;
  });
  return `${tables.join('\n')}\nThe first of each is the one in use. ${hostText(result)}\n`;
}
