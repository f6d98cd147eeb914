/** The result of a walk of RISC-V or AArch64: one object. The terminal's lines, the JSON and the page are views of it. */

import type { SCHEMA_VERSION } from '../../report/results/schema-version.js';
import type { AddressField } from '../address-field.js';
import type { Reason } from '../walk/check.js';
import type { EntryLevel, Hex } from '../entry-level.js';
import type { AccessKind } from '../machine-state.js';
import type { MappedOutcome } from '../walk/walk-result.js';

/** How the access ended. */
type RadixOutcome = MappedOutcome | ({ readonly kind: 'fault' } & RadixFault);

/** A fault: its name, the registers' values after it, and the check that failed. */
export interface RadixFault extends Reason {
  readonly name: string;
  /** `cause 13`, `ESR_EL1 0x…` and so on, by name. */
  readonly syndrome: Readonly<Record<string, string | number>>;
}

/** One entry on the way. */
export interface RadixLevel extends EntryLevel {
  /** The processor did not read this entry now: a walk cache or the TLB stood for it. */
  readonly skipped: boolean;
}

/** The result of a walk. */
export interface RadixWalkResult {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly command: 'walk';
  readonly machine: 'riscv' | 'aarch64';
  readonly address: Hex;
  readonly access: AccessKind;
  readonly user: boolean;
  readonly mode: string;
  readonly title: string;
  readonly section: string;
  readonly registers: Readonly<Record<string, Hex>>;
  /** The parts of the address, highest bits first. */
  readonly split: readonly AddressField[];
  /** The answering TLB; null when a walk was made, or nothing was asked. */
  readonly tlb: string | null;
  /** Root first. */
  readonly levels: readonly RadixLevel[];
  readonly outcome: RadixOutcome;
  /** Marks of the entries by the access; `field` is the bit's name in the entry, and `value` what it is now. */
  readonly changes: readonly {
    readonly table: string;
    readonly entryAddress: Hex;
    readonly bit: 'accessed' | 'dirty';
    readonly field: string;
    readonly value: 0 | 1;
  }[];
}
