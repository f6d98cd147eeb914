/** A RISC-V hart as JSON: its CSRs, its memory, and the accesses made before. xv6's first process is such a state, too. */

import { z } from 'zod';
import { Hart } from '../../../hw/riscv/hart.js';
import { checkState, hexValue } from '../machine-state.js';
import { CommonState, ramOf } from '../state-parts.js';
import { toBigInt } from '../../../hw/base/address.js';
import { ZERO, tlbNamed } from '../state-form.js';
import { hexOfWord, makeAccesses } from '../state-setup.js';

/** RAM of QEMU's board "virt" begins here. */
const RAM_BASE = 0x8000_0000;

const RiscvState = CommonState.extend({
  machine: z.literal('riscv'),
  csrs: z
    .strictObject({
      satp: hexValue,
      sstatus: hexValue.default(ZERO),
      menvcfg: hexValue.default(ZERO).describe('ADUE: hardware sets A and D; PBMTE: entries have memory types'),
    })
    .describe('the hart is in supervisor mode; accesses of users are made as in user mode'),
});

/** A hart as `pagewalk walk --state` reads it. */
type RiscvState = z.infer<typeof RiscvState>;
/** The same as it is written, defaults left out. */
export type RiscvStateInput = z.input<typeof RiscvState>;

/**
 * Checks the content of a file and fills in the defaults.
 * @throws StateError
 */
export function parseRiscvState(value: unknown): RiscvState {
  return checkState(RiscvState, value, '"machine": "riscv", "csrs": {"satp": …}');
}

/** Builds the hart and makes its accesses. @throws StateError with the field's name */
export function buildHart(state: RiscvState): Hart {
  const hart = new Hart({ ram: ramOf(state, RAM_BASE), tlb: tlbNamed(state.tlb) });
  for (const name of ['menvcfg', 'sstatus', 'satp'] as const) {
    const { hi, lo } = state.csrs[name];
    hart.writeCsr(name, toBigInt(hi, lo));
  }
  hart.setPrivilege('S');
  makeAccesses(hart, state.accesses, (at) => `${hexOfWord(at)} ends in a fault`);
  return hart;
}
