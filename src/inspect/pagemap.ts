/** Decodes /proc/PID/pagemap: 8 bytes a page. Source: Linux Documentation/admin-guide/mm/pagemap.rst. */

import type { PageKind, ResidentRun } from './process-image.js';

/** Bits 63, 61 and 56, in the high word of an entry. */
const PRESENT = 1 << 31;
const FILE_OR_SHARED = 1 << 29;
const EXCLUSIVE = 1 << 24;

/**
 * `alone`: anonymous, and mapped nowhere else. `unsure`: anonymous and shared after a fork, or the page of zeros;
 * pagemap does not tell these two apart.
 */
type Seen = 'file' | 'alone' | 'unsure';

interface SeenRun {
  readonly start: number;
  readonly bytes: number;
  readonly seen: Seen;
}

function seenIn(high: number): Seen {
  if ((high & FILE_OR_SHARED) !== 0) return 'file';
  return (high & EXCLUSIVE) === 0 ? 'unsure' : 'alone';
}

/** Joins the pages of one region into runs, entry by entry in order of address. */
export class RunBuilder {
  readonly #runs: SeenRun[] = [];
  #start = 0;
  #seen: Seen = 'file';
  /** The address of the next page to join the open run; -1 when none is open. */
  #next = -1;

  /** @param pageBytes bytes of a page of the machine in question */
  constructor(private readonly pageBytes: number) {}

  /** Adds the entries in `bytes` (little-endian, 8 bytes each), the first being that of the page at `address`. */
  add(address: number, bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 4; at < bytes.byteLength; at += 8, address += this.pageBytes) {
      const high = view.getInt32(at, true);
      if ((high & PRESENT) !== 0) this.#page(address, seenIn(high));
    }
  }

  #page(address: number, seen: Seen): void {
    if (address !== this.#next || seen !== this.#seen) {
      this.#close();
      this.#start = address;
      this.#seen = seen;
    }
    this.#next = address + this.pageBytes;
  }

  #close(): void {
    if (this.#next < 0) return;
    this.#runs.push({ start: this.#start, bytes: this.#next - this.#start, seen: this.#seen });
    this.#next = -1;
  }

  /**
   * The runs, once everything was added.
   * @param anonymous bytes that smaps counts as anonymous: all beyond them is the page of zeros, not counted by smaps.
   *   If both kinds are there the first pages are taken for anonymous ones.
   */
  finish(anonymous: number): readonly ResidentRun[] {
    this.#close();
    const alone = this.#runs.reduce((sum, { bytes, seen }) => (seen === 'alone' ? sum + bytes : sum), 0);
    let left = Math.max(0, anonymous - alone);
    return this.#runs.flatMap(({ start, bytes, seen }) => {
      if (seen !== 'unsure') return [{ start, bytes, kind: seen === 'file' ? 'file' : 'anonymous' } as const];
      const owned = Math.min(left, bytes);
      left -= owned;
      return [...part(start, owned, 'anonymous'), ...part(start + owned, bytes - owned, 'zero')];
    });
  }
}

function part(start: number, bytes: number, kind: PageKind): ResidentRun[] {
  return bytes === 0 ? [] : [{ start, bytes, kind }];
}
