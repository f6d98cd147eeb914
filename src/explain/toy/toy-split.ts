/** The parts of a virtual address on a toy machine. */

import type { ToyShape } from '../../../hw/toy/shape.js';
import { addressField } from '../address-field.js';
import type { AddressField } from '../address-field.js';

/** The names and widths of the parts, highest bits first. */
export function addressParts({
  virtualBits,
  paging,
  segmentation,
}: ToyShape): (readonly [name: string, width: number])[] {
  const widths = paging ? paging.levels : [segmentation?.bits ?? 0];
  const names = paging ? indexNames(widths.length) : ['segment'];
  const rest = virtualBits - widths.reduce((sum, width) => sum + width, 0);
  const parts = widths.map((width, i): readonly [string, number] => [names[i], width]);
  return [...parts, ['offset', rest] as const].filter(([, width]) => width > 0);
}

function indexNames(levels: number): string[] {
  if (levels === 1) return ['page'];
  if (levels === 2) return ['directory index', 'table index'];
  return Array.from({ length: levels }, (_, depth) => `level ${levels - 1 - depth} index`);
}

/** The address taken apart, highest bits first. */
export function splitAddress(shape: ToyShape, address: number): AddressField[] {
  let below = shape.virtualBits;
  return addressParts(shape).map(([name, width]) => {
    below -= width;
    return addressField(name, BigInt(address), below, width);
  });
}
