/**
 * The gain of programs from huge pages on this machine, beside pagewalk's prediction: each is run in pairs with and
 * without them, recorded, and compared, all by the users' own commands. Or beside a table of another machine's gains:
 * then nothing is measured.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { boxTable } from '../../src/report/output/table.js';
import { CompareResult } from '../../src/report/results/compare-result.js';
import { formatShare } from '../../src/report/output/units.js';
import { thisHost } from '../measure/host.js';
import type { Host } from '../measure/host.js';
import { Measurements, type Tried } from './measurements.js';
import { pagewalk } from './pagewalk.js';
import { realPrograms } from './programs.js';
import type { RealProgram } from './programs.js';
import { readPublished } from './published.js';
import { spearman } from './ranks.js';

/** From this gain on a "no" would be wrong, and below it a "yes". */
const REAL_GAIN = 1.05;
const NO_GAIN = 1.01;

interface RealityRow {
  readonly name: string;
  /** User time with small pages over that with huge ones, measured. */
  readonly real: Tried['speedup']['user'];
  /** The share of resident memory in huge pages: what the prediction is for. */
  readonly hugeShare: number | null;
  /** Pairs of runs, and processors kept busy by other programs meanwhile; null where a table says it. */
  readonly pairs: number | null;
  readonly otherLoad: number | null;
  readonly predicted: { readonly low: number; readonly high: number } | null;
  readonly verdict: string;
  /** Whether the measured median, to two decimals, is in the predicted range. */
  readonly inside: boolean;
}

export interface RealityBench extends Host {
  readonly schemaVersion: 2;
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

export interface RealityOptions {
  /** Programs with matching names. */
  readonly only?: RegExp | undefined;
  /** As `pagewalk compare --tlb` takes it: this machine's, or the table's. */
  readonly tlb?: string | undefined;
  /** A file that keeps measurements. */
  readonly measured?: string | undefined;
  /** A table of another machine's gains, and its host's pages. */
  readonly against?: string | undefined;
  readonly nested?: string | undefined;
}

const twoDecimals = (value: number): number => Math.round(100 * value) / 100;

/** What is measured or published of a program. */
type Real = Pick<Tried, 'speedup' | 'sides'> & Partial<Tried>;

function predict({ name, command }: RealProgram, real: Real, folder: string, priced: readonly string[]): RealityRow {
  const memory = real.sides.at(-1)?.memory;
  const hugeShare = memory ? memory.huge / Math.max(1, memory.resident) : null;
  const trace = join(folder, 'trace.pwt');
  pagewalk(['record', '-o', trace, '--', ...command]);
  const share = hugeShare === null ? [] : ['--huge-share', `${Math.round(100 * hugeShare)}%`];
  const output = pagewalk(['compare', trace, '--pages', '4K,2M', ...share, ...priced, '--json']);
  const [{ verdict, speedup: predicted }] = CompareResult.parse(JSON.parse(output)).traces;
  const { user } = real.speedup;
  const inside =
    user !== null &&
    predicted !== null &&
    twoDecimals(user.median) >= twoDecimals(predicted.low) &&
    twoDecimals(user.median) <= twoDecimals(predicted.high);
  const { pairs = null, otherLoad = null } = real;
  return { name, real: user, hugeShare, pairs, otherLoad, predicted, verdict, inside };
}

function wrongVerdict({ name, real, verdict }: RealityRow): string[] {
  if (real === null) return [];
  const wrong = (verdict === 'yes' && real.median < NO_GAIN) || (verdict === 'no' && real.median > REAL_GAIN);
  return wrong ? [`${name}: ${verdict}`] : [];
}

/** Measures every program first, then records and predicts: only the first part needs a quiet machine. */
export function measureReality({ only, tlb, measured: file, against, nested }: RealityOptions): RealityBench {
  const folder = mkdtempSync(join(tmpdir(), 'pagewalk-reality-'));
  try {
    const { programs, missing } = realPrograms(folder);
    const chosen = programs.filter(({ name }) => only?.test(name) ?? true);
    const shape = tlb === undefined ? [] : ['--tlb', tlb];
    if (against !== undefined) {
      const table = readPublished(against);
      const priced = ['--costs', 'preset', ...shape, ...(nested === undefined ? [] : ['--nested', nested])];
      const rows = chosen.flatMap((program) => {
        const real = table.get(program.published);
        return real === undefined ? [] : [predict(program, real, folder, priced)];
      });
      return resultOf(rows, missing, `those of the preset, and no measurement here; measured: ${against}`);
    }
    const measured = new Measurements(file);
    const prices = join(folder, 'prices.json');
    const costs = measured.prices(prices, shape);
    const tried = chosen.map((program) => measured.tried(program));
    writeFileSync(prices, JSON.stringify(costs));
    const priced = ['--costs', prices, ...shape];
    const rows = chosen.map((program, i) => predict(program, tried[i], folder, priced));
    return resultOf(rows, missing, costs.source ?? '');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function resultOf(rows: readonly RealityRow[], missing: readonly string[], prices: string): RealityBench {
  const told = rows.flatMap(({ real, predicted }) =>
    real === null || predicted === null ? [] : [{ real, predicted }],
  );
  return {
    schemaVersion: 2,
    ...thisHost(),
    prices,
    missing,
    rows,
    inside: rows.filter(({ inside }) => inside).length,
    wrong: rows.flatMap(wrongVerdict),
    widest: Math.max(1, ...told.map(({ predicted: { low, high } }) => high / low)),
    spearman: spearman(
      told.map(({ real }) => real.median),
      told.map(({ predicted: { low, high } }) => Math.sqrt(low * high)),
    ),
  };
}

const times = (value: number): string => value.toFixed(2);
const orDash = <Value>(value: Value | null, text: (value: Value) => string): string =>
  value === null ? '-' : text(value);

export function realityTable(result: RealityBench): string {
  const table = boxTable(
    ['user time, 4K over 2M pages', 'measured', 'predicted', 'verdict', 'inside', 'huge', 'pairs', 'other load'],
    result.rows.map(({ name, real, predicted, verdict, inside, hugeShare, pairs, otherLoad }) => [
      name,
      orDash(real, ({ median, low, high }) => `${times(median)} (${times(low)} to ${times(high)})`),
      orDash(predicted, ({ low, high }) => `${times(low)} to ${times(high)}`),
      verdict,
      inside ? 'yes' : 'no',
      orDash(hugeShare, (share) => formatShare(share)),
      orDash(pairs, (count) => String(count)),
      orDash(otherLoad, (load) => load.toFixed(1)),
    ]),
    { left: [0, 1, 2, 3, 4] },
  );
  const { rows, inside, wrong, widest, missing, prices } = result;
  const notes = [
    `${inside} of ${rows.length} inside; widest range: a factor ${times(widest)}; Spearman ${orDash(result.spearman, times)}.`,
    `Wrong verdicts: ${wrong.length === 0 ? 'none' : wrong.join('; ')}.`,
    ...(missing.length === 0 ? [] : [`Not installed, so left out: ${missing.join(', ')}.`]),
    `Prices: ${prices}`,
  ];
  return `${table}\n${notes.join('\n')}\n${result.processor}, Node ${result.node}\n`;
}
