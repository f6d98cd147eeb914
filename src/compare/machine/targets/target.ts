/** A machine to replay on: how its processors are made, and how they load an address space. */

import type { Ram } from '../../../../hw/memory/ram.js';
import type { TlbGeometry } from '../../../../hw/tlb/hierarchy.js';
import type { TranslatingMachine } from '../../../../hw/translate/machine.js';
import type { FrameSupply } from '../pages/frame-supply.js';
import type { MachineName, PagesKind } from '../pages/page-kinds.js';
import type { PageSupply } from '../pages/page-supply.js';

/** An address space to load. */
export interface LoadedSpace {
  /** Counts from 0 by machine; those that are equal in their low 12 bits share a number of the hardware. */
  readonly number: number;
  /** Frame of its root table. */
  readonly root: number;
}

/** Numbers of address spaces have at least so many bits: PCIDs, and ASIDs. */
export const SPACE_BITS = 12;

/** A machine to replay on. */
export interface ReplayTarget<P extends TranslatingMachine = TranslatingMachine> {
  readonly name: MachineName;
  /** Its words for descriptions. */
  readonly terms: { readonly walkCaches: readonly string[]; readonly caches?: string };
  /** log2 of its page sizes. */
  readonly sizes: readonly number[];
  /** Levels of its tables, for user addresses of 47 bits. */
  levels(kind: Pick<PagesKind, 'granule'>): number;
  /**
   * The first processor, with translation on, and who makes pages resident there.
   * @param hostShift in a virtual machine, log2 of the bytes of the host's pages; otherwise null
   * @param frames where tables and pages come from; the target knows when absent. Not in a virtual machine
   */
  boot(
    ram: Ram,
    tlb: TlbGeometry,
    kind: PagesKind,
    hostShift: number | null,
    frames?: FrameSupply,
  ): { readonly processor: P; readonly supply: PageSupply };
  /** Another processor over the same RAM and tables, in the same virtual machine. */
  beside(first: P, tlb: TlbGeometry): P;
  /** Loads an address space. Cached translations of its number are good only if `keep`. */
  load(processor: P, space: LoadedSpace, keep: boolean): void;
}
