/** The parts that states of RISC-V and AArch64 have in common: RAM, a TLB, stores and accesses. */

import { z } from 'zod';
import { formatHex, toNumber } from '../../hw/base/address.js';
import type { Word64 } from '../../hw/base/address.js';
import { Ram } from '../../hw/memory/ram.js';
import type { TranslatingMachine } from '../../hw/translate/machine.js';
import { Accessed, hexValue, StoredWord } from './machine-state.js';
import { accessBits, STATE_VERSION, StateError } from './state-form.js';

const DEFAULT_RAM = 2 ** 27;

/** The fields of every state but for the machine's name and its registers. */
export const CommonState = z.strictObject({
  schemaVersion: z.literal(STATE_VERSION),
  about: z.string().optional(),
  ramBase: hexValue.optional().describe('physical address of the first byte of RAM'),
  ramBytes: z
    .int()
    .min(4096)
    .max(2 ** 33)
    .multipleOf(4096)
    .default(DEFAULT_RAM),
  tlb: z.string().default('skylake').describe('a preset or a shape, as --tlb takes it'),
  memory: z.array(StoredWord).default([]),
  accesses: z.array(Accessed).default([]).describe('made in this order, to fill TLBs and caches'),
});
type CommonState = z.infer<typeof CommonState>;

function hex({ hi, lo }: Word64): string {
  return formatHex(hi, lo);
}

/**
 * RAM with the stores of a state.
 * @param base where RAM begins, when the state says nothing
 * @throws StateError
 */
export function ramOf({ ramBase, ramBytes, memory }: CommonState, base: number): Ram {
  const start = ramBase === undefined ? base : toNumber(ramBase.hi, ramBase.lo);
  const ram = ramAt(start, ramBytes);
  memory.forEach(({ at, value, bytes }, index) => {
    const status = bytes === 4 ? ram.store32(at.hi, at.lo, value.lo) : ram.store64(at.hi, at.lo, value.hi, value.lo);
    if (status >= 0) return;
    const range = `0x${start.toString(16)} to 0x${(start + ramBytes - 1).toString(16)}`;
    throw new StateError(`memory.${index}.at: ${hex(at)} lies outside of RAM (${range}); change ramBase or ramBytes`);
  });
  return ram;
}

function ramAt(base: number, bytes: number): Ram {
  try {
    return new Ram({ ranges: [{ base, bytes }] });
  } catch (error) {
    throw error instanceof RangeError ? new StateError(`ramBase, ramBytes: ${error.message}`) : error;
  }
}

/** Makes the accesses of a state. @throws StateError for one that faults */
export function makeAccesses(machine: TranslatingMachine, { accesses }: Pick<CommonState, 'accesses'>): void {
  accesses.forEach(({ at, access, user }, index) => {
    if (machine.translate(at.hi, at.lo, accessBits(access, user)) >= 0) return;
    throw new StateError(`accesses.${index}: ${hex(at)} ends in a fault; leave it out, or map the address`);
  });
}
