/**
 * A balanced tree of VMAs in order of address. Each node knows the largest gap in its subtree, so free room is found
 * without a look at every VMA; Linux has the same figure in the nodes of its maple tree.
 * Source: Knuth, The Art of Computer Programming vol. 3, "Balanced Trees".
 */

import { PAGE_BYTES, SHIFT_1G, SHIFT_2M } from '../../../hw/base/address.js';

/** Page sizes, bytes. A gap has a usable length for each, from the first whole page in it to the last. */
const SIZES: readonly number[] = [PAGE_BYTES, 2 ** SHIFT_2M, 2 ** SHIFT_1G];

/** A VMA, as far as the tree knows it. */
export interface Area {
  readonly start: number;
  /** One past the last byte. */
  readonly end: number;
  /** Begin of the range closed to others: `start`, or lower. */
  readonly startWithGap: number;
  /** Page offset of `start` in the mapped object; it follows `start`. */
  pgoff: number;
  /** Whether it is in a map. */
  attached: boolean;
}

export class VmaNode<A extends Area> {
  /** Levels of the subtree. The two sides of a node differ by one at most. */
  height = 1;
  /** The lowest byte taken up by the subtree's VMAs, or closed to others. */
  lowest = 0;
  /** One past the last byte of the subtree's last VMA. */
  highest = 0;
  /** Usable bytes of the largest gap between VMAs of the subtree, by page size; a stack may leave less of it. */
  readonly gaps: number[] = [0, 0, 0];

  constructor(
    readonly vma: A,
    public left: VmaNode<A> | null = null,
    public right: VmaNode<A> | null = null,
  ) {
    update(this);
  }
}

function heightOf<A extends Area>(node: VmaNode<A> | null): number {
  return node === null ? 0 : node.height;
}

/** Enters the gap `[low, high)` into the figures of a subtree. */
function enterGap(gaps: number[], low: number, high: number): void {
  // Most gaps are too small for the larger pages, and so need no division.
  for (let i = 0; i < SIZES.length && high - low >= SIZES[i]; i++) {
    const size = SIZES[i];
    gaps[i] = Math.max(gaps[i], Math.floor(high / size) * size - Math.ceil(low / size) * size);
  }
}

/** Works out the node's figures from its VMA and its two sides. */
function update<A extends Area>(node: VmaNode<A>): void {
  const { left, right, vma, gaps } = node;
  const start = vma.startWithGap;
  node.height = 1 + Math.max(heightOf(left), heightOf(right));
  node.lowest = Math.min(start, left === null ? start : left.lowest, right === null ? start : right.lowest);
  node.highest = right === null ? vma.end : right.highest;
  for (let i = 0; i < SIZES.length; i++) {
    gaps[i] = Math.max(left === null ? 0 : left.gaps[i], right === null ? 0 : right.gaps[i]);
  }
  if (left !== null) enterGap(gaps, left.highest, start);
  if (right !== null) enterGap(gaps, vma.end, right.lowest);
}

/** The left node goes to the top of the subtree. */
function rotateRight<A extends Area>(node: VmaNode<A>, top: VmaNode<A>): VmaNode<A> {
  node.left = top.right;
  top.right = node;
  update(node);
  update(top);
  return top;
}

function rotateLeft<A extends Area>(node: VmaNode<A>, top: VmaNode<A>): VmaNode<A> {
  node.right = top.left;
  top.left = node;
  update(node);
  update(top);
  return top;
}

/** Brings a node up to date after one of its sides has changed by a VMA. Returns the subtree's new top. */
function balance<A extends Area>(node: VmaNode<A>): VmaNode<A> {
  const { left, right } = node;
  if (left !== null && left.height > heightOf(right) + 1) {
    const inner = left.right;
    return rotateRight(node, inner !== null && inner.height > heightOf(left.left) ? rotateLeft(left, inner) : left);
  }
  if (right !== null && right.height > heightOf(left) + 1) {
    const inner = right.left;
    return rotateLeft(node, inner !== null && inner.height > heightOf(right.right) ? rotateRight(right, inner) : right);
  }
  update(node);
  return node;
}

/** A tree of `vmas`, in order, from `from` up to `to`. */
export function buildTree<A extends Area>(vmas: readonly A[], from = 0, to = vmas.length): VmaNode<A> | null {
  if (from === to) return null;
  const middle = (from + to) >>> 1;
  return new VmaNode(vmas[middle], buildTree(vmas, from, middle), buildTree(vmas, middle + 1, to));
}

/** Adds a VMA; it overlaps none of the subtree. Returns the subtree's new top. */
export function insertVma<A extends Area>(node: VmaNode<A> | null, vma: A): VmaNode<A> {
  if (node === null) return new VmaNode(vma);
  if (vma.start < node.vma.start) node.left = insertVma(node.left, vma);
  else node.right = insertVma(node.right, vma);
  return balance(node);
}

/** Takes a VMA out. Returns the subtree's new top. */
export function eraseVma<A extends Area>(node: VmaNode<A> | null, vma: A): VmaNode<A> | null {
  if (node === null) return null;
  if (node.vma !== vma) {
    if (vma.start < node.vma.start) node.left = eraseVma(node.left, vma);
    else node.right = eraseVma(node.right, vma);
    return balance(node);
  }
  if (node.right === null) return node.left;
  let next = node.right;
  while (next.left !== null) next = next.left;
  next.right = eraseVma(node.right, next.vma);
  next.left = node.left;
  return balance(next);
}

/** Brings the nodes above a VMA up to date with its edges. */
export function refresh<A extends Area>(node: VmaNode<A> | null, vma: A): void {
  if (node === null) return;
  if (node.vma !== vma) refresh(vma.start < node.vma.start ? node.left : node.right, vma);
  update(node);
}

/** Adds the VMAs in or around `[start, end)` to `found`, in order. */
export function collect<A extends Area>(node: VmaNode<A> | null, start: number, end: number, found: A[]): void {
  if (node === null) return;
  const { vma } = node;
  if (vma.start > start) collect(node.left, start, end, found);
  if (vma.end > start && vma.start < end) found.push(vma);
  if (vma.end < end) collect(node.right, start, end, found);
}

/** The search for the highest free place below a ceiling. */
export class PlaceSearch<A extends Area> {
  readonly #size: number;
  readonly #gap: number;

  /**
   * @param length bytes, a multiple of 2^shift
   * @param shift log2 of the page size; the place is aligned to it
   * @param ceiling all above is out of bounds; sinks as the search goes down
   */
  constructor(
    private readonly length: number,
    shift: number,
    private ceiling: number,
  ) {
    this.#size = 2 ** shift;
    this.#gap = SIZES.indexOf(this.#size);
  }

  /** The begin of the range if it ends as high as it may. */
  get place(): number {
    return Math.floor((this.ceiling - this.length) / this.#size) * this.#size;
  }

  /** A place in or above the subtree; or -1, with the ceiling below it. */
  run(node: VmaNode<A> | null): number {
    if (node === null) return -1;
    const { left, right, vma } = node;
    const { place } = this;
    if (place >= node.highest) return place;
    if (node.gaps[this.#gap] < this.length) return this.#sink(node.lowest);
    if (place >= vma.end) {
      const found = this.run(right);
      if (found >= 0) return found;
      if (this.place >= vma.end) return this.place;
    } else if (right !== null) this.#sink(right.lowest);
    this.#sink(vma.startWithGap);
    return this.run(left);
  }

  #sink(ceiling: number): number {
    this.ceiling = Math.min(this.ceiling, ceiling);
    return -1;
  }
}

/** VMAs with a node out of balance, or wrong about its subtree. For the audit. */
export function staleNodes<A extends Area>(node: VmaNode<A> | null): A[] {
  if (node === null) return [];
  const { left, right, vma } = node;
  const fresh = new VmaNode(vma, left, right);
  const same =
    fresh.height === node.height &&
    fresh.lowest === node.lowest &&
    fresh.highest === node.highest &&
    fresh.gaps.every((gap, i) => gap === node.gaps[i]);
  const balanced = Math.abs(heightOf(left) - heightOf(right)) <= 1;
  return [...staleNodes(left), ...(same && balanced ? [] : [vma]), ...staleNodes(right)];
}
