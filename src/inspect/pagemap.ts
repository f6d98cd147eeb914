/** Decodes /proc/PID/pagemap: 8 bytes a page. Source: Linux Documentation/admin-guide/mm/pagemap.rst. */

import type { ResidentRun } from './process-image.js';

/** Bits 63 and 61, in the high word of an entry. */
const PRESENT = 1 << 31;
const FILE_OR_SHARED = 1 << 29;

/** Joins the pages of one region into runs, entry by entry in order of address. */
export class RunBuilder {
  readonly runs: ResidentRun[] = [];
  #start = 0;
  #anonymous = false;
  /** Where the next page lies if it is to join the open run; -1 when none is open. */
  #next = -1;

  /** @param pageBytes bytes of a page of the machine that is looked at */
  constructor(readonly pageBytes: number) {}

  /** Adds the entries in `bytes` (little-endian, 8 bytes each), the first being that of the page at `address`. */
  add(address: number, bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 4; at < bytes.byteLength; at += 8, address += this.pageBytes) {
      const high = view.getInt32(at, true);
      if ((high & PRESENT) !== 0) this.#page(address, (high & FILE_OR_SHARED) === 0);
    }
  }

  #page(address: number, anonymous: boolean): void {
    if (address !== this.#next || anonymous !== this.#anonymous) {
      this.#close();
      this.#start = address;
      this.#anonymous = anonymous;
    }
    this.#next = address + this.pageBytes;
  }

  #close(): void {
    if (this.#next < 0) return;
    this.runs.push({ start: this.#start, bytes: this.#next - this.#start, anonymous: this.#anonymous });
    this.#next = -1;
  }

  /** The runs, once everything was added. */
  finish(): readonly ResidentRun[] {
    this.#close();
    return this.runs;
  }
}
