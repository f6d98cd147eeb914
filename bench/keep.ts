/** `npm run bench -- --keep`: ratios over time, a line of JSON for each run. */

import { spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { packageFile, packageVersion } from '../src/host/package-file.js';
import type { Host } from './measure/host.js';

/** Where they go unless another file is named. */
export const KEPT = packageFile('bench/ratios.jsonl');

/** What a question found. */
export interface Ratios extends Host {
  readonly rounds: number;
  readonly rows: readonly { readonly name: string; readonly what?: string; readonly ratio: number }[];
}

/** A line of the file. */
export interface KeptRatios extends Host {
  readonly date: string;
  /** Of the package. */
  readonly version: string;
  /** The commit, `-dirty` where files differ from it; absent outside of a clone. */
  readonly commit?: string;
  readonly question: string;
  readonly rounds: number;
  /** CPU time as a multiple of another's, median of the rounds, by row. */
  readonly ratios: Readonly<Record<string, number>>;
}

function commit(): string | undefined {
  const { status, stdout } = spawnSync('git', ['describe', '--always', '--dirty'], {
    cwd: packageFile('.'),
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : undefined;
}

/** Appends a line to the file, which may not be there yet. */
export function keep(file: string, question: string, { node, processor, rounds, rows }: Ratios): void {
  const at = commit();
  const line: KeptRatios = {
    date: new Date().toISOString().slice(0, 10),
    version: packageVersion(),
    ...(at !== undefined && { commit: at }),
    node,
    processor,
    question,
    rounds,
    ratios: Object.fromEntries(
      rows.map(({ name, what, ratio }) => [what === undefined ? name : `${name}, ${what}`, Number(ratio.toFixed(3))]),
    ),
  };
  appendFileSync(file, `${JSON.stringify(line)}\n`);
}
