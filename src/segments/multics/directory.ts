/** The directory: named segments that outlive processes, each with its brackets, entry points and links. */

import type { MulticsKind, RingBrackets } from './rings.js';

/** A reference to a symbol in another segment, as the compiler leaves it in the procedure's linkage template. */
export interface Link {
  readonly segment: string;
  readonly symbol: string;
}

/** An entry for the directory. */
export interface SegmentDefinition {
  readonly name: string;
  readonly kind: MulticsKind;
  /** R1, R2, R3. */
  readonly brackets: readonly [number, number, number];
  /** Bytes of the segment. */
  readonly bytes: number;
  /** Offsets of entry points by symbol. */
  readonly symbols?: Readonly<Record<string, number>>;
  readonly links?: readonly Link[];
}

export class NamedSegment {
  readonly brackets: RingBrackets;
  readonly symbols: ReadonlyMap<string, number>;
  readonly links: readonly Link[];

  /** @param selector the storage system's own, for the segment */
  constructor(
    readonly name: string,
    readonly kind: MulticsKind,
    readonly selector: number,
    definition: SegmentDefinition,
  ) {
    const [r1, r2, r3] = definition.brackets;
    this.brackets = { r1, r2, r3 };
    this.symbols = new Map(Object.entries(definition.symbols ?? {}));
    this.links = definition.links ?? [];
  }

  /** Whether `offset` is an entry point: the only offsets for callers of a gate. */
  isEntryPoint(offset: number): boolean {
    return [...this.symbols.values()].includes(offset);
  }
}

export type Directory = Map<string, NamedSegment>;
