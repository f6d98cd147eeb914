/** `npm run bench -- --start`: how long commands take to start, against a Node process with nothing to do. */

import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { boxTable } from '../src/report/output/table.js';
import { median } from '../src/host/ratio.js';
import { CLI_PATH } from './measure/cli-path.js';
import { cpuSeconds } from './measure/cpu-seconds.js';
import { hostText, thisHost, type Host } from './measure/host.js';
import { rangeText, roundRatio, type RoundRatio } from './measure/ratio.js';

const COMMANDS = ['--version', 'walk 0x401000', 'fork --resident 4K'];
/** Starts measured as one: some shells count in hundredths of a second. */
const STARTS = 4;

interface StartRow extends RoundRatio {
  readonly name: string;
  /** Median CPU seconds of a start. */
  readonly seconds: number;
}

export interface StartBench extends Host {
  readonly schemaVersion: 1;
  readonly rounds: number;
  /** Median CPU seconds of the empty process. */
  readonly seconds: number;
  readonly rows: readonly StartRow[];
  /** Wall-clock seconds from the start of `pagewalk` alone to its first table; null for a quick run. */
  readonly firstTable: { readonly median: number; readonly least: number; readonly most: number } | null;
}

function firstTableSeconds(): Promise<number> {
  const began = performance.now();
  const child = spawn(process.execPath, [CLI_PATH], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  return new Promise((resolve, reject) => {
    child.stdout.on('data', (part) => {
      const shown = text.includes('└');
      text += String(part);
      if (!shown && text.includes('└')) resolve((performance.now() - began) / 1000);
    });
    child.on('close', () => {
      reject(new Error(`'pagewalk' printed no table, but: ${text}`));
    });
  });
}

/** Each command in turn with the empty process, `rounds` times. */
export async function measureStart(rounds: number, quick = false): Promise<StartBench> {
  // Where the clock counts ticks, a short process may have none of them.
  const start = (words: string, times = quick ? 1 : STARTS): number => {
    const commands = Array.from({ length: times }, () => `'${process.execPath}' ${words}`);
    const seconds = cpuSeconds(commands.join('; '), tmpdir());
    return seconds > 0 ? seconds / times : start(words, 2 * times);
  };
  const empty: number[] = [];
  const rows = COMMANDS.map((name) => ({ name, times: [] as number[] }));
  const tables: number[] = [];
  for (let round = 0; round < rounds; round++) {
    empty.push(start('-e 0'));
    for (const { name, times } of rows) times.push(start(`'${CLI_PATH}' ${name}`));
    if (!quick) tables.push(await firstTableSeconds());
  }
  return {
    schemaVersion: 1,
    ...thisHost(),
    rounds,
    seconds: median(empty),
    rows: rows.map(({ name, times }) => ({ name, seconds: median(times), ...roundRatio(times, empty) })),
    firstTable: quick ? null : { median: median(tables), least: Math.min(...tables), most: Math.max(...tables) },
  };
}

export function startTable(result: StartBench): string {
  const table = boxTable(
    ['pagewalk, against an empty Node process', 'ratio', 'range', 'ms', 'ms of Node'],
    result.rows.map((row) => {
      const times = [row.seconds, result.seconds].map((seconds) => (1000 * seconds).toFixed(0));
      return [row.name, row.ratio.toFixed(2), rangeText(row), ...times];
    }),
  );
  return [table, ...firstTableText(result), `${hostText(result)}\n`].join('\n');
}

function firstTableText({ firstTable }: StartBench): string[] {
  if (firstTable === null) return [];
  const { median: middle, ...range } = firstTable;
  return [`The first table of pagewalk: ${middle.toFixed(2)} s after its start (${rangeText(range)}), by the clock.`];
}
