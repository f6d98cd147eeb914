/** A program's pages, made resident on all machines before any of its lookups is made. */

import type { Mmu } from '../../../hw/x86/mmu.js';
import type { AccessBlock } from '../../trace/block.js';
import { SHIFT_4K } from '../../../hw/base/address.js';
import { Footprint } from './footprint.js';
import { LookupFinder } from '../lookups/lookup-finder.js';
import type { Lookups } from '../lookups/lookups.js';
import type { ReplayMachine } from './machine.js';
import { RepeatFilter } from '../lookups/repeats.js';

export interface ResidentOptions {
  /** Further MMUs to make the lookups of the one machine. */
  readonly beside?: readonly Mmu[];
  /** Leave out repeats. Default: true. */
  readonly leaveOutRepeats?: boolean;
}

export class Resident {
  /** By process. */
  readonly footprints: Footprint[] = [];
  readonly finder: LookupFinder;

  constructor(
    readonly machines: readonly ReplayMachine[],
    { beside = [], leaveOutRepeats = true }: ResidentOptions = {},
  ) {
    const isMixed = ({ isHuge }: ReplayMachine): boolean => isHuge !== undefined;
    const mmus = (shift: number): Mmu[] =>
      machines
        .filter((machine) => machine.shift === shift || (shift === SHIFT_4K && isMixed(machine)))
        .flatMap(({ mmu }) => [mmu, ...beside]);
    this.finder = new LookupFinder(new RepeatFilter(mmus, leaveOutRepeats, machines.some(isMixed)));
  }

  /**
   * Makes the pages of every access of a block resident, and lets the block's process and thread go on.
   * @returns the block's lookups; the same object every time
   */
  prepare(block: AccessBlock): Lookups {
    const lookups = this.finder.find(block);
    const { his, los, length } = lookups.of4K;
    for (const machine of this.machines) {
      machine.enter(block.process, block.thread);
      machine.coldNow.clear();
    }
    const footprint = (this.footprints[block.process] ??= new Footprint());
    const cold = block.afterGap && !block.warmUp;
    for (let i = 0; i < length; i++) {
      if (footprint.has(his[i], los[i])) continue;
      footprint.add(his[i], los[i]);
      for (const machine of this.machines) machine.makeResident(his[i], los[i], cold);
    }
    return lookups;
  }

  /** 4 KiB pages that were touched, of all processes. */
  get pages(): number {
    return this.blocks(SHIFT_4K);
  }

  /** Blocks of `2^shift` bytes, 4 KiB or 2 MiB, with a touched page, of all processes. */
  blocks(shift: number): number {
    return this.footprints.reduce((sum, footprint) => sum + footprint.blocks(shift), 0);
  }
}
