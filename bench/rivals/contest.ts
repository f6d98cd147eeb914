/** One question, its winner, and the losers: all do the same work and must come to the same checksum. */

import { mix } from '../../hw/base/random.js';

export interface Contender {
  readonly name: string;
  /** Why it lost, in one line; for the winner its description. */
  readonly why: string;
  /** Undoes the changes of a run; not measured. */
  readonly before?: () => void;
  /** Does all the work once. Its results must not differ from run to run. */
  readonly run: () => void;
  /** Of all results of the last run. */
  readonly checksum: () => number;
}

export interface Contest {
  readonly question: string;
  /** Operations (loads, faults, entries) of one run. */
  readonly operations: number;
  /** The winner comes first. */
  readonly contenders: readonly [Contender, ...Contender[]];
}

/** How much work a run is: 1 to measure, less only to see all agree. */
export type Scale = number;

/** A checksum of words in their order. */
export function checksumOf(...arrays: readonly Int32Array[]): number {
  let sum = 0;
  for (const words of arrays) for (const word of words) sum = mix(sum ^ word);
  return sum;
}
