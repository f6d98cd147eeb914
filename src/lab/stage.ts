/** A machine with page tables as a lab leaves it: what `pagewalk walk --lab` walks. */

import type { Mmu } from '../../hw/x86/mmu.js';

/** Memory that a process has mapped. */
export interface StageRegion {
  readonly start: number;
  readonly bytes: number;
  /** Rights and what is there, for people. */
  readonly about: string;
}

/** A process that lives on the machine. */
export interface StageProcess {
  readonly pid: number;
  /** Physical address of its root table: what CR3 holds while it runs. */
  readonly root: number;
  readonly regions: readonly StageRegion[];
}

export interface Stage {
  readonly mmu: Mmu;
  /** Those that live, as things stand. */
  readonly inhabitants: readonly StageProcess[];
}
