/** The parts that states of RISC-V and AArch64 have in common: their fields, and RAM at the place of a board. */

import { z } from 'zod';
import { toNumber } from '../../hw/base/address.js';
import { Ram } from '../../hw/memory/ram.js';
import { hexValue, ramBytesUpTo, StateFields } from './machine-state.js';
import { StateError } from './state-form.js';
import { fillRam } from './state-setup.js';

const DEFAULT_RAM = 2 ** 27;

/** The fields of every state but for the machine's name and its registers. */
export const CommonState = z.strictObject({
  schemaVersion: StateFields.schemaVersion,
  about: StateFields.about,
  ramBase: hexValue.optional().describe('physical address of the first byte of RAM'),
  ramBytes: ramBytesUpTo(2 ** 33, DEFAULT_RAM),
  tlb: StateFields.tlb,
  memory: StateFields.memory,
  accesses: StateFields.accesses,
});
type CommonState = z.infer<typeof CommonState>;

/**
 * RAM with the stores of a state.
 * @param base where RAM begins, when the state says nothing
 * @throws StateError
 */
export function ramOf({ ramBase, ramBytes, memory }: CommonState, base: number): Ram {
  const start = ramBase === undefined ? base : toNumber(ramBase.hi, ramBase.lo);
  const ram = ramAt(start, ramBytes);
  const range = `0x${start.toString(16)} to 0x${(start + ramBytes - 1).toString(16)}`;
  fillRam(ram, memory, ` (${range}); change ramBase or ramBytes`);
  return ram;
}

function ramAt(base: number, bytes: number): Ram {
  try {
    return new Ram({ ranges: [{ base, bytes }] });
  } catch (error) {
    throw error instanceof RangeError ? new StateError(`ramBase, ramBytes: ${error.message}`) : error;
  }
}
