/**
 * The gain of programs from huge pages on this machine, beside pagewalk's prediction: each is run in pairs with and
 * without them, recorded, and compared, all by the users' own commands.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { z } from 'zod';
import { CompareResult } from '../../src/report/results/compare-result.js';
import { thisHost } from '../measure/host.js';
import type { Host } from '../measure/host.js';
import { realPrograms } from './programs.js';
import type { RealProgram } from './programs.js';

const CLI = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.js');
const MOST_OUTPUT = 2 ** 28;
/** From this gain on a "no" would be wrong, and below it a "yes". */
const REAL_GAIN = 1.05;
const NO_GAIN = 1.01;

const Ratio = z.object({ median: z.number(), low: z.number(), high: z.number() });
/** A part of the output of `pagewalk try --json`. */
const Tried = z.object({
  speedup: z.object({ user: Ratio.nullable() }),
  sides: z.array(z.object({ memory: z.object({ resident: z.number(), huge: z.number() }).nullable() })),
});

interface RealityRow {
  readonly name: string;
  /** User time with small pages over that with huge ones, measured. */
  readonly real: z.infer<typeof Ratio> | null;
  /** The share of resident memory in huge pages. */
  readonly hugeShare: number | null;
  readonly predicted: { readonly low: number; readonly high: number } | null;
  readonly verdict: string;
  /** Whether the measured median, to two decimals, is in the predicted range. */
  readonly inside: boolean;
}

export interface RealityBench extends Host {
  readonly schemaVersion: 1;
  readonly prices: string;
  readonly missing: readonly string[];
  readonly rows: readonly RealityRow[];
  readonly inside: number;
  /** A "yes" without a gain, or a "no" with more than 5%. */
  readonly wrong: readonly string[];
  /** The widest range, as its high end over its low one. */
  readonly widest: number;
  /** Rank correlation of the middle of the range with the measured median; null below three programs. */
  readonly spearman: number | null;
}

function pagewalk(args: readonly string[]): string {
  const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
  return execFileSync(process.execPath, [CLI, ...args], { encoding: 'utf8', maxBuffer: MOST_OUTPUT, stdio });
}

const twoDecimals = (value: number): number => Math.round(100 * value) / 100;

function measureOne({ name, command }: RealProgram, folder: string, rounds: number, priced: string[]): RealityRow {
  const tried = Tried.parse(JSON.parse(pagewalk(['try', '--json', '--pairs', String(rounds), '--', ...command])));
  const trace = join(folder, 'trace.pwt');
  pagewalk(['record', '-o', trace, '--', ...command]);
  const result = CompareResult.parse(JSON.parse(pagewalk(['compare', trace, '--pages', '4K,2M', ...priced, '--json'])));
  const [{ verdict, speedup: predicted }] = result.traces;
  const real = tried.speedup.user;
  const memory = tried.sides.at(-1)?.memory;
  const inside =
    real !== null &&
    predicted !== null &&
    twoDecimals(real.median) >= twoDecimals(predicted.low) &&
    twoDecimals(real.median) <= twoDecimals(predicted.high);
  return {
    name,
    real,
    hugeShare: memory ? memory.huge / Math.max(1, memory.resident) : null,
    predicted,
    verdict,
    inside,
  };
}

function ranks(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return values.map((value) => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2);
}

/** Spearman's rank correlation: Pearson's, of ranks. */
function spearman(one: readonly number[], other: readonly number[]): number {
  const [x, y] = [ranks(one), ranks(other)];
  const mean = (one.length - 1) / 2;
  const sum = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((total, value, i) => total + (value - mean) * (b[i] - mean), 0);
  return sum(x, y) / Math.sqrt(sum(x, x) * sum(y, y));
}

function wrongVerdict({ name, real, verdict }: RealityRow): string[] {
  if (real === null) return [];
  const wrong = (verdict === 'yes' && real.median < NO_GAIN) || (verdict === 'no' && real.median > REAL_GAIN);
  return wrong ? [`${name}: ${verdict}`] : [];
}

/**
 * Measures, records and predicts every program.
 * @param only programs with matching names
 * @param tlb as `pagewalk compare --tlb` takes it: this machine's
 */
export function measureReality(rounds: number, only: RegExp | undefined, tlb: string | undefined): RealityBench {
  const folder = mkdtempSync(join(tmpdir(), 'pagewalk-reality-'));
  try {
    const { programs, missing } = realPrograms(folder);
    const prices = join(folder, 'prices.json');
    pagewalk(['calibrate', '-o', prices, '--json']);
    const priced = ['--costs', prices, ...(tlb === undefined ? [] : ['--tlb', tlb])];
    const chosen = programs.filter(({ name }) => only?.test(name) ?? true);
    const rows = chosen.map((program) => measureOne(program, folder, rounds, priced));
    const told = rows.flatMap(({ real, predicted }) =>
      real === null || predicted === null ? [] : [{ real, predicted }],
    );
    return {
      schemaVersion: 1,
      ...thisHost(),
      prices: 'pagewalk calibrate, just before',
      missing,
      rows,
      inside: rows.filter(({ inside }) => inside).length,
      wrong: rows.flatMap(wrongVerdict),
      widest: Math.max(1, ...told.map(({ predicted: { low, high } }) => high / low)),
      spearman:
        told.length < 3
          ? null
          : spearman(
              told.map(({ real }) => real.median),
              told.map(({ predicted: { low, high } }) => Math.sqrt(low * high)),
            ),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const times = (value: number): string => value.toFixed(2);

export function realityTable(result: RealityBench): string {
  const table = new Table({
    head: ['user time, 4K over 2M pages', 'measured', 'range', 'predicted', 'verdict', 'inside', 'huge'],
    style: { head: [], border: [] },
  });
  for (const { name, real, predicted, verdict, inside, hugeShare } of result.rows) {
    table.push([
      name,
      real === null ? '-' : times(real.median),
      real === null ? '-' : `${times(real.low)} to ${times(real.high)}`,
      predicted === null ? '-' : `${times(predicted.low)} to ${times(predicted.high)}`,
      verdict,
      inside ? 'yes' : 'no',
      hugeShare === null ? '-' : `${Math.round(100 * hugeShare)}%`,
    ]);
  }
  const { rows, inside, wrong, widest, missing } = result;
  const notes = [
    `${inside} of ${rows.length} inside; widest range: a factor ${times(widest)}; Spearman ${result.spearman === null ? '-' : times(result.spearman)}.`,
    `Wrong verdicts: ${wrong.length === 0 ? 'none' : wrong.join('; ')}.`,
    ...(missing.length === 0 ? [] : [`Not installed, so left out: ${missing.join(', ')}.`]),
  ];
  return `${table.toString()}\n${notes.join('\n')}\n${result.processor}, Node ${result.node}\n`;
}
