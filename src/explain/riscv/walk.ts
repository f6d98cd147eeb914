/** The walk of a RISC-V hart in words: its entries, its CSRs, and the rule behind a refusal. */

import { FETCH, USER, WRITE } from '../../../hw/base/access.js';
import { BUS_ERROR } from '../../../hw/base/fault.js';
import { decodeEntry } from '../../../hw/base/format.js';
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
import type { ReadEvent } from '../../../hw/translate/walk/events.js';
import type { EntryLevel } from '../entry-level.js';
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
    title: name[0].toUpperCase() + name.slice(1),
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
    fault: (request, reads) => faultOf(hart, request, reads.at(-1)),
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

const PROCESS = 'RISC-V privileged specification, "Virtual Address Translation Process"';
const PROTECTION = 'RISC-V privileged specification, "Addressing and Memory Protection"';

function faultOf(hart: Hart, request: WalkRequest, last: ReadEvent | undefined): RadixFault {
  const [why, section] = reason(hart, request, last);
  const { cause, tval } = hart.trap();
  return { name: causeName(cause), syndrome: { cause, stval: `0x${tval.toString(16)}` }, why, section };
}

/** Why the entry read last, or none, refuses the access: a sentence and its section. */
function reason(hart: Hart, { access, user, hi }: WalkRequest, last: ReadEvent | undefined): [string, string] {
  if (hart.fault.status === BUS_ERROR) return ['no RAM answers where the walk leads', `${PROCESS}, step 2`];
  if (!hart.isCanonical(hi)) {
    const top = RISCV_MODES[hart.rules.mode].linearBits - 1;
    return [`bits 63 to ${top + 1} of the address must all equal bit ${top}`, PROTECTION];
  }
  if (last === undefined) return ['the rights in the TLB refuse it', PROTECTION];
  const { level, low } = last;
  const entry = `the entry of level ${level}`;
  if ((low & RISCV_PTE_V) === 0) return [`${entry} is not valid: V = 0`, `${PROCESS}, step 3`];
  if ((low & (RISCV_PTE_R | RISCV_PTE_W)) === RISCV_PTE_W)
    return [`${entry} has W without R, which is reserved`, `${PROCESS}, step 3`];
  if (pointsTo(low) === 'table' && level === 0) return [`${entry} maps no page: R = W = X = 0`, `${PROCESS}, step 4`];
  const reserved = reservedField(hart, last);
  if (reserved !== undefined) {
    return [`${entry} has reserved bits set, of ${reserved.high} to ${reserved.low}`, `${PROCESS}, steps 3 and 5`];
  }
  return rightsReason(hart, accessBits(access, user), low);
}

/** The first reserved field that is not 0. */
function reservedField(hart: Hart, { level, high, low }: ReadEvent): { high: number; low: number } | undefined {
  const found = RISCV_MODES[hart.rules.mode].levels.find((candidate) => candidate.level === level);
  const format = pointsTo(low) === 'page' ? found?.pageEntry : (found?.tableEntry ?? found?.pageEntry);
  if (format === undefined) return undefined;
  return decodeEntry(format, high, low).find(({ name, value }) => name === 'reserved' && value > 0);
}

/** The right that a page without anything reserved does not give. */
function rightsReason(hart: Hart, bits: number, low: number): [string, string] {
  const user = (bits & USER) !== 0;
  const fetch = (bits & FETCH) !== 0;
  const write = (bits & WRITE) !== 0;
  if (user && (low & RISCV_PTE_U) === 0) return ['user mode may use pages with U = 1 alone', PROTECTION];
  if (!user && (low & RISCV_PTE_U) !== 0 && !reaches(hart, bits)) {
    const rule = fetch
      ? 'supervisor mode never fetches from pages with U = 1'
      : 'supervisor mode needs SUM = 1 for pages with U = 1';
    return [rule, PROTECTION];
  }
  const [needed, letter] = fetch ? [RISCV_PTE_X, 'X'] : write ? [RISCV_PTE_W, 'W'] : [RISCV_PTE_R, 'R'];
  if ((low & needed) === 0) return [`the page has ${letter} = 0`, PROTECTION];
  if ((low & RISCV_PTE_A) === 0 || (write && (low & RISCV_PTE_D) === 0))
    return ['accessed or dirty is clear, and software is to set it (Svade)', `${PROCESS}, step 9`];
  return ['an encoding of N or PBMT is reserved', `${PROCESS}, step 3`];
}

/** Whether supervisor mode may reach a page of user mode with all rights. */
function reaches(hart: Hart, bits: number): boolean {
  const ALL = 0xf;
  return ((hart.rules.first.permitted[bits & ~USER] >>> ALL) & 1) !== 0;
}
