/**
 * Numbers for address spaces: a tag has 12 bits for one, but its name may be a VMID of 16 bits with an ASID of 16 more.
 *
 * A number is given when a space is entered for the first time. When all are given, the space entered longest
 * ago loses its number, and all entries of TLBs under it: more than asked may always be dropped. A processor with no
 * more names than numbers, such as x86, takes the names themselves and needs no table.
 */

import { NO_SPACE, SPACE_NUMBERS } from './tag.js';

/** The virtual machine of spaces without one. */
export const NO_MACHINE = -1;
/** Bits of the longest ASID. */
const ID_SPAN = 2 ** 16;

/** A table of space numbers by virtual machine and address space. */
export class SpaceNumbers {
  /** By name, the one entered longest ago first. */
  private readonly numbers = new Map<number, number>();
  /** Numbers given and taken back. */
  private readonly unused: number[] = [];
  private readonly recycle: (number: number) => void;
  private readonly most: number;

  /** @param recycle drops every entry under a number before it gets a new meaning */
  constructor(recycle: (number: number) => void, most = SPACE_NUMBERS) {
    this.recycle = recycle;
    this.most = most;
  }

  /**
   * The number of the space with this name, which is in use from now on.
   * @param machine a VMID of up to 16 bits, or -1 for no machine
   * @param id an ASID, or what the architecture calls so, of up to 16 bits; 0 for the global entries of a machine, in a table of their own
   */
  enter(machine: number, id: number): number {
    const name = nameOf(machine, id);
    const number = this.numbers.get(name) ?? this.unusedNumber();
    this.numbers.delete(name);
    this.numbers.set(name, number);
    return number;
  }

  private unusedNumber(): number {
    const returned = this.unused.pop();
    if (returned !== undefined) return returned;
    if (this.numbers.size < this.most) return this.numbers.size;
    const [[name, number]] = this.numbers;
    this.numbers.delete(name);
    this.recycle(number);
    return number;
  }

  /** The number of a space, or a negative number when nothing can be cached for it: for invalidations. */
  find(machine: number, id: number): number {
    return this.numbers.get(nameOf(machine, id)) ?? NO_SPACE;
  }

  /** The numbers of all spaces of a virtual machine: for invalidations. */
  ofMachine(machine: number): number[] {
    return [...this.numbers].filter(([name]) => machineOf(name) === machine).map(([, number]) => number);
  }

  /**
   * Takes the numbers of a virtual machine's spaces back, but for the one `inUse`: nothing is cached under them any more.
   * So the next invalidation of the whole machine has to visit only those entered since.
   */
  takeBack(machine: number, inUse: number): void {
    for (const [name, number] of this.numbers) {
      if (machineOf(name) !== machine || number === inUse) continue;
      this.numbers.delete(name);
      this.unused.push(number);
    }
  }
}

const nameOf = (machine: number, id: number): number => (machine + 1) * ID_SPAN + id;
const machineOf = (name: number): number => Math.floor(name / ID_SPAN) - 1;
