/** What `pagewalk segment` finds out: one object, of which the terminal's lines, the JSON and the page are views. */

import type { DecodedField } from '../../../hw/base/format.js';
import type { SegmentationMode } from '../../../hw/x86/segmentation/unit.js';
import type { SCHEMA_VERSION } from '../../report/schema.js';
import type { AccessKind } from '../machine-state.js';
import type { FaultOutcome, Hex, MappedOutcome, WalkResult } from '../walk/walk-result.js';

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

/** Where a far call has led. */
export interface SegmentTransfer {
  readonly cpl: number;
  readonly cs: Hex;
  readonly ip: Hex;
  readonly ss: Hex;
  readonly sp: Hex;
  /** On the stack now, the first push first, at its offset in SS; the value is null where it cannot be read back. */
  readonly pushed: readonly { readonly what: string; readonly offset: Hex; readonly value: Hex | null }[];
}

/** What {@link explainSegment} finds: every check, and the walk after them. */
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
  /** The descriptor that the selector names, the one that a call gate leads to, and that of an inner stack. */
  readonly descriptors: readonly ExplainedDescriptor[];
  readonly checks: readonly SegmentCheck[];
  /** What a call did; null for other accesses, and when the call was refused. */
  readonly transfer: SegmentTransfer | null;
  /** Of the first byte; null when a check failed. */
  readonly linear: Hex | null;
  /** How paging goes on from the linear address; null when a check failed. */
  readonly walk: WalkResult | null;
  /** The walk for the page into which the last bytes reach; null where all bytes lie in one page. */
  readonly secondWalk: WalkResult | null;
  readonly outcome: MappedOutcome | FaultOutcome;
}
