/**
 * Names of cached translations on a processor with virtual machines: VPIDs and ASIDs, roots of EPT, PCIDs.
 *
 * Until a guest runs, PCIDs are the numbers in TLB tags. From then on numbers are given out: by the virtual machine, a
 * VPID with its root of EPT or an ASID, and by the PCID. Guest-physical addresses belong to the root alone, or to the ASID.
 * Sources: Intel SDM vol. 3C, "Caching Translation Information"; AMD APM vol. 2, "TLB Control" (15.16).
 */

import { NO_MACHINE } from '../../tlb/spaces.js';
import { EVERY_SPACE, NO_SPACE } from '../../tlb/tag.js';
import type { DataPath } from '../../translate/path/data-path.js';
import type { SecondStage } from '../../translate/second-stage.js';

/** A virtual machine for the TLBs; its place in the list of all is its number. */
export interface GuestName {
  readonly kind: 'ept' | 'npt';
  /** VPID, 0 without VPIDs, or ASID. */
  readonly id: number;
  /** EPT: bits 51:12 of EPTP, the tag of its combined mappings; NPT: 0, since nCR3 is no tag. */
  readonly root: number;
}

/** Most names: VMIDs of SpaceNumbers have 16 bits. */
const MOST_NAMES = 0xffff;

export class GuestSpaces {
  private readonly names: GuestName[] = [];
  private current = NO_MACHINE;
  /** Whether a guest has run: numbers are given out. */
  private numbered = false;

  constructor(
    private readonly dataPath: DataPath,
    private readonly second: SecondStage,
  ) {}

  /** Translations are from now on for a guest; null: for the host. */
  enter(name: GuestName | null): void {
    if (!this.numbered) {
      // The numbers get new meanings.
      this.dataPath.dropEverything();
      this.numbered = true;
    }
    this.current = name === null ? NO_MACHINE : this.numberOf(name);
    if (name !== null) this.second.enter(this.secondNumber(this.current));
  }

  private numberOf(name: GuestName): number {
    const known = this.names.findIndex((other) => sameName(name, other));
    if (known >= 0) return known;
    if (this.names.length === MOST_NAMES) {
      this.drop(() => true, true);
      this.names.length = 0;
    }
    return this.names.push(name) - 1;
  }

  /** Guests on one EPT have their guest-physical addresses in common. */
  private secondNumber(machine: number): number {
    const { kind, root } = this.names[machine];
    if (kind === 'npt') return machine;
    return this.names.findIndex((other) => other.kind === 'ept' && other.root === root);
  }

  /** Puts the numbers of the moment into the regime, for a PCID. */
  setNumbers(pcid: number): void {
    if (!this.numbered) return;
    const { spaces, machines, regime } = this.dataPath;
    regime.space = spaces.enter(this.current, pcid);
    regime.machine = machines.enter(this.current, 0);
  }

  /** The number of a PCID of the current machine: for invalidations. */
  find(pcid: number): number {
    return this.numbered ? this.dataPath.spaces.find(this.current, pcid) : pcid;
  }

  /** Drops everything of the current machine's linear addresses. */
  dropAll(): void {
    if (this.numbered) this.dataPath.dropMachine(this.current);
    else this.dataPath.dropEverything();
  }

  /** The same, global translations left alone. */
  dropAllButGlobal(): void {
    if (this.numbered) this.dropSpaces(this.current);
    else this.dataPath.dropSpace(EVERY_SPACE);
  }

  private dropSpaces(machine: number): void {
    for (const space of this.dataPath.spaces.ofMachine(machine)) this.dataPath.dropSpace(space);
  }

  /** Drops everything of the host's linear addresses. */
  dropHost(): void {
    this.dataPath.dropMachine(NO_MACHINE);
  }

  /** Drops everything of the linear addresses of machines; with `physical` of their guest-physical addresses, too. */
  drop(which: (name: GuestName) => boolean, physical = false): void {
    this.each(which, (machine) => {
      this.dataPath.dropMachine(machine);
      if (physical) this.second.dropMachine(this.secondNumber(machine));
    });
  }

  /** Drops the linear addresses of machines, global translations left alone. */
  dropButGlobal(which: (name: GuestName) => boolean): void {
    this.each(which, (machine) => {
      this.dropSpaces(machine);
    });
  }

  /** Drops a linear address of machines, global or not. */
  dropPage(which: (name: GuestName) => boolean, hi: number, lo: number): void {
    this.each(which, (machine) => {
      this.dropPageOf(machine, hi, lo);
    });
  }

  /** The same of the host. */
  dropHostPage(hi: number, lo: number): void {
    this.dropPageOf(NO_MACHINE, hi, lo);
  }

  private dropPageOf(machine: number, hi: number, lo: number): void {
    const { spaces, machines } = this.dataPath;
    this.dataPath.dropPage(hi, lo, NO_SPACE, machines.find(machine, 0));
    for (const space of spaces.ofMachine(machine)) this.dataPath.dropPage(hi, lo, space, NO_SPACE);
  }

  private each(which: (name: GuestName) => boolean, act: (machine: number) => void): void {
    for (const [machine, name] of this.names.entries()) if (which(name)) act(machine);
  }
}

function sameName(one: GuestName, other: GuestName): boolean {
  return one.kind === other.kind && one.id === other.id && one.root === other.root;
}
