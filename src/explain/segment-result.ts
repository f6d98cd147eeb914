/** What `pagewalk segment` finds out: one object, of which the terminal's lines, the JSON and the page are views. */

import type { DecodedField } from '../../hw/paging/format.js';
import type { SegmentationMode } from '../../hw/segmentation/unit.js';
import type { SCHEMA_VERSION } from '../report/schema.js';
import type { AccessKind } from './machine-state.js';
import type { FaultOutcome, Hex, MappedOutcome, WalkResult } from './walk-result.js';

export interface ExplainedDescriptor {
  /** Linear address of its first byte. */
  readonly address: Hex;
  readonly raw: Hex;
  /** One line: kind, base, limit, DPL. */
  readonly words: string;
  readonly format: string;
  readonly section: string;
  readonly fields: readonly DecodedField[];
}

/** One check of the processor, in the order in which it makes them. */
export interface SegmentCheck {
  /** What must hold, with the values at hand. */
  readonly rule: string;
  /** Null: an earlier check failed, so this one was not made. */
  readonly passed: boolean | null;
  /** The exception when it does not hold, such as `#GP(0x28)`. */
  readonly failure: string;
  readonly section: string;
}

export interface SegmentResult {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly command: 'segment';
  readonly selector: Hex;
  readonly offset: Hex;
  readonly access: AccessKind;
  /** Bytes accessed. */
  readonly size: number;
  readonly register: string;
  readonly mode: SegmentationMode;
  readonly cpl: number;
  /** `GDT entry 5, RPL 3`. */
  readonly names: string;
  /** The bits of the selector; none in the 8086 modes. */
  readonly selectorFields: readonly DecodedField[];
  /** The descriptor that the selector names, and the one that a call gate leads to. */
  readonly descriptors: readonly ExplainedDescriptor[];
  readonly checks: readonly SegmentCheck[];
  /** Null when a check failed. */
  readonly linear: Hex | null;
  /** How paging goes on from the linear address; null when a check failed. */
  readonly walk: WalkResult | null;
  readonly outcome: MappedOutcome | FaultOutcome;
}
