/** The result of `pagewalk segment`: one object. The terminal's lines, the JSON and the page are views of it. */

import type { DecodedField } from '../../../hw/base/format.js';
import type { SegmentationMode } from '../../../hw/x86/segmentation/unit.js';
import type { SCHEMA_VERSION } from '../../report/results/schema-version.js';
import type { Hex } from '../entry-level.js';
import type { AccessKind } from '../machine-state.js';
import type { FaultOutcome, MappedOutcome, WalkResult } from '../walk/walk-result.js';

/** `fetch`: CS is loaded by a far JMP, then an instruction is fetched; `call`: the same by a far CALL. */
export type SegmentAccess = AccessKind | 'call';

/** A descriptor, taken apart. */
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

/** One check of the processor, in the processor's order. */
export interface SegmentCheck {
  /** The condition, with the values at hand. */
  readonly rule: string;
  /** Null: an earlier check failed, so this one was not made. */
  readonly passed: boolean | null;
  /** The exception when it does not hold, such as `#GP(0x28)`. */
  readonly failure: string;
  readonly section: string;
}

/** The end of a far call. */
export interface SegmentTransfer {
  readonly cpl: number;
  readonly cs: Hex;
  readonly ip: Hex;
  readonly ss: Hex;
  readonly sp: Hex;
  /** On the stack now, the first push first, at its offset in SS; the value is null if it cannot be read back. */
  readonly pushed: readonly { readonly what: string; readonly offset: Hex; readonly value: Hex | null }[];
}

/** The result of {@link explainSegment}: every check, and the walk after them. */
export interface SegmentResult {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly command: 'segment';
  readonly selector: Hex;
  readonly offset: Hex;
  readonly access: SegmentAccess;
  /** Bytes accessed. */
  readonly size: number;
  readonly register: string;
  readonly mode: SegmentationMode;
  readonly cpl: number;
  /** `GDT entry 5, RPL 3`. */
  readonly names: string;
  /** The bits of the selector; none in the 8086 modes. */
  readonly selectorFields: readonly DecodedField[];
  /** The selector's descriptor, the one behind a call gate, and the inner stack's. */
  readonly descriptors: readonly ExplainedDescriptor[];
  readonly checks: readonly SegmentCheck[];
  /** The effect of a call; null for other accesses, and when the call was refused. */
  readonly transfer: SegmentTransfer | null;
  /** Of the first byte; null when a check failed. */
  readonly linear: Hex | null;
  /** How paging goes on from the linear address; null when a check failed. */
  readonly walk: WalkResult | null;
  /** The walk for the page of the last bytes; null if all bytes lie in one page. */
  readonly secondWalk: WalkResult | null;
  readonly outcome: MappedOutcome | FaultOutcome;
}
