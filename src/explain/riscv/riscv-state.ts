/** A RISC-V hart as JSON: its CSRs, its memory, and the accesses made before. xv6's first process is such a state, too. */

import { z } from 'zod';
import { Hart } from '../../../hw/riscv/hart.js';
import { checkState, hexValue } from '../machine-state.js';
import { CommonState, ramOf } from '../state-parts.js';
import { toBigInt } from '../../../hw/base/address.js';
import { StateError, ZERO, tlbNamed } from '../state-form.js';
import { hexOfWord, makeAccesses } from '../state-setup.js';

/** RAM of QEMU's board "virt" begins here. */
const RAM_BASE = 0x8000_0000;

const RiscvState = CommonState.extend({
  machine: z.literal('riscv'),
  xlen: z.union([z.literal(32), z.literal(64)], { message: 'must be 32 or 64' }).default(64),
  csrs: z
    .strictObject({
      satp: hexValue.optional(),
      sstatus: hexValue.default(ZERO),
      menvcfg: hexValue.default(ZERO).describe('ADUE: hardware sets A and D; PBMTE: entries have memory types'),
      hgatp: hexValue.optional().describe('the tables of a host: the hart is then in VS-mode'),
      vsatp: hexValue.default(ZERO).describe("the guest's own tables"),
      vsstatus: hexValue.default(ZERO),
      henvcfg: hexValue.default(ZERO).describe('as menvcfg, for the guest'),
    })
    .refine(({ satp, hgatp }) => satp !== undefined || hgatp !== undefined, {
      path: ['satp'],
      message: 'missing; give it, or hgatp and vsatp of a guest',
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
  return checkState(RiscvState, value, '{"schemaVersion": 1, "machine": "riscv", "csrs": {"satp": …}, "memory": […]}');
}

/** Builds the hart and makes its accesses. @throws StateError with the field's name */
export function buildHart(state: RiscvState): Hart {
  const { csrs, xlen } = state;
  const hart = new Hart({ ram: ramOf(state, RAM_BASE), tlb: tlbNamed(state.tlb), xlen });
  for (const name of ['menvcfg', 'henvcfg', 'sstatus', 'vsstatus', 'satp', 'vsatp', 'hgatp'] as const) {
    const { hi, lo } = csrs[name] ?? ZERO;
    if (xlen === 64) hart.writeCsr(name, toBigInt(hi, lo));
    else {
      // RV32 has the high words of these two as registers of their own.
      if (name === 'menvcfg' || name === 'henvcfg') hart.writeCsr(`${name}h`, hi >>> 0);
      else if (hi !== 0)
        throw new StateError(`csrs.${name}: ${hexOfWord({ hi, lo })} has more than the 32 bits of RV32`);
      hart.writeCsr(name, lo >>> 0);
    }
  }
  hart.setPrivilege('S', csrs.hgatp !== undefined);
  makeAccesses(hart, state.accesses, (at) => `${hexOfWord(at)} ends in a fault`);
  return hart;
}
