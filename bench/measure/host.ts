/** Host times are of one machine: its name. */

import { cpus } from 'node:os';
import { countOf } from '../../src/report/output/units.js';

export interface Host {
  readonly node: string;
  readonly processor: string;
}

export function thisHost(): Host {
  return { node: process.version, processor: cpus().at(0)?.model ?? 'unknown' };
}

/** How ratios of CPU times came about. */
export function hostText({ rounds, node, processor }: Host & { readonly rounds: number }): string {
  return `CPU time, medians of ${countOf(rounds, 'round')}; Node ${node}, ${processor}`;
}
