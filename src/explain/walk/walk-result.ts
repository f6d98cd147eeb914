/** The result of `pagewalk walk`: one object. The terminal's lines, the JSON and the page are views of it. */

import type { TranslationEvent } from '../../../hw/translate/walk/events.js';
import type { X86ModeName } from '../../../hw/x86/format.js';
import type { SCHEMA_VERSION } from '../../report/results/schema-version.js';
import type { EntryLevel, Hex } from '../entry-level.js';
import type { AccessKind } from '../machine-state.js';
import type { Allowed } from './rights.js';

/** The TLB's answer. */
export interface TlbAnswer {
  /** The TLB's shape by name. */
  readonly shape: string;
  /** `off`: paging is off, or the address was refused before any lookup. `none`: there is no TLB. */
  readonly answer: 'off' | 'none' | 'L1 hit' | 'L2 hit' | 'miss';
  /** Content of a hit: the physical address it makes of this one, its page size and rights. */
  readonly physical?: Hex;
  readonly page?: string;
  readonly allows?: Allowed;
  /** How the entry differs from a walk's result now: an invalidation is missing. */
  readonly stale?: string;
}

/** The answer of the paging-structure caches. */
export interface WalkCacheAnswer {
  /** `not asked`: the TLB answered, or nothing was to be walked. */
  readonly answer: 'not asked' | 'hit' | 'miss';
  /** The first table of the walk, and its address. */
  readonly startsAt?: string;
  readonly table?: Hex;
}

/** One entry on the way, taken apart, and the rights left. */
export interface WalkLevel extends EntryLevel {
  /** All levels down to this one together; null when the entry is not present. */
  readonly allows: Allowed | null;
  /** The processor did not read this entry now: a walk cache or the TLB stood for it. */
  readonly skipped: boolean;
  /** Why the walk ends here in a fault. */
  readonly problem?: string;
}

/** A bit of the page-fault error code. */
export interface ErrorBit {
  readonly name: string;
  readonly bit: number;
  readonly set: boolean;
  readonly meaning: string;
}

/** The access reached memory. */
export interface MappedOutcome {
  readonly kind: 'mapped';
  readonly physical: Hex;
  /** `4K`, `2M`, `4M`, `1G`; null without paging. */
  readonly page: string | null;
}

/** A rule against the access, in one sentence. */
export interface FaultReason {
  readonly text: string;
  /** The rule itself, the same for every access. */
  readonly rule: string;
  /** The table with the entry to blame; null if there is none. */
  readonly table: string | null;
}

/** The access ended in a fault. */
export interface FaultOutcome {
  readonly kind: 'fault';
  /** `#PF page fault` and the like. */
  readonly name: string;
  /** Null for a bus error: it is no exception of the architecture. */
  readonly vector: number | null;
  readonly errorCode: number | null;
  readonly bits: readonly ErrorBit[];
  readonly reasons: readonly FaultReason[];
  /** The manual's section about it. */
  readonly section: string;
}

/** Accessed and dirty bits set in memory by the access. */
export interface EntryChange {
  readonly table: string;
  readonly entryAddress: Hex;
  readonly bits: string;
}

/** One step of the processor: its object as hexadecimal text, and a sentence about it. */
export interface WalkStep {
  readonly kind: TranslationEvent['kind'];
  readonly text: string;
  /** The TLB or walk cache, such as `L1 data TLB`; the entry read or changed, such as `PT[1]`. */
  readonly where?: string;
  /** Linear address of a lookup, of a page in a TLB, of an instruction's operand. */
  readonly linear?: Hex;
  /** Physical address of an entry, and its value. */
  readonly entryAddress?: Hex;
  readonly raw?: Hex;
  /** Physical address of a page or a table, and the page's size. */
  readonly target?: Hex;
  readonly page?: string;
  readonly allows?: Allowed;
  /** Of the page-fault error code. */
  readonly errorCode?: number;
}

/** The result of {@link explainWalk}: the TLB, every level, and how the access ends. */
export interface WalkResult {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly command: 'walk';
  readonly address: Hex;
  readonly access: AccessKind;
  readonly user: boolean;
  readonly mode: X86ModeName;
  readonly title: string;
  /** The manual's section about the mode. */
  readonly section: string;
  readonly registers: { readonly cr0: Hex; readonly cr3: Hex; readonly cr4: Hex; readonly efer: Hex };
  readonly tlb: TlbAnswer;
  readonly walkCache: WalkCacheAnswer;
  /** Root first. */
  readonly levels: readonly WalkLevel[];
  readonly outcome: MappedOutcome | FaultOutcome;
  readonly changes: readonly EntryChange[];
}
