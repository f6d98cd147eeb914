/**
 * `npm run bench -- --native`: pagewalk against C.
 *
 * All rivals live at once, loads in a process each, and take turns, round after round. A ratio is made from the two CPU
 * times of one round. The median of the rounds is printed with their range. Host time, so it
 * holds for this machine only.
 */

import Table from 'cli-table3';
import { hostText, thisHost } from '../measure/host.js';
import type { Host } from '../measure/host.js';
import { rangeText, roundRatio } from '../measure/ratio.js';
import { median } from '../../src/host/ratio.js';
import type { RoundRatio } from '../measure/ratio.js';
import { firstForkRival } from './first-fork.js';
import { startReference } from './reference.js';
import { startRivals } from './rival-process.js';
import { forkRival, FORKS, WAYS } from './rivals.js';
import type { Rival } from './rivals.js';
import { LOADS, PATTERNS } from './workload.js';

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
}

const FORK_ENTRIES = 1 << 18;
/** The C reference's fork, by its own kernel, has fewer, to be gentle with memory. */
const HOST_FORK_ENTRIES = 1 << 16;

interface Times {
  readonly own: number[];
  readonly reference: number[];
}

function row(rival: Omit<Rival, 'run'>, { own, reference }: Times): RatioRow {
  const operations = rival.path === 'fork' ? FORK_ENTRIES : LOADS;
  return {
    name: rival.name,
    what: rival.what,
    ...roundRatio(own, reference),
    nanoseconds: median(own) / operations,
    referenceNanoseconds: median(reference) / operations,
  };
}

/** Measures for `rounds` rounds after two thrown away; `only` keeps rivals by name or pattern. */
export async function measureNative(rounds: number, only?: RegExp): Promise<NativeResult> {
  const wanted = ({ name, what }: { readonly name: string; readonly what: string }): boolean =>
    only?.test(`${name}, ${what}`) ?? true;
  // First, because it fails without a compiler.
  const reference = startReference();
  // A process of its own: a real fork write-protects the pages of its own process, and would slow the reference.
  const forking = startReference();
  const wantedWays = WAYS.filter((way) => PATTERNS.some((what) => wanted({ name: way.name, what })));
  const processes = wantedWays.map(({ name }) => startRivals(name));
  const times = new Map<Rival, Times>();
  const hostFork: Times = { own: [], reference: [] };
  try {
    const loads = processes.flatMap(({ rivals }) => rivals).filter(wanted);
    const forks = [...FORKS.filter(wanted).map(forkRival), ...[firstForkRival()].filter(wanted)];
    for (const rival of [...loads, ...forks]) times.set(rival, { own: [], reference: [] });
    for (let round = -2; round < rounds; round++) {
      for (const [rival, { own, reference: theirs }] of times) {
        const answer = await reference.ask(rival.path, rival.what);
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
          ? [row({ name: "fork of this machine's kernel", path: 'fork', what: 'ordered' }, hostFork)]
          : []),
      ],
    };
  } finally {
    for (const { close } of processes) close();
    reference.close();
    forking.close();
  }
}

/** The result for people. */
export function nativeTable(result: NativeResult): string {
  const table = new Table({
    head: ['what', 'pattern', 'ratio to C', 'range', 'ns', 'ns in C'],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const { name, what, nanoseconds, referenceNanoseconds, ...ratio } of result.rows) {
    table.push([
      name,
      what,
      ratio.ratio.toFixed(2),
      rangeText(ratio),
      nanoseconds.toFixed(1),
      referenceNanoseconds.toFixed(1),
    ]);
  }
  return `${table.toString()}\n${hostText(result)}, ${result.compiler}\n`;
}
