/** Ratios of CPU times: contenders take turns in one process, on a machine with other work too. */

import { median } from '../../src/host/ratio.js';

/** Nanoseconds of this process's CPU time, all threads. */
export function cpuNow(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

/** CPU time as a multiple of another's: of the rounds the median, the least and the most. */
export interface RoundRatio {
  readonly ratio: number;
  readonly least: number;
  readonly most: number;
}

/** Each round makes one ratio, from two times taken one after the other. */
export function roundRatio(own: readonly number[], other: readonly number[]): RoundRatio {
  const ratios = own.map((nanoseconds, round) => nanoseconds / other[round]);
  return { ratio: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}

/** `1.87 to 2.58` */
export function rangeText({ least, most }: Pick<RoundRatio, 'least' | 'most'>): string {
  return `${least.toFixed(2)} to ${most.toFixed(2)}`;
}
