/** The VMAs of one address space, in order of address, never overlapping. */

import type { Vma } from './vma.js';

export class VmaMap {
  readonly #list: Vma[] = [];

  get size(): number {
    return this.#list.length;
  }

  /** The VMAs in order. Do not change the map while iterating; take {@link overlapping} for that. */
  [Symbol.iterator](): IterableIterator<Vma> {
    return this.#list.values();
  }

  /** Position of the first VMA that ends above `address`. */
  #position(address: number): number {
    let low = 0;
    let high = this.#list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#list[middle].end > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The first VMA that ends above `address`: the one that holds it, or the next one. */
  atOrAbove(address: number): Vma | undefined {
    return this.#list.at(this.#position(address));
  }

  /** The VMA that holds `address`. */
  at(address: number): Vma | undefined {
    const vma = this.#list.at(this.#position(address));
    return vma !== undefined && vma.start <= address ? vma : undefined;
  }

  /** The last VMA that ends at or below `address`. */
  before(address: number): Vma | undefined {
    const position = this.#position(address);
    if (position === 0) return undefined;
    return this.#list[position - 1];
  }

  /** The last VMA that starts below `vma`. */
  previous(vma: Vma): Vma | undefined {
    return this.before(vma.start);
  }

  next(vma: Vma): Vma | undefined {
    return this.atOrAbove(vma.end);
  }

  /** The VMAs that overlap `[start, end)`, in an array of their own. */
  overlapping(start: number, end: number): Vma[] {
    const found: Vma[] = [];
    for (let i = this.#position(start); i < this.#list.length; i++) {
      const vma = this.#list[i];
      if (vma.start >= end) break;
      found.push(vma);
    }
    return found;
  }

  /** Adds a VMA, which must not overlap another. */
  insert(vma: Vma): void {
    vma.attached = true;
    const position = this.#position(vma.start);
    if (position === this.#list.length) this.#list.push(vma);
    else this.#list.splice(position, 0, vma);
  }

  remove(vma: Vma): void {
    vma.attached = false;
    this.#list.splice(this.#position(vma.start), 1);
  }
}
