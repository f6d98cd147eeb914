/**
 * Who maps a folio of more than one frame.
 *
 * As Linux does, the first two address spaces to map it are counted by name and all others only in the total; as
 * long as one of the two owns every mapping the folio is known to be mapped by one process alone. With three and more
 * processes the answer errs on the side of "shared".
 */
export class LargeFolio {
  /** Mappings of all parts; a huge entry counts once. */
  total = 0;
  /** Huge entries: mappings of the whole. */
  whole = 0;
  /** Cleared while one address space is known to own all mappings. */
  maybeShared = false;
  #firstSpace = 0;
  #first = 0;
  #secondSpace = 0;
  #second = 0;

  /** `space` (an id above 0) maps `count` more parts. */
  add(count: number, space: number): void {
    this.total += count;
    if (this.#firstSpace === space) this.#first += count;
    else if (this.#secondSpace === space) this.#second += count;
    else if (this.#firstSpace === 0) {
      this.#firstSpace = space;
      this.#first = count;
      if (this.total !== count) this.maybeShared = true;
    } else if (this.#secondSpace === 0) {
      this.#secondSpace = space;
      this.#second = count;
      this.maybeShared = true;
    }
  }

  /** `space` maps `count` parts less; the mappings left in all. */
  remove(count: number, space: number): number {
    this.total -= count;
    if (this.#firstSpace === space) {
      this.#first -= count;
      if (this.#first > 0) return this.total;
      this.#firstSpace = 0;
      this.#first = 0;
    } else if (this.#secondSpace === space) {
      this.#second -= count;
      if (this.#second > 0) return this.total;
      this.#secondSpace = 0;
      this.#second = 0;
    }
    if (this.#first === this.total || this.#second === this.total) this.maybeShared = false;
    return this.total;
  }
}
