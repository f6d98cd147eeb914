/** A machine with page tables as a lab leaves it: the ground of `pagewalk walk --lab`. */

import type { Mmu } from '../../hw/x86/mmu.js';

/** Mapped memory of a process. */
export interface StageRegion {
  readonly start: number;
  readonly bytes: number;
  /** Rights and contents, for people. */
  readonly about: string;
}

/** A live process on the machine. */
export interface StageProcess {
  readonly pid: number;
  /** Physical address of its root table: the value of CR3 while it runs. */
  readonly root: number;
  readonly regions: readonly StageRegion[];
}

export interface Stage {
  readonly mmu: Mmu;
  /** Those that live, as things stand. */
  readonly inhabitants: readonly StageProcess[];
}
