/**
 * What do two processors over one RAM gain: two workers with TLBs of their own against one, and two threads of the C
 * reference against one, in turns. CPU time cannot show it, so this is wall time to the end of the slower one, and
 * other work on the machine weighs on it: many short rounds, their median, and the load while they ran.
 */

import { once } from 'node:events';
import { cpus, loadavg } from 'node:os';
import { Worker } from 'node:worker_threads';
import { boxTable } from '../../src/report/output/table.js';
import type { TranslationPath } from '../../hw/translate/path/caches.js';
import { thisHost } from '../measure/host.js';
import type { Host } from '../measure/host.js';
import { startReference } from '../native/reference.js';
import type { Answer, Reference } from '../native/reference.js';
import { makeRam } from '../native/workload.js';
import type { Pattern } from '../native/workload.js';
import { roundRatio } from '../measure/ratio.js';
import type { RoundRatio } from '../measure/ratio.js';
import type { CoreSetup, CoreTimes, CoreWork } from './two-cores-worker.js';

const WORKERS = 2;
/** Samples of each work in a round: short ones: some find both processors free. */
const SAMPLES = 3;
/**
 * Rounds thrown away: TLBs and accessed bits are set, and each worker compiles its own code, the second one later
 * because it seldom runs.
 */
const WARM_UP = 5;
const WORKS: readonly { readonly name: string; readonly path: TranslationPath; readonly pattern: Pattern }[] = [
  { name: 'soft TLB, batch', path: 'soft', pattern: 'b' },
  { name: 'soft TLB, batch', path: 'soft', pattern: 'c' },
  { name: 'walk only, batch', path: 'walk', pattern: 'c' },
  { name: 'modelled TLB, batch', path: 'modelled', pattern: 'b' },
  { name: 'modelled TLB, batch', path: 'modelled', pattern: 'c' },
];

/** The median of all samples with their range, and from the fastest sample of each, the one least disturbed by other work. */
interface SpeedUp extends RoundRatio {
  readonly fastest: number;
}

interface CoresRow {
  readonly name: string;
  readonly pattern: Pattern;
  /** How much more two do in the same time than one: 2 is all there is to gain. */
  readonly speedUp: SpeedUp;
  readonly referenceSpeedUp: SpeedUp;
  /** Time of one worker over shared RAM, as a multiple of the same over RAM of its own. */
  readonly shared: RoundRatio;
}

export interface CoresResult extends Host {
  readonly schemaVersion: 1;
  readonly compiler: string;
  readonly processors: number;
  readonly rounds: number;
  /** Runnable tasks of the whole machine, averaged over a minute, as the measuring began and as it ended. */
  readonly loadBefore: number;
  readonly loadAfter: number;
  readonly rows: readonly CoresRow[];
}

/** Both processors, alive until the end. */
class Cores {
  private readonly gate = new SharedArrayBuffer(4);
  private readonly workers: readonly Worker[];
  private come = 0;

  constructor() {
    const workerData: CoreSetup = { ram: makeRam(true).share(), gate: this.gate };
    const file = new URL('./two-cores-worker.js', import.meta.url);
    this.workers = Array.from({ length: WORKERS }, () => new Worker(file, { workerData }));
  }

  /**
   * One work by each of the first `threads` workers.
   * @throws Error when they load other words than one another
   */
  async run(path: TranslationPath, pattern: Pattern, threads: number, alone = false): Promise<Answer> {
    this.come += threads;
    const work: CoreWork = { path, pattern, alone, gate: this.come };
    const times = await Promise.all(
      this.workers.slice(0, threads).map(async (worker) => {
        worker.postMessage(work);
        const [answer] = (await once(worker, 'message')) as [CoreTimes];
        return answer;
      }),
    );
    const began = Math.min(...times.map((time) => time.began));
    const ended = Math.max(...times.map((time) => time.ended));
    const [{ checksum }] = times;
    if (times.some((time) => time.checksum !== checksum)) {
      throw new Error(`${path}, ${pattern}: one worker loaded other words than another`);
    }
    return { nanoseconds: ended - began, checksum, counts: '' };
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }
}

/** Wall nanoseconds of each sample. */
interface Times {
  readonly own: number[];
  readonly one: number[];
  readonly two: number[];
  readonly referenceOne: number[];
  readonly referenceTwo: number[];
}

/** All contenders once, in the order of {@link Times}; every other time they take their turns backwards. */
async function measureSample(
  cores: Cores,
  reference: Reference,
  work: (typeof WORKS)[number],
  backwards: boolean,
): Promise<Answer[]> {
  const { path, pattern } = work;
  const turns: (() => Promise<Answer>)[] = [
    () => cores.run(path, pattern, 1, true),
    () => cores.run(path, pattern, 1),
    () => cores.run(path, pattern, 2),
    () => reference.ask(`${path}/1`, pattern),
    () => reference.ask(`${path}/2`, pattern),
  ];
  const outcomes: Answer[] = [];
  for (const turn of backwards ? turns.toReversed() : turns) outcomes.push(await turn());
  if (backwards) outcomes.reverse();
  if (outcomes.some(({ checksum }) => checksum !== outcomes[0].checksum)) {
    throw new Error(`${work.name}, ${pattern}: other words than C loaded`);
  }
  return outcomes;
}

function speedUp(one: readonly number[], two: readonly number[]): SpeedUp {
  const both = one.map((nanoseconds) => WORKERS * nanoseconds);
  return { ...roundRatio(both, two), fastest: Math.min(...both) / Math.min(...two) };
}

function rowOf({ name, pattern }: (typeof WORKS)[number], times: Times): CoresRow {
  const ours = speedUp(times.one, times.two);
  const referenceSpeedUp = speedUp(times.referenceOne, times.referenceTwo);
  return { name, pattern, speedUp: ours, referenceSpeedUp, shared: roundRatio(times.one, times.own) };
}

/** @throws Error when there is no C compiler, or other words are loaded than by C */
export async function measureCores(rounds: number): Promise<CoresResult> {
  const loadBefore = loadavg()[0];
  const all = WORKS.map((): Times => ({ own: [], one: [], two: [], referenceOne: [], referenceTwo: [] }));
  const reference = startReference();
  const cores = new Cores();
  try {
    for (let sample = -WARM_UP * SAMPLES; sample < rounds * SAMPLES; sample++) {
      for (const [i, work] of WORKS.entries()) {
        const [own, one, two, referenceOne, referenceTwo] = await measureSample(
          cores,
          reference,
          work,
          sample % 2 !== 0,
        );
        if (sample < 0) continue;
        all[i].own.push(own.nanoseconds);
        all[i].one.push(one.nanoseconds);
        all[i].two.push(two.nanoseconds);
        all[i].referenceOne.push(referenceOne.nanoseconds);
        all[i].referenceTwo.push(referenceTwo.nanoseconds);
      }
    }
  } finally {
    reference.close();
    await cores.close();
  }
  return {
    schemaVersion: 1,
    compiler: reference.compiler,
    ...thisHost(),
    processors: cpus().length,
    rounds,
    loadBefore,
    loadAfter: loadavg()[0],
    rows: WORKS.map((work, i) => rowOf(work, all[i])),
  };
}

/** The result for people. */
export function coresTable(result: CoresResult): string {
  const table = boxTable(
    ['what', 'pattern', 'speed-up', 'fastest', 'in C', 'fastest', 'shared RAM'],
    result.rows.map(({ name, pattern, speedUp: ours, referenceSpeedUp, shared }) => [
      name,
      pattern,
      ours.ratio.toFixed(2),
      ours.fastest.toFixed(2),
      referenceSpeedUp.ratio.toFixed(2),
      referenceSpeedUp.fastest.toFixed(2),
      shared.ratio.toFixed(2),
    ]),
    { left: [0, 1] },
  );
  const { rounds, node, compiler, processor, processors, loadBefore, loadAfter } = result;
  return (
    `${table}\nspeed-up: work of two workers (threads in C) in the time that one needs for its own\n` +
    `shared RAM: time of one worker there as a multiple of its time over RAM of its own\n` +
    `wall time of the slower, medians of ${rounds * SAMPLES} short rounds, and the fastest of them; load ${loadBefore.toFixed(1)} before, ` +
    `${loadAfter.toFixed(1)} after, on ${processors} processors; Node ${node}, ${compiler}, ${processor}\n`
  );
}
