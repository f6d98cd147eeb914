/**
 * One access of a hart explained: the TLB's answer, every entry on the way, and the end.
 *
 * The access is really made. Nothing here decides a translation: the hart's own events tell its steps.
 */

import { FETCH, USER, WRITE } from '../../../hw/base/access.js';
import { formatHex, pageSizeName, wideIndex } from '../../../hw/base/address.js';
import { BUS_ERROR } from '../../../hw/base/fault.js';
import { decodeEntry, flagNames } from '../../../hw/base/format.js';
import type { DecodedField, EntryFormat } from '../../../hw/base/format.js';
import { causeName } from '../../../hw/riscv/exception.js';
import {
  RISCV_PTE_A,
  RISCV_PTE_D,
  RISCV_PTE_R,
  RISCV_PTE_U,
  RISCV_PTE_V,
  RISCV_PTE_W,
  RISCV_PTE_X,
  RISCV_MODES,
} from '../../../hw/riscv/format.js';
import type { Hart } from '../../../hw/riscv/hart.js';
import type { ReadEvent, TranslationEvent } from '../../../hw/translate/walk/events.js';
import { SCHEMA_VERSION } from '../../report/results/schema.js';
import { accessBits } from '../machine.js';
import type { AccessKind } from '../machine-state.js';

/** Addresses, registers and entries are hexadecimal text. */
type Hex = string;

/** One entry as read, taken apart. */
interface RiscvLevel {
  readonly level: number;
  readonly index: number;
  readonly entryAddress: Hex;
  readonly raw: Hex;
  readonly format: string;
  readonly section: string;
  readonly fields: readonly DecodedField[];
  readonly flags: string;
  readonly pointsTo: 'table' | 'page' | 'nothing';
  readonly target: Hex | null;
}

/** How the access ended. */
type RiscvWalkOutcome =
  | { readonly kind: 'mapped'; readonly physical: Hex; readonly page: string | null }
  | {
      readonly kind: 'fault';
      readonly cause: number;
      readonly name: string;
      readonly tval: Hex;
      /** The refusing rule in a sentence, and its section. */
      readonly why: string;
      readonly section: string;
    };

/** The result of {@link explainRiscvWalk}. */
export interface RiscvWalkResult {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly command: 'walk';
  readonly machine: 'riscv';
  readonly address: Hex;
  readonly access: AccessKind;
  readonly user: boolean;
  readonly mode: string;
  readonly title: string;
  readonly section: string;
  readonly registers: { readonly satp: Hex; readonly sstatus: Hex };
  /** The answering TLB; null when a walk was made, or nothing was asked. */
  readonly tlb: string | null;
  /** Root first. */
  readonly levels: readonly RiscvLevel[];
  readonly outcome: RiscvWalkOutcome;
  /** Accessed and dirty bits set by the access, by level. */
  readonly changes: readonly { readonly level: number; readonly bit: 'accessed' | 'dirty' }[];
}

export interface RiscvWalkRequest {
  readonly hi: number;
  readonly lo: number;
  readonly access: AccessKind;
  readonly user: boolean;
}

/** Makes the access on a hart of 64 bits in supervisor mode, and explains it. */
export function explainRiscvWalk(hart: Hart, request: RiscvWalkRequest): RiscvWalkResult {
  const { hi, lo, access, user } = request;
  const events: TranslationEvent[] = [];
  const stop = hart.listen((event) => events.push(event));
  const frame = hart.translate(hi, lo, accessBits(access, user));
  stop();
  const mode = RISCV_MODES[hart.rules.mode];
  const reads = events.filter((event) => event.kind === 'read');
  const hit = events.find((event) => event.kind === 'hit');
  const found = events.find((event) => event.kind === 'walked') ?? hit;
  const page = found === undefined ? null : pageSizeName(found.shift);
  return {
    schemaVersion: SCHEMA_VERSION,
    command: 'walk',
    machine: 'riscv',
    address: formatHex(hi, lo),
    access,
    user,
    mode: mode.name,
    title: mode.name[0].toUpperCase() + mode.name.slice(1),
    section: mode.section,
    registers: { satp: csr(hart, 'satp'), sstatus: csr(hart, 'sstatus') },
    tlb: hit?.where ?? null,
    levels: reads.map((read) => levelOf(hart, read, hi, lo)),
    outcome:
      frame >= 0
        ? { kind: 'mapped', physical: `0x${(frame * 4096 + (lo & 0xfff)).toString(16)}`, page }
        : faultOf(hart, request, reads.at(-1)),
    changes: events.filter((event) => event.kind === 'set').map(({ level, bit }) => ({ level, bit })),
  };
}

function csr(hart: Hart, name: 'satp' | 'sstatus'): Hex {
  return `0x${hart.readCsr(name).toString(16)}`;
}

function formatOf(hart: Hart, { level, low }: ReadEvent): EntryFormat {
  const found = RISCV_MODES[hart.rules.mode].levels.find((candidate) => candidate.level === level);
  const format =
    (low & (RISCV_PTE_R | RISCV_PTE_W | RISCV_PTE_X)) !== 0
      ? found?.pageEntry
      : (found?.tableEntry ?? found?.pageEntry);
  if (format === undefined) throw new Error(`${hart.rules.mode} has no level ${level}`);
  return format;
}

function levelOf(hart: Hart, read: ReadEvent, hi: number, lo: number): RiscvLevel {
  const { level, address, high, low } = read;
  const format = formatOf(hart, read);
  const fields = decodeEntry(format, high, low);
  const frame = fields.find(({ name }) => name === 'frame');
  const valid = (low & RISCV_PTE_V) !== 0;
  const isPage = (low & (RISCV_PTE_R | RISCV_PTE_W | RISCV_PTE_X)) !== 0;
  return {
    level,
    index: wideIndex(hi, lo, level),
    entryAddress: `0x${(address ?? 0).toString(16)}`,
    raw: `0x${formatHex(high, low).slice(2).padStart(16, '0')}`,
    format: format.name,
    section: format.section,
    fields,
    flags: valid ? flagNames(format, high, low) : '',
    pointsTo: !valid ? 'nothing' : isPage ? 'page' : 'table',
    target: valid && frame !== undefined ? `0x${(frame.value * 2 ** (frame.low + 2)).toString(16)}` : null,
  };
}

const PROCESS = 'RISC-V privileged specification, "Virtual Address Translation Process"';
const PROTECTION = 'RISC-V privileged specification, "Addressing and Memory Protection"';

function faultOf(hart: Hart, request: RiscvWalkRequest, last: ReadEvent | undefined): RiscvWalkOutcome {
  const { cause, tval } = hart.trap();
  const [why, section] = reason(hart, request, last);
  return { kind: 'fault', cause, name: causeName(cause), tval: `0x${tval.toString(16)}`, why, section };
}

/** Why the entry read last, or none, refuses the access: a sentence and its section. */
function reason(hart: Hart, { access, user, hi }: RiscvWalkRequest, last: ReadEvent | undefined): [string, string] {
  if (hart.fault.status === BUS_ERROR) return ['no RAM answers where the walk leads', `${PROCESS}, step 2`];
  if (!hart.isCanonical(hi)) {
    const top = RISCV_MODES[hart.rules.mode].linearBits - 1;
    return [`bits 63 to ${top + 1} of the address must all equal bit ${top}`, PROTECTION];
  }
  if (last === undefined) return ['the rights in the TLB refuse it', PROTECTION];
  const { level, high, low } = last;
  const entry = `the entry of level ${level}`;
  if ((low & RISCV_PTE_V) === 0) return [`${entry} is not valid: V = 0`, `${PROCESS}, step 3`];
  const isPage = (low & (RISCV_PTE_R | RISCV_PTE_W | RISCV_PTE_X)) !== 0;
  if ((low & (RISCV_PTE_R | RISCV_PTE_W)) === RISCV_PTE_W)
    return [`${entry} has W without R, which is reserved`, `${PROCESS}, step 3`];
  if (!isPage && level === 0) return [`${entry} maps no page: R = W = X = 0`, `${PROCESS}, step 4`];
  const reserved = decodeEntry(formatOf(hart, last), high, low).find(
    ({ name, value }) => name === 'reserved' && value > 0,
  );
  if (reserved !== undefined) {
    return [`${entry} has reserved bits set, of ${reserved.high} to ${reserved.low}`, `${PROCESS}, steps 3 and 5`];
  }
  if (user && (low & RISCV_PTE_U) === 0) return ['user mode may use pages with U = 1 alone', PROTECTION];
  const bits = accessBits(access, user);
  if (!user && (low & RISCV_PTE_U) !== 0 && !reaches(hart, bits)) {
    const fetch = (bits & FETCH) !== 0;
    const rule = fetch
      ? 'supervisor mode never fetches from pages with U = 1'
      : 'supervisor mode needs SUM = 1 for pages with U = 1';
    return [rule, PROTECTION];
  }
  const [needed, letter] =
    (bits & FETCH) !== 0 ? [RISCV_PTE_X, 'X'] : (bits & WRITE) !== 0 ? [RISCV_PTE_W, 'W'] : [RISCV_PTE_R, 'R'];
  if ((low & needed) === 0) return [`the page has ${letter} = 0`, PROTECTION];
  const clean = (bits & WRITE) !== 0 && (low & RISCV_PTE_D) === 0;
  if ((low & RISCV_PTE_A) === 0 || clean)
    return ['accessed or dirty is clear, and software is to set it (Svade)', `${PROCESS}, step 9`];
  return ['an encoding of N or PBMT is reserved', `${PROCESS}, step 3`];
}

/** Whether supervisor mode may reach a page of user mode with all rights. */
function reaches(hart: Hart, bits: number): boolean {
  const ALL = 0xf;
  return ((hart.rules.first.permitted[bits & ~USER] >>> ALL) & 1) !== 0;
}
