/** An AArch64 PE as JSON: its system registers, its memory, and the accesses made before. */

import { z } from 'zod';
import { toBigInt } from '../../../hw/base/address.js';
import { Pe } from '../../../hw/aarch64/pe.js';
import { checkState, hexValue } from '../machine-state.js';
import { CommonState, ramOf } from '../state-parts.js';
import { ZERO, tlbNamed } from '../state-form.js';
import { hexOfWord, makeAccesses } from '../state-setup.js';

/** RAM of QEMU's board "virt" begins here. */
const RAM_BASE = 0x4000_0000;
const ON = { hi: 0, lo: 1 };

const AArch64State = CommonState.extend({
  machine: z.literal('aarch64'),
  registers: z
    .strictObject({
      TTBR0_EL1: hexValue.default(ZERO),
      TTBR1_EL1: hexValue.default(ZERO),
      TCR_EL1: hexValue,
      SCTLR_EL1: hexValue.default(ON),
      HCR_EL2: hexValue.default(ZERO).describe('VM, bit 0: the host translates by stage 2'),
      VTCR_EL2: hexValue.default(ZERO),
      VTTBR_EL2: hexValue.default(ZERO).describe("the host's tables"),
    })
    .describe('the PE is at EL1; accesses of users are made as at EL0'),
  pan: z.boolean().default(false).describe('PSTATE.PAN'),
});

/** A PE as `pagewalk walk --state` reads it. */
type AArch64State = z.infer<typeof AArch64State>;
/** The same as it is written, defaults left out. */
export type AArch64StateInput = z.input<typeof AArch64State>;

/**
 * Checks the content of a file and fills in the defaults.
 * @throws StateError
 */
export function parseAArch64State(value: unknown): AArch64State {
  return checkState(
    AArch64State,
    value,
    '{"schemaVersion": 1, "machine": "aarch64", "registers": {"TTBR0_EL1": …}, "memory": […]}',
  );
}

/** Builds the PE and makes its accesses. @throws StateError with the field's name */
export function buildPe(state: AArch64State): Pe {
  const pe = new Pe({ ram: ramOf(state, RAM_BASE), tlb: tlbNamed(state.tlb) });
  for (const [name, { hi, lo }] of Object.entries(state.registers)) {
    pe.writeRegister(name as keyof AArch64State['registers'], toBigInt(hi, lo));
  }
  pe.pan = state.pan;
  makeAccesses(pe, state.accesses, (at) => `${hexOfWord(at)} ends in a fault`);
  return pe;
}
