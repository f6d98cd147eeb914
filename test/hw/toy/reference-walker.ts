/** Translation on a toy machine, in BigInt and by the book: chapter 16 and 20 of OSTEP. It sets no bits and caches nothing. */

import { FETCH, USER, WRITE } from '../../../hw/base/access.js';
import type { ToyEntry, ToyShape } from '../../../hw/toy/shape.js';

/** A physical address, or why there is none: `invalid 0` names the level. */
export type ReferenceAnswer = bigint | string;

type Memory = (address: bigint) => number;

const bit = (value: bigint, at: number | undefined): boolean => at === undefined || ((value >> BigInt(at)) & 1n) === 1n;

function refusal(access: number, allowed: { write: boolean; fetch: boolean; user: boolean }): string {
  const words = [
    [WRITE, 'write'],
    [FETCH, 'fetch'],
    [USER, 'user'],
  ] as const;
  return words.flatMap(([kind, name]) => ((access & kind) !== 0 && !allowed[name] ? [name] : [])).join(' ');
}

function pageWalk(
  { virtualBits, memoryBytes, paging }: ToyShape,
  memory: Memory,
  address: bigint,
  access: number,
): ReferenceAnswer {
  const { pageBytes, levels, root, entry, tableEntry = entry } = paging!;
  const digits = address.toString(2).padStart(virtualBits, '0');
  let at = 0;
  let table = BigInt(root);
  const allowed = { write: true, fetch: true, user: true };
  for (const [depth, bits] of levels.entries()) {
    const last = depth === levels.length - 1;
    const layout: ToyEntry = last ? entry : tableEntry;
    const index = BigInt(`0b${digits.slice(at, at + bits)}`);
    at += bits;
    const where = table + index * BigInt(layout.bytes);
    if (where + BigInt(layout.bytes) > BigInt(memoryBytes)) return 'no memory';
    let value = 0n;
    for (let byte = 0; byte < layout.bytes; byte++) value |= BigInt(memory(where + BigInt(byte))) << BigInt(8 * byte);
    if (!bit(value, layout.valid)) return `invalid ${levels.length - 1 - depth}`;
    allowed.write &&= bit(value, layout.writable);
    allowed.fetch &&= bit(value, layout.executable);
    allowed.user &&= bit(value, layout.user);
    const [high, low] = layout.frame;
    table = ((value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n)) * BigInt(pageBytes);
  }
  const refused = refusal(access, allowed);
  if (refused !== '') return refused;
  const physical = table + BigInt(`0b${digits.slice(at)}`);
  return physical < BigInt(memoryBytes) ? physical : 'no memory';
}

function segmentCheck(
  { virtualBits, memoryBytes, segmentation }: ToyShape,
  address: bigint,
  access: number,
): ReferenceAnswer {
  const { bits, registers } = segmentation!;
  const most = 1n << BigInt(virtualBits - bits);
  const register = registers.at(Number(address / most));
  if (register === undefined) return 'outside';
  const { base, limit, grows, writable = true, executable = true } = register;
  // OSTEP, "What About The Stack?": the offset of a segment that grows down is negative.
  const offset = grows === 'up' ? address % most : (address % most) - most;
  const inside = grows === 'up' ? offset < BigInt(limit) : -offset <= BigInt(limit);
  if (!inside) return 'outside';
  const refused = refusal(access, { write: writable, fetch: executable, user: true });
  if (refused !== '') return refused;
  const physical = BigInt(base) + offset;
  return physical >= 0n && physical < BigInt(memoryBytes) ? physical : 'no memory';
}

/** The answer of the machine of this shape with this memory. */
export function referenceAnswer(shape: ToyShape, memory: Memory, address: number, access: number): ReferenceAnswer {
  return shape.paging ? pageWalk(shape, memory, BigInt(address), access) : segmentCheck(shape, BigInt(address), access);
}
