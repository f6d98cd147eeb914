/** The VMAs of one address space, in order of address, never overlapping. */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import { buildTree, collect, insertVma, PlaceSearch, refresh, eraseVma, staleNodes } from './vma-tree.js';
import type { Area, VmaNode } from './vma-tree.js';

/** A VMA's edges. {@link VmaMap.resize} alone may move them: the gaps in the tree follow from them. */
type Edges = { -readonly [K in 'start' | 'end']: Area[K] };

/** The VMAs of an address space, in order. */
export class VmaMap<A extends Area> {
  #root: VmaNode<A> | null = null;
  #size = 0;

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** The VMAs in order. Do not change the map while iterating; take {@link overlapping} to do so. */
  *[Symbol.iterator](): Generator<A, void> {
    const below: VmaNode<A>[] = [];
    let node = this.#root;
    for (;;) {
      for (; node !== null; node = node.left) below.push(node);
      const next = below.pop();
      if (next === undefined) return;
      yield next.vma;
      node = next.right;
    }
  }

  /** The first VMA with its end above `address`: the one around it, or the next one. */
  atOrAbove(address: number): A | undefined {
    let found: A | undefined;
    let node = this.#root;
    while (node !== null) {
      const { vma } = node;
      if (vma.end > address) {
        found = vma;
        node = node.left;
      } else node = node.right;
    }
    return found;
  }

  /** The VMA around `address`. */
  at(address: number): A | undefined {
    const vma = this.atOrAbove(address);
    return vma !== undefined && vma.start <= address ? vma : undefined;
  }

  /** The last VMA with its end at or below `address`. */
  before(address: number): A | undefined {
    let found: A | undefined;
    let node = this.#root;
    while (node !== null) {
      const { vma } = node;
      if (vma.end <= address) {
        found = vma;
        node = node.right;
      } else node = node.left;
    }
    return found;
  }

  /** The last VMA before `vma`. */
  previous(vma: A): A | undefined {
    return this.before(vma.start);
  }

  /** The VMA above. */
  next(vma: A): A | undefined {
    return this.atOrAbove(vma.end);
  }

  /** The VMAs in or around `[start, end)`, in an array of their own. */
  overlapping(start: number, end: number): A[] {
    const found: A[] = [];
    collect(this.#root, start, end, found);
    return found;
  }

  /**
   * The highest free place for `length` bytes at or below `ceiling`, aligned to 2^shift; `length` is a multiple of it.
   * When all is taken the answer lies below every VMA, perhaps below 0.
   */
  highestPlace(length: number, shift: number, ceiling: number): number {
    const search = new PlaceSearch(length, shift, ceiling);
    const found = search.run(this.#root);
    return found >= 0 ? found : search.place;
  }

  /** Adds a VMA; it must not overlap another. */
  insert(vma: A): void {
    vma.attached = true;
    this.#root = insertVma(this.#root, vma);
    this.#size++;
  }

  /** Gives an empty map its VMAs, in order: less work than one after the other. */
  fill(vmas: readonly A[]): void {
    for (const vma of vmas) vma.attached = true;
    this.#root = buildTree(vmas);
    this.#size = vmas.length;
  }

  /** Takes a VMA out. */
  remove(vma: A): void {
    vma.attached = false;
    this.#root = eraseVma(this.#root, vma);
    this.#size--;
  }

  /** Takes all VMAs out, and returns them in order. */
  clear(): A[] {
    const all = [...this];
    for (const vma of all) vma.attached = false;
    this.#root = null;
    this.#size = 0;
    return all;
  }

  /** Moves the edges of a VMA of this map, never past its neighbours. Its pages keep their offsets. */
  resize(vma: A, start: number, end: number): void {
    const edges: Edges = vma;
    vma.pgoff += (start - vma.start) / PAGE_BYTES;
    edges.start = start;
    edges.end = end;
    refresh(this.#root, vma);
  }

  /** VMAs with something else in the tree around them than the VMAs say. For the audit. */
  stale(): A[] {
    return staleNodes(this.#root);
  }
}
