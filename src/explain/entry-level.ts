/** One entry on the way to an address, taken apart: the same for every machine. */

import type { DecodedField } from '../../hw/base/format.js';

/** Addresses, registers and entries are hexadecimal text, as 64 bits do not fit into a number of JSON. */
export type Hex = string;

/** An entry of a table. */
export interface EntryLevel {
  /** `PML4`, `level 2` and so on, as the manual has it. */
  readonly table: string;
  /** 0 for the last one. */
  readonly level: number;
  readonly index: number;
  /** Physical address of the entry; null when the processor keeps it in a register. */
  readonly entryAddress: Hex | null;
  readonly raw: Hex;
  /** The kind of entry, such as `PDE 2M`, and the manual's section about it. */
  readonly format: string;
  readonly section: string;
  readonly fields: readonly DecodedField[];
  /** Names of the one-bit fields with a 1. */
  readonly flags: string;
  readonly pointsTo: 'table' | 'page' | 'nothing';
  /** Physical address it points to. */
  readonly target: Hex | null;
}
