/** A program's pages, made resident on all machines before any of its lookups is made. */

import type { Mmu } from '../../hw/x86/mmu.js';
import type { AccessBlock } from '../trace/block.js';
import { Footprint } from './footprint.js';
import { LookupFinder } from './lookup-finder.js';
import type { Lookups } from './lookups.js';
import type { ReplayMachine } from './machine.js';
import { RepeatFilter } from './repeats.js';

export interface ResidentOptions {
  /** Further MMUs to make the lookups of the one machine. */
  readonly beside?: readonly Mmu[];
  /** Leave out repeats. Default: true. */
  readonly leaveOutRepeats?: boolean;
}

export class Resident {
  readonly footprint = new Footprint();
  readonly finder: LookupFinder;

  constructor(
    readonly machines: readonly ReplayMachine[],
    { beside = [], leaveOutRepeats = true }: ResidentOptions = {},
  ) {
    const mmus = (shift: number): Mmu[] =>
      machines.filter((machine) => machine.shift === shift).flatMap(({ mmu }) => [mmu, ...beside]);
    this.finder = new LookupFinder(new RepeatFilter(mmus, leaveOutRepeats));
  }

  /**
   * Makes the pages of every access of a block resident.
   * @returns the block's lookups; the same object every time
   */
  prepare(block: AccessBlock): Lookups {
    const lookups = this.finder.find(block);
    const { his, los, length } = lookups.of4K;
    for (let i = 0; i < length; i++) if (!this.footprint.has(his[i], los[i])) this.touch(his[i], los[i]);
    return lookups;
  }

  private touch(hi: number, lo: number): void {
    this.footprint.add(hi, lo);
    for (const machine of this.machines) machine.makeResident(hi, lo);
  }
}
