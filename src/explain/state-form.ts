/** What there is to the form of a machine's state besides its validator, which takes longer to load than a walk takes. */

import { FETCH, READ, USER, WRITE } from '../../hw/base/access.js';
import { shown } from '../../hw/base/arguments.js';
import { highWord, lowWord, parseAddress } from '../../hw/base/address.js';
import type { Word64 } from '../../hw/base/address.js';
import type { TlbGeometry } from '../../hw/tlb/hierarchy.js';
import { parseTlb } from '../../hw/tlb/parse.js';

/** The version of the form; it grows when a field changes its meaning or goes. */
export const STATE_VERSION = 1;

export const MACHINES = ['x86', 'riscv', 'aarch64', 'toy'] as const;
/** A machine that a state may be of. */
export type WalkMachineName = (typeof MACHINES)[number];

/** Something is wrong in a state: the message names the field, its value and the fix. */
export class StateError extends Error {
  override readonly name = 'StateError';
}

/** The machine that a state names; x86 when it names none. @throws StateError for one that there is not */
export function machineIn(state: unknown): WalkMachineName {
  const named = typeof state === 'object' && state !== null && 'machine' in state ? state.machine : 'x86';
  const found = MACHINES.find((machine) => machine === named);
  if (found === undefined) throw new StateError(`machine ${shown(named)}: must be ${MACHINES.join(' or ')}`);
  return found;
}

/** The value of a register left out. */
export const ZERO: Word64 = { hi: 0, lo: 0 };

/** The values of fields that a state leaves out. */
export const DEFAULTS = {
  state: { ramBytes: 2 ** 24, maxPhysicalBits: 40, tlb: 'skylake' },
  registers: { cr3: ZERO, cr4: ZERO, efer: ZERO, pkru: ZERO, pkrs: ZERO, ac: false },
  segments: { cpl: 0, instructionPointer: ZERO, stackPointer: ZERO, code64: true },
  stored: { bytes: 8 },
  accessed: { access: 'read', user: false },
} as const;

/** The value of a field: text is hexadecimal, with or without 0x, and a number what it is. */
export function wordOf(given: string | number): Word64 | undefined {
  return typeof given === 'number' ? { hi: highWord(given), lo: lowWord(given) } : parseAddress(given);
}

/** Kinds of access that a state may have. */
export const STATE_ACCESSES = ['read', 'write', 'fetch'] as const;
const KINDS = { read: READ, write: WRITE, fetch: FETCH } as const;

/** The access bits of access.ts. */
export function accessBits(kind: keyof typeof KINDS, user: boolean): number {
  return KINDS[kind] | (user ? USER : 0);
}

/** @throws StateError for a shape that cannot be */
export function tlbNamed(name: string): TlbGeometry {
  try {
    return parseTlb(name);
  } catch (error) {
    throw error instanceof RangeError ? new StateError(`tlb: ${error.message}`) : error;
  }
}
