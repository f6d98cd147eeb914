/** The walk of a RISC-V hart in words: its entries, its CSRs, and the rule behind a refusal. */

import { FETCH, USER, WRITE } from '../../../hw/base/access.js';
import { BUS_ERROR } from '../../../hw/base/fault.js';
import { formatHex, toBigInt, toNumber } from '../../../hw/base/address.js';
import { decodeEntry } from '../../../hw/base/format.js';
import type { PagingLevel } from '../../../hw/base/format.js';
import { causeName, ENTRY_READ, ENTRY_WRITE } from '../../../hw/riscv/exception.js';
import {
  RISCV_PTE_A,
  RISCV_PTE_D,
  RISCV_PTE_R,
  RISCV_PTE_U,
  RISCV_PTE_V,
  RISCV_PTE_W,
  RISCV_PTE_X,
  RISCV_GUEST_MODES,
  RISCV_MODES,
} from '../../../hw/riscv/format.js';
import type { Hart } from '../../../hw/riscv/hart.js';
import { addressHigh, addressLow, pageHigh, pageLow } from '../../../hw/riscv/words.js';
import type { ReadEvent } from '../../../hw/translate/walk/events.js';
import type { EntryLevel } from '../entry-level.js';
import type { NestedTerms } from '../nested/nested-walk.js';
import { radixNestedTerms } from '../nested/radix-nested.js';
import type { RadixFault } from '../radix/radix-result.js';
import type { RadixTerms } from '../radix/radix-walk.js';
import type { WalkRequest } from '../walk/walk.js';
import { accessBits } from '../state-form.js';

/** What a hart in supervisor mode says about its walks. */
export function riscvTerms(hart: Hart): RadixTerms {
  const { name, section, levels } = RISCV_MODES[hart.rules.mode];
  return {
    machine: 'riscv',
    mode: name,
    title: capital(name),
    section,
    levels,
    registers: { satp: csr(hart, 'satp'), sstatus: csr(hart, 'sstatus') },
    pointsTo: (_level, _high, low) => pointsTo(low),
    target: (fields) => {
      const frame = fields.find((field) => field.name === 'frame');
      // The frame number stands two bits lower in an entry than in an address.
      return (frame?.value ?? 0) * 2 ** ((frame?.low ?? 0) + 2);
    },
    rights: rightsWords,
    marks: { accessed: 'A', dirty: 'D' },
    fault: (request, reads) => faultOf(hart, request, reads),
  };
}

/** `Sv39` for `sv39`. */
function capital(name: string): string {
  return name[0].toUpperCase() + name.slice(1);
}

/** What a hart in VS-mode, under hgatp, says about both stages of an access. */
export function riscvNestedTerms(hart: Hart, request: WalkRequest): NestedTerms {
  const first = riscvTerms(hart);
  const { mode, guestMode } = hart.rules;
  const { wide, rootHi, rootLo } = hart.rules.first;
  const { hi, lo } = request;
  return {
    ...radixNestedTerms(hart, first, request),
    guest: { title: first.title, levels: first.levels, entryBytes: RISCV_MODES[mode].entryBytes },
    host: { title: capital(guestMode), levels: RISCV_GUEST_MODES[guestMode].levels },
    root: toNumber(rootHi, rootLo),
    tableOf: ({ high, low }) => toNumber(addressHigh(high, low), addressLow(low)),
    pageOf: ({ level, high, low }) => formatHex(pageHigh(level, high, low, hi), pageLow(wide, level, high, low, lo)),
  };
}

/** `user rw-`: bits 0 to 3 of a permission code are R, W, X and U, as in an entry. */
function rightsWords(code: number): string {
  const letters = ['r', 'w', 'x'].map((letter, bit) => (((code >>> bit) & 1) === 1 ? letter : '-'));
  return `${(code & 8) === 0 ? 'supervisor' : 'user'} ${letters.join('')}`;
}

function csr(hart: Hart, name: 'satp' | 'sstatus'): string {
  return `0x${hart.readCsr(name).toString(16)}`;
}

function pointsTo(low: number): EntryLevel['pointsTo'] {
  if ((low & RISCV_PTE_V) === 0) return 'nothing';
  return (low & (RISCV_PTE_R | RISCV_PTE_W | RISCV_PTE_X)) !== 0 ? 'page' : 'table';
}

const SPECIFICATION = (title: string): string => `RISC-V privileged specification, "${title}"`;
const PROCESS = SPECIFICATION('Virtual Address Translation Process');
const PROTECTION = SPECIFICATION('Addressing and Memory Protection');
const GUEST = SPECIFICATION('Guest Physical Address Translation');

function faultOf(hart: Hart, request: WalkRequest, reads: readonly ReadEvent[]): RadixFault {
  const [why, section] = hart.fault.stage === 2 ? hostReason(hart, request, reads) : reason(hart, request, reads);
  const { cause, tval, tval2, tinst } = hart.trap();
  const [stval, htval, htinst] = [tval, tval2, tinst].map((value) => `0x${value.toString(16)}`);
  const ofHost = hart.fault.stage === 2 ? { htval, ...(tinst !== 0 && { htinst }) } : {};
  return { name: causeName(cause), syndrome: { cause, stval, ...ofHost }, why, section };
}

/** Why the entry of the first stage read last, or none, refuses the access: a sentence and its section. */
function reason(hart: Hart, { access, user, hi }: WalkRequest, reads: readonly ReadEvent[]): [string, string] {
  if (hart.fault.status === BUS_ERROR) return NO_RAM;
  const { levels, linearBits } = RISCV_MODES[hart.rules.mode];
  if (!hart.isCanonical(hi)) {
    const top = linearBits - 1;
    return [`bits 63 to ${top + 1} of the address must all equal bit ${top}`, PROTECTION];
  }
  const last = reads.filter(({ stage }) => stage === 1).at(-1);
  if (last === undefined) return ['the rights in the TLB refuse it', PROTECTION];
  return (
    entryReason(levels, last, `the entry of level ${last.level}`) ??
    rightsReason(hart, accessBits(access, user), last.low)
  );
}

/** Why the second stage refuses an entry of the first, or the page. */
function hostReason(hart: Hart, { access }: WalkRequest, reads: readonly ReadEvent[]): [string, string] {
  const { errorCode, guestHi, guestLo } = hart.fault;
  const { levels, linearBits, name } = RISCV_GUEST_MODES[hart.rules.guestMode];
  if (toBigInt(guestHi, guestLo) >> BigInt(linearBits) !== 0n) {
    return [`guest-physical addresses of ${capital(name)} have ${linearBits} bits`, GUEST];
  }
  const last = reads.at(-1);
  if (last?.stage !== 2) return ['the rights kept of the second stage refuse it', GUEST];
  const wrong = entryReason(levels, last, `the host's entry of level ${last.level}`);
  if (wrong !== undefined) return wrong;
  const what = (errorCode & ENTRY_WRITE) !== 0 ? 'write' : (errorCode & ENTRY_READ) !== 0 ? 'read' : access;
  if ((last.low & RISCV_PTE_U) === 0)
    return ["the host's page has U = 0: each access counts as one of user mode", GUEST];
  return pageReason(accessBits(what, true), last.low, "the host's page");
}

const NO_RAM: [string, string] = ['no RAM answers where the walk leads', `${PROCESS}, step 2`];

/** What is wrong with an entry whatever the access is, if anything is. */
function entryReason(levels: readonly PagingLevel[], read: ReadEvent, entry: string): [string, string] | undefined {
  const { level, low } = read;
  if ((low & RISCV_PTE_V) === 0) return [`${entry} is not valid: V = 0`, `${PROCESS}, step 3`];
  if ((low & (RISCV_PTE_R | RISCV_PTE_W)) === RISCV_PTE_W)
    return [`${entry} has W without R, which is reserved`, `${PROCESS}, step 3`];
  if (pointsTo(low) === 'table' && level === 0) return [`${entry} maps no page: R = W = X = 0`, `${PROCESS}, step 4`];
  const reserved = reservedField(levels, read);
  if (reserved === undefined) return undefined;
  return [`${entry} has reserved bits set, of ${reserved.high} to ${reserved.low}`, `${PROCESS}, steps 3 and 5`];
}

/** The first reserved field that is not 0. */
function reservedField(
  levels: readonly PagingLevel[],
  { level, high, low }: ReadEvent,
): { high: number; low: number } | undefined {
  const found = levels.find((candidate) => candidate.level === level);
  const format = pointsTo(low) === 'page' ? found?.pageEntry : (found?.tableEntry ?? found?.pageEntry);
  if (format === undefined) return undefined;
  return decodeEntry(format, high, low).find(({ name, value }) => name === 'reserved' && value > 0);
}

/** The right that a page without anything reserved does not give. */
function rightsReason(hart: Hart, bits: number, low: number): [string, string] {
  const user = (bits & USER) !== 0;
  const fetch = (bits & FETCH) !== 0;
  if (user && (low & RISCV_PTE_U) === 0) return ['user mode may use pages with U = 1 alone', PROTECTION];
  if (!user && (low & RISCV_PTE_U) !== 0 && !reaches(hart, bits)) {
    const rule = fetch
      ? 'supervisor mode never fetches from pages with U = 1'
      : 'supervisor mode needs SUM = 1 for pages with U = 1';
    return [rule, PROTECTION];
  }
  return pageReason(bits, low, 'the page');
}

/** The letter that a page lacks for an access. */
function pageReason(bits: number, low: number, page: string): [string, string] {
  const fetch = (bits & FETCH) !== 0;
  const write = (bits & WRITE) !== 0;
  const [needed, letter] = fetch ? [RISCV_PTE_X, 'X'] : write ? [RISCV_PTE_W, 'W'] : [RISCV_PTE_R, 'R'];
  if ((low & needed) === 0) return [`${page} has ${letter} = 0`, PROTECTION];
  if ((low & RISCV_PTE_A) === 0 || (write && (low & RISCV_PTE_D) === 0))
    return ['accessed or dirty is clear, and software is to set it (Svade)', `${PROCESS}, step 9`];
  return ['an encoding of N or PBMT is reserved', `${PROCESS}, step 3`];
}

/** Whether supervisor mode may reach a page of user mode with all rights. */
function reaches(hart: Hart, bits: number): boolean {
  const ALL = 0xf;
  return ((hart.rules.first.permitted[bits & ~USER] >>> ALL) & 1) !== 0;
}
