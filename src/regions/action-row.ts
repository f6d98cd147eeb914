/** One action for or against huge pages: what it is for, and what it costs. */

import type { Obstacle } from './backing.js';
import type { ThpMode } from './policy.js';
import type { Runtime } from './programs.js';
import type { RegionKind } from './region.js';

/**
 * The memory of an action, always resident: `asking` could be huge once the program asks, `waiting` may be huge already and is
 * not yet. An obstacle's name stands for the memory kept small by it.
 */
type Share = 'asking' | 'waiting' | Obstacle;

export interface ActionRow {
  readonly id: string;
  readonly title: string;
  /** The setting, command or call. */
  readonly how: string;
  /** For a gain in speed, against wasted memory, or for every such process. */
  readonly purpose: 'gain' | 'waste' | 'always';
  readonly kinds: readonly RegionKind[];
  readonly shares: readonly Share[];
  /** All of these must be in the process. */
  readonly needs?: readonly Runtime[];
  /** None of these may be. */
  readonly unless?: readonly Runtime[];
  /** Only under these settings of transparent_hugepage/enabled. */
  readonly enabled?: readonly ThpMode[];
  /** In memory: rounding up adds some, leaving huge pages off saves as much, a pool is set aside. */
  readonly effect: 'adds' | 'saves' | 'sets aside';
  readonly memory: string;
  readonly fork: string;
  readonly source: string;
}
