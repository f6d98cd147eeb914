/** Ways to write and read accesses as plain values, for the tests of this folder. */

import * as fc from 'fast-check';
import { fromBigInt, toBigInt } from '../../../hw/base/address.js';
import { AccessBlock, BLOCK_ACCESSES, FETCH, LOAD, MODIFY, STORE } from '../../../src/trace/block.js';

export interface Access {
  readonly kind: number;
  readonly address: bigint;
  readonly size: number;
}

/** Accesses as a producer would deliver them, in blocks of at most `blockLength`. */
export async function* blocksOf(accesses: Iterable<Access>, blockLength = BLOCK_ACCESSES): AsyncGenerator<AccessBlock> {
  const block = new AccessBlock();
  for (const { kind, address, size } of accesses) {
    if (block.length === blockLength) {
      yield await Promise.resolve(block);
      block.clear();
    }
    const { hi, lo } = fromBigInt(address);
    block.push(kind, hi, lo, size);
  }
  if (block.length > 0) yield block;
}

function accessesOf(block: AccessBlock): Access[] {
  return Array.from({ length: block.length }, (_, i) => ({
    kind: block.kind(i),
    address: toBigInt(block.addressHi(i), block.addressLo(i)),
    size: block.size(i),
  }));
}

export async function collect(blocks: AsyncIterable<AccessBlock>): Promise<Access[]> {
  const accesses: Access[] = [];
  for await (const block of blocks) accesses.push(...accessesOf(block));
  return accesses;
}

const LETTERS = new Map([
  [FETCH, 'I '],
  [LOAD, ' L'],
  [STORE, ' S'],
  [MODIFY, ' M'],
]);

/** Accesses as lackey prints them. */
export function lackeyText(accesses: readonly Access[]): string {
  return accesses
    .map(({ kind, address, size }) => `${LETTERS.get(kind)!} ${address.toString(16).padStart(8, '0')},${size}\n`)
    .join('');
}

/** Any access that a trace may hold, streams of neighbours and repetitions being likely. */
export const anyAccess: fc.Arbitrary<Access> = fc
  .record({
    kind: fc.constantFrom(FETCH, LOAD, STORE, MODIFY),
    address: fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.bigInt({ min: 0x1ffe_fff0_00n, max: 0x1ffe_fff1_00n }),
      fc.constantFrom(0n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n),
    ),
    size: fc.oneof(fc.constantFrom(1, 4, 8), fc.integer({ min: 1, max: 4096 })),
  })
  .filter(({ address, size }) => address + BigInt(size) <= 2n ** 64n);
