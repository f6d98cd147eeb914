/** The shape of one array of TLB entries, as it is asked for. */

import { checkChoice, isWhole, objectWith, shown } from '../base/arguments.js';
import { REPLACEMENTS, TREE_PLRU_MAX_WAYS } from './array/replacement.js';
import type { Replacement } from './array/replacement.js';

/** A miss compares every way of a set: with a million of them a common run would take hours. */
const MOST_WAYS = 4096;
export const MOST_ENTRIES = 2 ** 20;

/** The shape of one array: entries, ways, replacement. */
export interface TlbShape {
  /** Entries in all: sets x ways. */
  readonly entries: number;
  /** Entries of a set; equal to `entries` when fully associative. */
  readonly ways: number;
  readonly replacement?: Replacement;
  /** For random replacement. */
  readonly seed?: number;
}

/** @throws RangeError with the field, the value and a right value. */
export function checkShape(shape: TlbShape, name: string): void {
  const { entries, ways } = shape;
  if (!isWhole(entries, 1, MOST_ENTRIES)) {
    throw new RangeError(`${name}: entries ${shown(entries)} must be a whole number from 1 to ${MOST_ENTRIES}`);
  }
  if (!isWhole(ways, 1) || entries % ways !== 0) {
    throw new RangeError(`${name}: ways ${shown(ways)} must be a whole number that divides the ${entries} entries`);
  }
  if (ways > MOST_WAYS) {
    throw new RangeError(`${name}: ways ${ways} must be at most ${MOST_WAYS}`);
  }
  checkChoice(`${name}: replacement`, shape.replacement ?? 'lru', REPLACEMENTS);
  if (shape.replacement === 'tree-plru' && ways > TREE_PLRU_MAX_WAYS) {
    throw new RangeError(`${name}: ways ${ways} must be at most ${TREE_PLRU_MAX_WAYS} for tree-plru`);
  }
}

/** Shapes of all levels of a machine, `TlbGeometry`, as an argument: for checks of options. */
export const TLB_GEOMETRY = objectWith('l1Data', "a shape, such as parseTlb('zen4')");
