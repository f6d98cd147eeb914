/** A program's pages, made resident on all machines before any of its lookups is made. */

import { SHIFT_4K } from '../../../hw/base/address.js';
import type { TlbGroup } from '../../../hw/tlb/group.js';
import type { TranslatingMachine } from '../../../hw/translate/machine.js';
import type { AccessBlock } from '../../trace/block.js';
import { LookupFinder } from '../lookups/lookup-finder.js';
import { MOST_LOOKUPS } from '../lookups/lookups.js';
import type { Lookups, ReplayedLookups } from '../lookups/lookups.js';
import { OwnLookups } from '../lookups/own-lookups.js';
import { RepeatFilter } from '../lookups/repeats.js';
import { Footprint } from './footprint.js';
import type { ReplayMachine } from './machine.js';
import { MixedLookups } from './pages/mixed-pages.js';

export interface ResidentOptions {
  /** Further processors to make the lookups of the one machine. */
  readonly beside?: readonly TranslatingMachine[];
  /** Leave out repeats. Default: true. */
  readonly leaveOutRepeats?: boolean;
}

export class Resident {
  /** By process. */
  readonly footprints: Footprint[] = [];
  readonly finder: LookupFinder;
  /** Counted accesses touched pages after gaps, so some walks may be hits in the whole run. */
  hasCold = false;
  /** Those that want to know each page of 4 KiB. */
  private readonly fine: readonly ReplayMachine[];
  /** Of machines with other pages than {@link LookupFinder} works out lookups for; empty when there is none. */
  private readonly own = new Map<ReplayMachine, OwnLookups>();
  /** Of machines with pages of two sizes. */
  private readonly mixed = new Map<ReplayMachine, MixedLookups>();

  constructor(
    readonly machines: readonly ReplayMachine[],
    { beside = [], leaveOutRepeats = true }: ResidentOptions = {},
  ) {
    this.fine = machines.filter(({ isCoarse }) => !isCoarse);
    const all = machines.every(({ isPlain }) => isPlain);
    const isMixed = ({ kind }: ReplayMachine): boolean => kind.isHuge !== undefined;
    const mmus = (shift: number): TranslatingMachine[] =>
      machines
        .filter((machine) => machine.shift === shift || (shift === SHIFT_4K && isMixed(machine)))
        .flatMap(({ mmu }) => [mmu, ...beside]);
    this.finder = new LookupFinder(new RepeatFilter(mmus, leaveOutRepeats && all, machines.some(isMixed)));
    for (const machine of machines) {
      const { isHuge } = machine.kind;
      if (isHuge !== undefined) this.mixed.set(machine, new MixedLookups(isHuge));
    }
    if (all) return;
    const frames = new Int32Array(MOST_LOOKUPS);
    for (const machine of machines) {
      this.own.set(machine, new OwnLookups(machine.shift, leaveOutRepeats ? pieceShift(machine) : null, frames));
    }
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
    // Two loops: V8 compiles the inner one alone, which takes it a tenth of the time.
    const nextNew = (from: number): number => footprint.firstNew(his, los, from, length);
    for (let i = nextNew(0); i < length; i = nextNew(i + 1)) {
      const isFirst = footprint.add(his[i], los[i]);
      this.hasCold ||= cold;
      for (const machine of isFirst ? this.machines : this.fine) machine.makeResident(his[i], los[i], cold);
    }
    return lookups;
  }

  /** Every machine has pages of x86 of one entry each. */
  get isPlain(): boolean {
    return this.own.size === 0;
  }

  /** The lookups of the block prepared last, for one of the machines. */
  lookupsOf(machine: ReplayMachine, block: AccessBlock, lookups: Lookups): ReplayedLookups {
    const mixed = this.mixed.get(machine);
    if (mixed !== undefined) return mixed.of(block, lookups.of4K);
    const own = this.own.get(machine);
    if (own === undefined) return lookups.of(machine.shift);
    own.take(lookups.of4K);
    return own;
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

/** log2 of the bytes that every first-level TLB of a machine keeps of a page in one entry; null if one keeps nothing. */
function pieceShift({ mmu, kind: { shift, entryShift } }: ReplayMachine): number | null {
  const { l1Fetch, l1Load, l1Store, l2Data, l2Fetch } = mmu.tlb;
  const { pageShifts } = mmu.dataPath.regime;
  const size = pageShifts.indexOf(pageShifts.includes(shift) ? shift : entryShift);
  const pairs: readonly (readonly [TlbGroup, TlbGroup])[] = [
    [l1Fetch, l2Fetch],
    [l1Load, l2Data],
    [l1Store, l2Data],
  ];
  const shifts = pairs.map(([group, behind]) => group.placement(size, behind)?.shift);
  return shifts.reduce<number | null>(
    (least, one) => (least === null || one === undefined ? null : Math.min(least, one)),
    shift,
  );
}
