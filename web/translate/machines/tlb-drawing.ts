/** The TLB arrays of an access, as they stand: for the view to draw. */

import { pageNumber, SIZE_4K } from '../../../hw/base/address.js';
import type { TranslatingMachine } from '../../../hw/translate/machine.js';
import type { TlbPart } from '../../../hw/tlb/hierarchy.js';
import type { TlbEntry } from '../../../hw/tlb/entry.js';
import type { WalkRequest } from '../../../src/explain/walk/walk.js';

/** Rights of a machine in words. */
export type RightsWords = (rights: number) => string;

interface TlbSet {
  readonly set: number;
  /** The set of the address. */
  readonly lookedUp: boolean;
  readonly ways: readonly (TlbEntry | null)[];
}

export interface TlbDrawing {
  readonly name: string;
  readonly sets: number;
  readonly ways: number;
  readonly sizes: readonly number[];
  /** log2 of the bytes of a page, by size. */
  readonly shifts: readonly number[];
  /** All sets of a small array; of a larger one those of the address. */
  readonly rows: readonly TlbSet[];
  /** The address's entry, if there is one. */
  readonly match: TlbEntry | null;
}

/** Arrays of more sets are not drawn whole. */
const MOST_DRAWN = 8;

/** The arrays of a lookup, first level first. */
function partsFor(machine: TranslatingMachine, access: WalkRequest['access']): readonly TlbPart[] {
  const { geometry, parts } = machine.tlb;
  const first =
    access === 'fetch'
      ? 'L1 instruction TLB'
      : access === 'write' && geometry.l1Store !== undefined
        ? 'L1 store TLB'
        : 'L1 data TLB';
  const second = access === 'fetch' && geometry.l2Instruction !== undefined ? 'L2 instruction TLB' : 'L2 TLB';
  return parts.filter(({ name }) => name === first || name === second);
}

/** Draws every array of the access's lookup. */
export function drawTlbs(machine: TranslatingMachine, { hi, lo, access }: WalkRequest): TlbDrawing[] {
  const { space, pageShifts } = machine.dataPath.regime;
  return partsFor(machine, access).map((part) => drawPart(part, hi, lo, space, pageShifts));
}

function drawPart(
  { name, tlb, sizes }: TlbPart,
  hi: number,
  lo: number,
  space: number,
  shifts: readonly number[],
): TlbDrawing {
  const pages = sizes.map((size) => ({ size, page: pageNumber(hi, lo, shifts[size]) % 2 ** 47 }));
  const own = (set: number): (TlbEntry | null)[] => Array.from({ length: tlb.ways }, (_, way) => tlb.entryAt(set, way));
  let match: TlbEntry | null = null;
  for (const { size, page } of pages) {
    const fits = (entry: TlbEntry | null): boolean =>
      entry?.page === page && entry.size === size && (entry.global || entry.space === space);
    match ??= own(tlb.setOf(page)).find(fits) ?? null;
  }
  const size = match?.size ?? sizes.find((candidate) => candidate === SIZE_4K) ?? sizes[0];
  const lookedUp = tlb.setOf(pages.find((candidate) => candidate.size === size)?.page ?? 0);
  const whole = tlb.sets <= MOST_DRAWN;
  const drawn = whole ? Array.from({ length: tlb.sets }, (_, set) => set) : [lookedUp];
  const rows = drawn.map((set) => ({ set, lookedUp: set === lookedUp, ways: own(set) }));
  return { name, sets: tlb.sets, ways: tlb.ways, sizes, shifts, rows, match };
}
