/**
 * Exceptions of RISC-V: causes, and their fields in a fault record.
 *
 * A fault's status is PAGE_FAULT or BUS_ERROR, as on every machine. Its error code is the cause, with the facts for
 * tval2, tinst and GVA beside it. Its address is the virtual one, also if no RAM answers.
 * Source: RISC-V privileged specification, "Supervisor Cause (scause) Register", "Hypervisor Extension", "Trap Cause Codes".
 */

import { FETCH, WRITE } from '../base/access.js';
import { toBigInt } from '../base/address.js';
import type { Exception } from '../base/fault.js';

/** Statuses of refused instructions: their causes, negated. The mode does not have it, or only outside of a guest. */
export const ILLEGAL_INSTRUCTION = -2;
/** A guest may not execute it; its hypervisor may. */
export const VIRTUAL_INSTRUCTION = -22;
/** Causes, for fetches, loads, and stores with AMOs. No RAM answers. */
const FETCH_ACCESS_FAULT = 1;
const LOAD_ACCESS_FAULT = 5;
const STORE_ACCESS_FAULT = 7;
/** The first stage gives no translation or no right. */
export const FETCH_PAGE_FAULT = 12;
const LOAD_PAGE_FAULT = 13;
export const STORE_PAGE_FAULT = 15;
/** The second stage gives none. */
const FETCH_GUEST_PAGE_FAULT = 20;
const LOAD_GUEST_PAGE_FAULT = 21;
const STORE_GUEST_PAGE_FAULT = 23;

const CAUSE = 0x3f;
/** In an error code: the address is a guest's virtual address. */
export const GUEST_ADDRESS = 1 << 8;
/** In an error code: the second stage refused the read of an entry of the first. */
export const ENTRY_READ = 1 << 9;
/** In an error code: it refused to let accessed and dirty bits be stored there. */
export const ENTRY_WRITE = 1 << 10;
/** In an error code: entries have 4 bytes. */
export const NARROW_ENTRY = 1 << 11;

/** The cause of an access to an address without RAM. */
export function accessFaultCause(access: number): number {
  return (access & FETCH) !== 0 ? FETCH_ACCESS_FAULT : (access & WRITE) !== 0 ? STORE_ACCESS_FAULT : LOAD_ACCESS_FAULT;
}

/** The cause of an access refused by the first stage. */
export function pageFaultCause(access: number): number {
  return (access & FETCH) !== 0 ? FETCH_PAGE_FAULT : (access & WRITE) !== 0 ? STORE_PAGE_FAULT : LOAD_PAGE_FAULT;
}

/** The cause of an access refused by the second stage. */
export function guestPageFaultCause(access: number): number {
  return pageFaultCause(access) + FETCH_GUEST_PAGE_FAULT - FETCH_PAGE_FAULT;
}

/** Values left by a trap in the CSRs of the mode it enters. */
export interface Trap {
  /** xcause. */
  readonly cause: number;
  /** xtval: the virtual address. */
  readonly tval: bigint;
  /** mtval2 or htval: a guest page fault's guest-physical address, shifted right by 2; else 0. */
  readonly tval2: bigint;
  /**
   * mtinst or htinst: the pseudoinstruction of an access to an entry of the first stage, refused by the second; else 0:
   * the specification allows it always.
   * Source: "Transformed Instruction or Pseudoinstruction for mtinst or htinst".
   */
  readonly tinst: number;
  /** mstatus.GVA or hstatus.GVA: tval is a guest's virtual address. */
  readonly gva: boolean;
}

/** The pseudoinstructions of reads and writes of entries of 8 bytes, and of 4. */
const READ_ENTRY = 0x3000;
const READ_NARROW_ENTRY = 0x2000;
const WRITES_ENTRY = 0x20;

/** Values left by an exception of a hart in the CSRs. */
export function trapOf({ errorCode, hi, lo, stage, guestHi, guestLo }: Exception): Trap {
  const onEntry = (errorCode & (ENTRY_READ | ENTRY_WRITE)) !== 0;
  const entry = (errorCode & NARROW_ENTRY) !== 0 ? READ_NARROW_ENTRY : READ_ENTRY;
  return {
    cause: errorCode & CAUSE,
    tval: toBigInt(hi, lo),
    tval2: stage === 2 ? toBigInt(guestHi, guestLo) >> 2n : 0n,
    tinst: onEntry ? entry | ((errorCode & ENTRY_WRITE) !== 0 ? WRITES_ENTRY : 0) : 0,
    gva: (errorCode & GUEST_ADDRESS) !== 0,
  };
}

const CAUSE_NAMES = new Map<number, string>([
  [-ILLEGAL_INSTRUCTION, 'illegal instruction'],
  [-VIRTUAL_INSTRUCTION, 'virtual instruction'],
  [FETCH_ACCESS_FAULT, 'instruction access fault'],
  [LOAD_ACCESS_FAULT, 'load access fault'],
  [STORE_ACCESS_FAULT, 'store/AMO access fault'],
  [FETCH_PAGE_FAULT, 'instruction page fault'],
  [LOAD_PAGE_FAULT, 'load page fault'],
  [STORE_PAGE_FAULT, 'store/AMO page fault'],
  [FETCH_GUEST_PAGE_FAULT, 'instruction guest-page fault'],
  [LOAD_GUEST_PAGE_FAULT, 'load guest-page fault'],
  [STORE_GUEST_PAGE_FAULT, 'store/AMO guest-page fault'],
]);

/** `load page fault` and the like for a cause. */
export function causeName(cause: number): string {
  return CAUSE_NAMES.get(cause) ?? `cause ${cause}`;
}
