/** What every process must read, byte by byte: no frames, no tables. */

import { regionAt } from './program.js';
import type { CourseRegion } from './student.js';

/** The contents of one page, by address; fork lets several processes have it until one writes. */
interface Contents {
  readonly bytes: Map<number, number>;
  owners: number;
}

/** A region whose rights may change. */
export interface OracleRegion extends CourseRegion {
  writable: boolean;
}

const pageOf = (address: number): number => Math.floor(address / 4096);

/** One process of the byte oracle. */
export class ByteOracle {
  private readonly pages = new Map<number, Contents>();

  constructor(
    readonly regions: readonly OracleRegion[],
    private readonly sharedPages = new Map<number, Contents>(),
  ) {}

  /** The byte there, or undefined where an access is refused. */
  read(address: number): number | undefined {
    if (regionAt(this.regions, address) === undefined) return undefined;
    return this.touch(address).bytes.get(address) ?? 0;
  }

  /** Whether a write is allowed; it is done then. */
  write(address: number, value: number): boolean {
    const region = regionAt(this.regions, address);
    if (region?.writable !== true) return false;
    const page = pageOf(address);
    const contents = this.touch(address);
    if (contents.owners === 1 || region.shared) contents.bytes.set(address, value);
    else {
      contents.owners--;
      this.pages.set(page, { bytes: new Map(contents.bytes).set(address, value), owners: 1 });
    }
    return true;
  }

  /** Whether the page was touched, and is nobody else's. */
  isSoleOwner(address: number): boolean {
    return this.pages.get(pageOf(address))?.owners === 1;
  }

  /** The page's contents go. */
  discard(address: number): void {
    const contents = this.pages.get(pageOf(address));
    if (contents !== undefined) contents.owners--;
    this.pages.delete(pageOf(address));
  }

  fork(): ByteOracle {
    const child = new ByteOracle(
      this.regions.map((region) => ({ ...region })),
      this.sharedPages,
    );
    for (const [page, contents] of this.pages) {
      contents.owners++;
      child.pages.set(page, contents);
    }
    return child;
  }

  exit(): void {
    for (const contents of this.pages.values()) contents.owners--;
  }

  /** Every address with a byte written by somebody. */
  addresses(): number[] {
    const all = [...this.pages.values(), ...this.sharedPages.values()].flatMap(({ bytes }) => [...bytes.keys()]);
    return [...new Set(all)].sort((a, b) => a - b);
  }

  private touch(address: number): Contents {
    const page = pageOf(address);
    const pages = regionAt(this.regions, address)?.shared === true ? this.sharedPages : this.pages;
    const contents = pages.get(page) ?? { bytes: new Map<number, number>(), owners: 1 };
    pages.set(page, contents);
    return contents;
  }
}
