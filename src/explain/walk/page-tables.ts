/** Page tables of any mode, written entry by entry into a state's memory, as a boot loader writes them. */

import { formatHex, fromBigInt, PAGE_BYTES } from '../../../hw/base/address.js';
import type { Word64 } from '../../../hw/base/address.js';
import type { PagingLevel } from '../../../hw/base/format.js';
import { PTE_P, PTE_PS, PTE_RW, PTE_US, X86_MODES } from '../../../hw/x86/format.js';
import type { X86ModeName } from '../../../hw/x86/format.js';
import type { MachineStateInput } from '../machine-state.js';

type StoredInput = NonNullable<MachineStateInput['memory']>[number];

export function hexOf(value: bigint): string {
  const { hi, lo }: Word64 = fromBigInt(value);
  return formatHex(hi, lo);
}

/** Everything is allowed by the tables above a page: so the page's own entry decides. */
const OPEN_TABLE = PTE_P | PTE_RW | PTE_US;

export class PageTableWriter {
  /** Physical address of the root table. */
  readonly root: bigint;
  readonly #levels: readonly PagingLevel[];
  readonly #entryBytes: 4 | 8;
  /** Entries by physical address. */
  readonly #entries = new Map<bigint, bigint>();
  #nextTable: bigint;

  /** Tables lie one after the other from the physical address `root` up. */
  constructor(
    readonly mode: Exclude<X86ModeName, 'none'>,
    root = 0x1000n,
  ) {
    this.root = root;
    this.#nextTable = root + BigInt(PAGE_BYTES);
    this.#levels = X86_MODES[mode].levels;
    this.#entryBytes = X86_MODES[mode].entryBytes;
  }

  /** Physical address of the entry for `linear` at the level of 2^shift bytes an entry; tables above it are made. */
  entryAddress(linear: bigint, shift: number): bigint {
    let table = this.root;
    for (const level of this.#levels) {
      const index = (linear >> BigInt(level.shift)) & ((1n << BigInt(level.indexBits)) - 1n);
      const entry = table + index * BigInt(this.#entryBytes);
      if (level.shift === shift) return entry;
      table = this.#tableBelow(entry, level);
    }
    throw new RangeError(`${this.mode} paging has no entries that map 2^${shift} bytes`);
  }

  #tableBelow(entry: bigint, level: PagingLevel): bigint {
    const present = this.#entries.get(entry);
    if (present !== undefined) return present & ~0xfffn;
    const table = this.#nextTable;
    this.#nextTable += BigInt(PAGE_BYTES);
    // A PDPTE of PAE paging has no R/W and U/S: the bits are reserved.
    const isPaeRoot = this.mode === 'pae' && level.shift === 30;
    this.#entries.set(entry, table | BigInt(isPaeRoot ? PTE_P : OPEN_TABLE));
    return table;
  }

  /** Maps the page of 2^shift bytes at `linear` to `physical`, with `bits` of the entry besides the address. */
  map(linear: bigint, physical: bigint, bits: number | bigint, shift = 12): void {
    const size = shift === 12 ? 0n : BigInt(PTE_PS);
    this.#entries.set(this.entryAddress(linear, shift), physical | BigInt(bits) | size);
  }

  /** The memory for a {@link MachineState}, in order of address. */
  get memory(): StoredInput[] {
    return [...this.#entries]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([at, value]) => ({ at: hexOf(at), value: hexOf(value), bytes: this.#entryBytes }));
  }
}
