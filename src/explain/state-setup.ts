/** The stores and the accesses of a state, made on its machine. */

import { formatHex } from '../../hw/base/address.js';
import type { Word64 } from '../../hw/base/address.js';
import type { Ram } from '../../hw/memory/ram.js';
import type { TranslatingMachine } from '../../hw/translate/machine.js';
import type { MachineState } from './machine-state.js';
import { accessBits, StateError } from './state-form.js';

/** A word of a state in hexadecimal text. */
export function hexOfWord({ hi, lo }: Word64): string {
  return formatHex(hi, lo);
}

/** Makes the stores. @param fix the end of the sentence about one outside of RAM @throws StateError for such a one */
export function fillRam(ram: Ram, memory: MachineState['memory'], fix: string): void {
  memory.forEach(({ at, value, bytes }, index) => {
    const status = bytes === 4 ? ram.store32(at.hi, at.lo, value.lo) : ram.store64(at.hi, at.lo, value.hi, value.lo);
    if (status < 0) throw new StateError(`memory.${index}.at: ${hexOfWord(at)} lies outside of RAM${fix}`);
  });
}

/** Makes the accesses. @param fault the last fault in words @throws StateError for an access that faults */
export function makeAccesses(
  machine: Pick<TranslatingMachine, 'translate'>,
  accesses: MachineState['accesses'],
  fault: (at: Word64) => string,
): void {
  accesses.forEach(({ at, access, user }, index) => {
    if (machine.translate(at.hi, at.lo, accessBits(access, user)) >= 0) return;
    throw new StateError(`accesses.${index}: ${fault(at)}; leave it out, or map the address`);
  });
}
