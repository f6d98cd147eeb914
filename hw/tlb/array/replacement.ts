/** The choice of the entry of a full set to make room for a new one. */

export const LRU = 0;
export const TREE_PLRU = 1;
export const FIFO = 2;
export const RANDOM = 3;

/** True least-recently-used, the tree approximation most processors use, first in first out, or by a seeded draw. */
export type Replacement = 'lru' | 'tree-plru' | 'fifo' | 'random';

const CODES: Readonly<Record<Replacement, number>> = { lru: LRU, 'tree-plru': TREE_PLRU, fifo: FIFO, random: RANDOM };

export const REPLACEMENTS = Object.keys(CODES) as readonly Replacement[];

/** The number to switch on in hot code. */
export function replacementCode(name: Replacement): number {
  return CODES[name];
}

/**
 * Tree-PLRU keeps one bit for each inner node of a binary tree over the ways; it points to the half used longer ago.
 * The bits of a set are one int32, node 1 being the root and node n having the children 2n and 2n + 1. With a number
 * of ways other than a power of two the leaves past the last way are never chosen.
 */
export const TREE_PLRU_MAX_WAYS = 32;

/** The tree after `way` was used: every node on its path points to the other half. */
export function treeAfterUse(tree: number, way: number, leaves: number): number {
  let node = 1;
  for (let half = leaves >>> 1; half > 0; half >>>= 1) {
    const right = (way & half) !== 0 ? 1 : 0;
    tree = right ? tree & ~(1 << node) : tree | (1 << node);
    node = node * 2 + right;
  }
  return tree;
}

/** The way at the end of the tree's pointers. */
export function treeVictim(tree: number, ways: number, leaves: number): number {
  let node = 1;
  let way = 0;
  for (let half = leaves >>> 1; half > 0; half >>>= 1) {
    const right = (tree >>> node) & 1 && way + half < ways ? 1 : 0;
    way += right * half;
    node = node * 2 + right;
  }
  return way;
}
