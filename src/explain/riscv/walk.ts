/** The walk of a RISC-V hart in words: its entries, its CSRs, and the rule behind a refusal. */

import { formatHex, toNumber } from '../../../hw/base/address.js';
import { causeName } from '../../../hw/riscv/exception.js';
import {
  RISCV_PTE_R,
  RISCV_PTE_V,
  RISCV_PTE_W,
  RISCV_PTE_X,
  RISCV_GUEST_MODES,
  RISCV_MODES,
} from '../../../hw/riscv/format.js';
import type { Hart } from '../../../hw/riscv/hart.js';
import { addressHigh, addressLow, pageHigh, pageLow } from '../../../hw/riscv/words.js';
import type { EntryLevel } from '../entry-level.js';
import type { NestedTerms } from '../nested/nested-walk.js';
import { radixNestedTerms } from '../nested/radix-nested.js';
import type { RadixFault } from '../radix/radix-result.js';
import type { RadixTerms, WayEntry } from '../radix/radix-walk.js';
import type { WalkRequest } from '../walk/walk.js';
import { trapReason } from './trap-reason.js';

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
    fault: (request, entries) => faultOf(hart, request, entries),
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

function faultOf(hart: Hart, request: WalkRequest, entries: readonly WayEntry[]): RadixFault {
  const reason = trapReason(hart, request, entries);
  const { cause, tval, tval2, tinst } = hart.trap();
  const [stval, htval, htinst] = [tval, tval2, tinst].map((value) => `0x${value.toString(16)}`);
  const ofHost = hart.fault.stage === 2 ? { htval, ...(tinst !== 0 && { htinst }) } : {};
  return { name: causeName(cause), syndrome: { cause, stval, ...ofHost }, ...reason };
}
