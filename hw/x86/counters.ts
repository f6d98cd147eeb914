/** The counts of an x86 processor, by the names of its instructions too. */

import { Counters } from '../translate/counts/counters.js';
import type { CounterValues } from '../translate/counts/counters.js';

/** All counts of an {@link Mmu}, as they stood at one moment. */
export interface X86CounterValues extends CounterValues {
  /** As `pageInvalidations`. */
  readonly invlpg: number;
  /** As `spaceInvalidations`. */
  readonly invpcid: number;
  /** As `rootWrites`. */
  readonly cr3Writes: number;
}

/** The counts of an {@link Mmu}. */
export class X86Counters extends Counters {
  override snapshot(): X86CounterValues {
    const values = super.snapshot();
    const { pageInvalidations: invlpg, spaceInvalidations: invpcid, rootWrites: cr3Writes } = values;
    return { ...values, invlpg, invpcid, cr3Writes };
  }
}
