/** Any TLB in a few characters: `64x4+1536x12` is an L1 of 64 entries, 4 ways, and an L2 of 1536 entries, 12 ways. */

import { pageSizeName, SHIFT_1G, SHIFT_2M, SHIFT_4K } from '../../hw/address.js';
import type { TlbArrayShape, TlbGeometry, TlbLevelShape } from '../../hw/tlb/hierarchy.js';
import { checkShape } from '../../hw/tlb/tlb.js';

const EVERY_SIZE = [SHIFT_4K, SHIFT_2M, SHIFT_1G];

function parseLevel(text: string, name: string): TlbArrayShape {
  const match = /^(\d{1,7})x(\d{1,7})$/.exec(text);
  const shape = { entries: Number(match?.[1]), ways: Number(match?.[2]), pages: EVERY_SIZE };
  checkShape(shape, name);
  return shape;
}

/** Whether `text` looks like a geometry rather than like the name of a processor. */
export function isTlbSpec(text: string): boolean {
  return /^\d+x/.test(text);
}

/**
 * `ENTRIESxWAYS[+ENTRIESxWAYS]`: every level holds every page size in one array; fetches have an L1 of the same shape
 * of their own and share the L2; there are no paging-structure caches, so a walk reads an entry a level.
 *
 * @throws RangeError that names the level and what is wrong with it.
 */
export function parseTlbSpec(text: string): TlbGeometry {
  if (!/^\d+x\d+(\+\d+x\d+)?$/.test(text)) {
    throw new RangeError('write ENTRIESxWAYS for the L1 and + for an L2, as in 64x4+1536x12');
  }
  const [l1, ...l2] = text.split('+');
  const first = parseLevel(l1, 'L1 TLB');
  return {
    name: text,
    l1Data: [first],
    l1Instruction: [first],
    l2: l2.map((level) => parseLevel(level, 'L2 TLB')),
  };
}

function describeLevel(level: TlbLevelShape): string {
  const arrays = level.map(({ entries, ways, pages }) => {
    const form = entries === ways ? `${entries} fully associative` : `${entries}x${ways}`;
    const names = pages.filter((shift) => EVERY_SIZE.includes(shift)).map(pageSizeName);
    return `${form} for ${names.join('/')}`;
  });
  return arrays.join(', ');
}

/** What data accesses meet, in words: `L1 64x4 for 4K, 32x4 for 2M; L2 1536x12 for 4K/2M`. */
export function describeTlb({ l1Data, l2, walkCaches }: TlbGeometry): string {
  const caches = Object.entries(walkCaches ?? {}).map(([name, shape]) => `${name.toUpperCase()} ${shape.entries}`);
  return [
    `L1 ${describeLevel(l1Data)}`,
    l2.length === 0 ? 'no L2' : `L2 ${describeLevel(l2)}`,
    caches.length === 0 ? 'no paging-structure caches' : `paging-structure caches ${caches.join(', ')}`,
  ].join('; ');
}

/** Entries for pages of `2^shift` bytes in the level that has most of them: how many data pages the TLB holds at once. */
export function entriesFor({ l1Data, l2 }: TlbGeometry, shift: number): number {
  const inLevel = (level: TlbLevelShape): number =>
    level.filter(({ pages }) => pages.includes(shift)).reduce((sum, { entries }) => sum + entries, 0);
  return Math.max(inLevel(l1Data), inLevel(l2));
}
