/** One question, the way that won, and the ways that lost: all do the same work and must come to the same checksum. */

import { mix } from '../../hw/base/random.js';

export interface Contender {
  readonly name: string;
  /** Why it lost, in one line; what it is, for the one that won. */
  readonly why: string;
  /** Puts back what a run changed; not measured. */
  readonly before?: () => void;
  /** Does all the work once. What it leaves must not differ from run to run. */
  readonly run: () => void;
  /** Of everything that the last run left. */
  readonly checksum: () => number;
}

export interface Contest {
  readonly question: string;
  /** Operations (loads, faults, entries) of one run. */
  readonly operations: number;
  /** The one that won comes first. */
  readonly contenders: readonly [Contender, ...Contender[]];
}

/** How much work a run is: 1 to measure, less to see only that all agree. */
export type Scale = number;

/** A checksum of words in their order. */
export function checksumOf(...arrays: readonly Int32Array[]): number {
  let sum = 0;
  for (const words of arrays) for (const word of words) sum = mix(sum ^ word);
  return sum;
}
