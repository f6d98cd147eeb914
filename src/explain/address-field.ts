/** The parts of an address: an index for each table on the way, and the offset. */

import type { PagingLevel } from '../../hw/base/format.js';

/** Some bits of an address, `low` to `high` inclusive. */
export interface AddressField {
  /** `PT index`, `directory index`, `page`, `segment`, `offset` and so on. */
  readonly name: string;
  readonly high: number;
  readonly low: number;
  /** The bits as digits. */
  readonly bits: string;
  readonly value: number;
}

/** Takes `width` bits from bit `low` up out of an address. */
export function addressField(name: string, address: bigint, low: number, width: number): AddressField {
  const value = BigInt.asUintN(width, address >> BigInt(low));
  return { name, high: low + width - 1, low, bits: value.toString(2).padStart(width, '0'), value: Number(value) };
}

/**
 * The address taken apart, highest bits first: an index for each level down to `last`, and the rest as offset.
 * @param levels root first
 */
export function splitByLevels(levels: readonly PagingLevel[], address: bigint, last = 0): AddressField[] {
  const indices = levels
    .filter(({ level }) => level >= last)
    .map(({ table, shift, indexBits }) => addressField(`${table} index`, address, shift, indexBits));
  const rest = indices.at(-1)?.low ?? 0;
  return rest === 0 ? indices : [...indices, addressField('offset', address, 0, rest)];
}
