/**
 * `npm run bench -- --native`: pagewalk against C.
 *
 * All rivals live at once, loads in a process each, and take turns, round after round. A ratio is made from the two CPU
 * times of one round. The median of the rounds is printed with their range. Host time, so it
 * holds for this machine only.
 */

import { boxTable } from '../../src/report/output/table.js';
import { hostText, thisHost } from '../measure/host.js';
import type { Host } from '../measure/host.js';
import { rangeText, roundRatio } from '../measure/ratio.js';
import { median } from '../../src/host/ratio.js';
import type { RoundRatio } from '../measure/ratio.js';
import { COMPARISONS, startComparison } from './comparison.js';
import { firstForkRival } from './first-fork.js';
import { startReference } from './reference.js';
import { startRivals } from './rival-process.js';
import { FORK_ENTRIES, forkRival, FORKS, WAYS } from './rivals.js';
import type { Rival } from './rivals.js';
import { PATTERNS } from './workload.js';

/** The ratio is to the reference. */
interface RatioRow extends RoundRatio {
  readonly name: string;
  /** Pattern of loads, or order of frames. */
  readonly what: string;
  /** Medians of CPU nanoseconds for one load or entry. */
  readonly nanoseconds: number;
  readonly referenceNanoseconds: number;
}

export interface NativeResult extends Host {
  readonly schemaVersion: 1;
  readonly compiler: string;
  readonly rounds: number;
  readonly rows: readonly RatioRow[];
  /** Why rows are missing. */
  readonly leftOut: readonly string[];
}

/** The C reference's fork, by its own kernel, has fewer, to be gentle with memory. */
const HOST_FORK_ENTRIES = 1 << 16;

interface Times {
  readonly own: number[];
  readonly reference: number[];
}

function row(rival: Omit<Rival, 'run' | 'path'>, { own, reference }: Times): RatioRow {
  const { operations } = rival;
  return {
    name: rival.name,
    what: rival.what,
    ...roundRatio(own, reference),
    nanoseconds: median(own) / operations,
    referenceNanoseconds: median(reference) / operations,
  };
}

type Wanted = (rival: Pick<Rival, 'name' | 'what'>) => boolean;

/** The wanted rivals, alive until `close`. */
interface Contest {
  readonly rivals: readonly Rival[];
  readonly leftOut: readonly string[];
  readonly close: () => void;
}

function startContest(wanted: Wanted): Contest {
  const ways = WAYS.filter(({ name }) => PATTERNS.some((what) => wanted({ name, what })));
  const processes = ways.map(({ name }) => startRivals(name));
  const comparison = COMPARISONS.some(wanted) ? startComparison() : undefined;
  const others = [...FORKS.filter(wanted).map(forkRival), firstForkRival(), ...(comparison?.rivals ?? [])];
  return {
    rivals: [...processes.flatMap(({ rivals }) => rivals), ...others].filter(wanted),
    leftOut: comparison?.leftOut ?? [],
    close: () => {
      for (const { close } of processes) close();
      comparison?.close();
    },
  };
}

/** Measures for `rounds` rounds after two thrown away; `only` keeps rivals by name or pattern. */
export async function measureNative(rounds: number, only?: RegExp): Promise<NativeResult> {
  // First, because it fails without a compiler.
  const reference = startReference();
  // A process of its own: a real fork write-protects the pages of its own process, and would slow the reference.
  const forking = startReference();
  const contest = startContest(({ name, what }) => only?.test(`${name}, ${what}`) ?? true);
  const times = new Map<Rival, Times>(contest.rivals.map((rival) => [rival, { own: [], reference: [] }]));
  const hostFork: Times = { own: [], reference: [] };
  try {
    for (let round = -2; round < rounds; round++) {
      for (const [rival, { own, reference: theirs }] of times) {
        const answer = await (rival.reference?.() ?? reference.ask(rival.path, rival.what));
        const mine = await rival.run();
        if (mine.checksum !== answer.checksum)
          throw new Error(`${rival.name}, ${rival.what}: other words than C loaded`);
        if (mine.counts !== answer.counts)
          throw new Error(`${rival.name}, ${rival.what}: counts ${mine.counts}, but C has ${answer.counts}`);
        if (round < 0) continue;
        own.push(mine.nanoseconds);
        theirs.push(answer.nanoseconds);
        if (rival.name !== FORKS[0].name) continue;
        const host = await forking.ask('host-fork', 'ordered');
        hostFork.own.push(host.nanoseconds * (FORK_ENTRIES / HOST_FORK_ENTRIES));
        hostFork.reference.push(answer.nanoseconds);
      }
    }
    return {
      schemaVersion: 1,
      compiler: reference.compiler,
      ...thisHost(),
      rounds,
      rows: [
        ...[...times].map(([rival, found]) => row(rival, found)),
        ...(hostFork.own.length > 0
          ? [row({ name: "fork of this machine's kernel", what: 'ordered', operations: FORK_ENTRIES }, hostFork)]
          : []),
      ],
      leftOut: contest.leftOut,
    };
  } finally {
    contest.close();
    reference.close();
    forking.close();
  }
}

/** The result for people. */
export function nativeTable(result: NativeResult): string {
  const table = boxTable(
    ['what', 'pattern', 'ratio to C', 'range', 'ns', 'ns in C'],
    result.rows.map(({ name, what, nanoseconds, referenceNanoseconds, ...ratio }) => [
      name,
      what,
      ratio.ratio.toFixed(2),
      rangeText(ratio),
      nanoseconds.toFixed(1),
      referenceNanoseconds.toFixed(1),
    ]),
    { left: [0, 1] },
  );
  return [table, ...result.leftOut, `${hostText(result)}, ${result.compiler}\n`].join('\n');
}
