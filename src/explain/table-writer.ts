/** Page tables of any machine, written entry by entry into a state's memory, as a boot loader writes them. */

import { formatHex, fromBigInt } from '../../hw/base/address.js';
import type { PagingLevel } from '../../hw/base/format.js';
import type { MachineStateInput } from './machine-state.js';

type StoredInput = NonNullable<MachineStateInput['memory']>[number];

/** The form of tables and of entries for tables. */
export interface TableForm {
  /** Root first. */
  readonly levels: readonly PagingLevel[];
  readonly entryBytes: 4 | 8;
  /** Tables lie one after the other, so far apart. */
  readonly tableBytes: number;
  /** The root's own bytes, where it is several tables in a row. */
  readonly rootBytes?: number;
  /** The entry of a level for the table at a physical address. */
  readonly entryFor: (table: bigint, level: PagingLevel) => bigint;
  /** The physical address of the table of an entry. */
  readonly tableOf: (entry: bigint) => bigint;
}

/** A bigint as hexadecimal text. */
export function hexOf(value: bigint): string {
  const { hi, lo } = fromBigInt(value);
  return formatHex(hi, lo);
}

/** Tables under one root; those above a page are made when it is set. */
export class TableWriter {
  /** Entries by physical address. */
  readonly #entries = new Map<bigint, bigint>();
  #nextTable: bigint;

  /** @param root physical address of the root table */
  constructor(
    readonly form: TableForm,
    readonly root: bigint,
  ) {
    this.#nextTable = root + BigInt(form.rootBytes ?? form.tableBytes);
  }

  /** Physical address of the entry for `linear` at the level of 2^shift bytes an entry; tables above it are made. */
  private entryAddress(linear: bigint, shift: number): bigint {
    const { levels, entryBytes } = this.form;
    let table = this.root;
    for (const level of levels) {
      const index = BigInt.asUintN(level.indexBits, linear >> BigInt(level.shift));
      const entry = table + index * BigInt(entryBytes);
      if (level.shift === shift) return entry;
      table = this.#tableBelow(entry, level);
    }
    throw new RangeError(`this paging has no entries that map 2^${shift} bytes`);
  }

  #tableBelow(entry: bigint, level: PagingLevel): bigint {
    const { form } = this;
    const present = this.#entries.get(entry);
    if (present !== undefined) return form.tableOf(present);
    const table = this.#nextTable;
    this.#nextTable += BigInt(form.tableBytes);
    this.#entries.set(entry, form.entryFor(table, level));
    return table;
  }

  /** Sets the entry for `linear` at the level of 2^shift bytes an entry. */
  set(linear: bigint, entry: bigint, shift = 12): void {
    this.#entries.set(this.entryAddress(linear, shift), entry);
  }

  /** The memory for a state, in order of address, moved up by `offset` bytes. */
  memoryAt(offset: bigint): StoredInput[] {
    return [...this.#entries]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([at, value]) => ({ at: hexOf(at + offset), value: hexOf(value), bytes: this.form.entryBytes }));
  }

  /** The memory for a state, in order of address. */
  get memory(): StoredInput[] {
    return this.memoryAt(0n);
  }
}
