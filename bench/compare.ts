/**
 * The cost of `pagewalk compare` from end to end, against the modelled TLBs alone: all lookups of the traces on the same
 * machines, worked out and made resident beforehand. compare reads, unpacks and keeps books besides, but leaves out the
 * lookups without an effect on a TLB.
 */

import { boxTable } from '../src/report/output/table.js';
import { USER, WRITE } from '../hw/base/access.js';
import { SHIFT_1G, SHIFT_2M, SHIFT_4K } from '../hw/base/address.js';
import { parseTlb } from '../hw/tlb/parse.js';
import { compare } from '../src/compare/compare.js';
import { MOST_LOOKUPS } from '../src/compare/lookups/lookups.js';
import type { ReplayMachine } from '../src/compare/machine/machine.js';
import { makeMachine } from '../src/compare/machine/make-machine.js';
import { Resident } from '../src/compare/machine/resident.js';
import { openTrace } from '../src/trace/node/open.js';
import { shippedTraces } from '../src/trace/node/shipped.js';
import { hostText, thisHost } from './measure/host.js';
import type { Host } from './measure/host.js';
import { cpuNow, rangeText, roundRatio } from './measure/ratio.js';
import { median } from '../src/host/ratio.js';
import type { RoundRatio } from './measure/ratio.js';

const SHIFTS = [SHIFT_4K, SHIFT_2M, SHIFT_1G];
const TLB = 'skylake';
const FAULTED = 'a resident page faulted';

interface CompareRow extends RoundRatio {
  readonly name: string;
  /** Median CPU seconds of the TLBs alone; of end to end in the row so named. */
  readonly seconds: number;
}

export interface CompareBench extends Host {
  readonly schemaVersion: 1;
  readonly rounds: number;
  readonly seconds: number;
  readonly rows: readonly CompareRow[];
}

/** The lookups of a block with pages of 4 KiB, repeats too; larger pages have the same but for second pages, a few. */
interface Block {
  readonly his: Int32Array;
  readonly los: Int32Array;
}

/** Every lookup of one trace, and machines with all its pages resident. */
interface Prepared {
  readonly machines: readonly ReplayMachine[];
  readonly blocks: readonly Block[];
}

const ACCESS = USER | WRITE;

async function prepare(path: string): Promise<Prepared> {
  const machines = SHIFTS.map((shift) => makeMachine(shift, parseTlb(TLB)));
  const resident = new Resident(machines, { leaveOutRepeats: false });
  const blocks: Block[] = [];
  for await (const block of openTrace(path)) {
    const { his, los, length } = resident.prepare(block).of4K;
    blocks.push({ his: his.slice(0, length), los: los.slice(0, length) });
  }
  return { machines, blocks };
}

const frames = new Int32Array(MOST_LOOKUPS);

/** As compare makes the ones it does not leave out. */
function inBatches({ machines, blocks }: Prepared): void {
  for (const { his, los } of blocks) {
    for (const { mmu } of machines) {
      if (mmu.translateMany(his, los, his.length, ACCESS, frames) < his.length) throw new Error(FAULTED);
    }
  }
}

/** One call of the public API for each lookup. */
function oneByOne({ machines, blocks }: Prepared): void {
  let status = 0;
  for (const { his, los } of blocks) {
    for (const { mmu } of machines) {
      for (let i = 0; i < his.length; i++) status |= mmu.translate(his[i], los[i], ACCESS);
    }
  }
  if (status < 0) throw new Error(FAULTED);
}

async function endToEnd(): Promise<void> {
  await compare({
    sources: shippedTraces().map(({ name, path }) => ({ name, open: () => openTrace(path) })),
    shifts: SHIFTS,
    tlb: parseTlb(TLB),
  });
}

async function seconds(work: () => Promise<void> | void): Promise<number> {
  const began = cpuNow();
  await work();
  return (cpuNow() - began) / 1e9;
}

/** Measures for `rounds` rounds, after one thrown away. */
export async function measureCompare(rounds: number): Promise<CompareBench> {
  const prepared: Prepared[] = [];
  for (const { path } of shippedTraces()) prepared.push(await prepare(path));
  const alone = (way: (trace: Prepared) => void) => () => {
    prepared.forEach(way);
  };
  const whole: number[] = [];
  const rivals = [
    { name: 'the modelled TLBs alone, in batches', work: alone(inBatches), times: [] as number[] },
    { name: 'the modelled TLBs alone, one call a lookup', work: alone(oneByOne), times: [] as number[] },
  ];
  for (let round = -1; round < rounds; round++) {
    const spent = await seconds(endToEnd);
    if (round >= 0) whole.push(spent);
    for (const { work, times } of rivals) {
      const rival = await seconds(work);
      if (round >= 0) times.push(rival);
    }
  }
  return {
    schemaVersion: 1,
    ...thisHost(),
    rounds,
    seconds: median(whole),
    rows: rivals.map(({ name, times }) => ({ name, seconds: median(times), ...roundRatio(whole, times) })),
  };
}

export function compareTable(result: CompareBench): string {
  const table = boxTable(
    ['compare on the shipped traces, end to end, against', 'ratio', 'range', 's', 's of compare'],
    result.rows.map((row) => [
      row.name,
      row.ratio.toFixed(2),
      rangeText(row),
      row.seconds.toFixed(2),
      result.seconds.toFixed(2),
    ]),
  );
  return `${table}\n${hostText(result)}\n`;
}
