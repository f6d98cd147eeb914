/** The TLB of a toy machine, as the page draws TLBs. */

import type { ToyMachine } from '../../../hw/toy/machine.js';
import { TOY_EXECUTABLE, TOY_USER, TOY_WRITABLE } from '../../../hw/toy/shape.js';
import type { TlbEntry } from '../../../hw/tlb/entry.js';
import type { RightsWords, TlbDrawing } from './tlb-drawing.js';

const RIGHTS = [
  ['writable', 'W', TOY_WRITABLE],
  ['executable', 'X', TOY_EXECUTABLE],
  ['user', 'U', TOY_USER],
] as const;

/** The rights that its entries have bits for, by the names of the bits; every access has the others. */
export function toyRights({ shape: { paging } }: ToyMachine): RightsWords {
  const kept = RIGHTS.filter(([flag]) => paging?.entry[flag] !== undefined);
  return (rights) => kept.flatMap(([, name, bit]) => ((rights & bit) === 0 ? [] : [name])).join(' ');
}

/** One array, all of it; none for a machine without a TLB. */
export function drawToyTlb({ tlb }: ToyMachine, address: number): TlbDrawing[] {
  if (tlb === null) return [];
  const { sets, ways } = tlb.shape;
  const page = Math.floor(address / 2 ** tlb.pageShift);
  const rows = tlb.sets.map((held, set) => ({
    set,
    lookedUp: set === tlb.setOf(page),
    ways: Array.from({ length: ways }, (_, way): TlbEntry | null => {
      const entry = held.at(way);
      return entry === undefined ? null : { ...entry, size: 0, space: 0, global: false };
    }),
  }));
  const match = rows.flatMap((row) => row.ways).find((entry) => entry?.page === page) ?? null;
  return [{ name: 'TLB', sets, ways, sizes: [0], shifts: [tlb.pageShift], rows, match }];
}
