/** `pagewalk walk --machine riscv|aarch64`: a walk on a machine of another architecture. */

import type { Word64 } from '../../../../hw/base/address.js';
import type { Hart } from '../../../../hw/riscv/hart.js';
import type { TranslatingMachine } from '../../../../hw/translate/machine.js';
import type { AccessKind } from '../../../explain/machine-state.js';
import type { NestedTerms } from '../../../explain/nested/nested-walk.js';
import { explainRadixSteps } from '../../../explain/radix/radix-walk.js';
import type { RadixTerms } from '../../../explain/radix/radix-walk.js';
import { radixWalkText } from '../../../explain/radix/radix-text.js';
import type { WalkRequest } from '../../../explain/walk/walk.js';
import { stepLines } from '../../../explain/walk/walk-steps.js';
import { CommandFailure } from '../../failure.js';
import { printJson } from '../../output.js';
import { inState } from '../../state-file.js';
import { printWalk } from '../../walk-output.js';
import type { WalkOutputOptions } from '../../walk-output.js';
import { modeOf } from './walk-modes.js';
import type { Mode } from './walk-modes.js';

type RadixMachineName = RadixTerms['machine'];

interface RadixOptions extends WalkOutputOptions {
  readonly access: AccessKind;
  readonly user?: true;
  readonly mode?: Mode;
  readonly state?: string;
  readonly printState?: true;
}

/** The demonstration of a machine other than x86, as a state file. */
async function radixDemo(machine: RadixMachineName, mode: Mode | undefined): Promise<unknown> {
  if (machine === 'aarch64') {
    const demo = await import('../../../explain/aarch64/aarch64-demo.js');
    const own = modeOf(machine, mode);
    return own === 'nested' ? demo.aarch64GuestState() : demo.aarch64State(own);
  }
  const own = modeOf(machine, mode);
  if (own === 'sv39') return (await import('../../../explain/riscv/xv6.js')).XV6_STATE;
  const demo = await import('../../../explain/riscv/riscv-demo.js');
  return own === 'sv32' ? demo.sv32State() : demo.riscvGuestState();
}

/** Explains an access on the machine of a state, in one stage or, in a guest, in two; prints it. */
async function explain(
  machine: RadixMachineName,
  state: unknown,
  request: WalkRequest,
  text: string,
  options: RadixOptions,
): Promise<void> {
  const name = options.state ?? '';
  if (machine === 'riscv') {
    const { buildHart, parseRiscvState } = await import('../../../explain/riscv/riscv-state.js');
    const hart = inState(name, () => buildHart(parseRiscvState(state)));
    checkWidth(hart, request, text);
    const { riscvNestedTerms, riscvTerms } = await import('../../../explain/riscv/walk.js');
    if (hart.rules.virtual) await printNested(hart, riscvNestedTerms(hart, request), request, options);
    else printRadix(hart, riscvTerms(hart), request, options);
    return;
  }
  const { buildPe, parseAArch64State } = await import('../../../explain/aarch64/aarch64-state.js');
  const pe = inState(name, () => buildPe(parseAArch64State(state)));
  const { aarch64NestedTerms, aarch64Terms } = await import('../../../explain/aarch64/walk.js');
  if (pe.rules.secondOn) await printNested(pe, aarch64NestedTerms(pe, request), request, options);
  else printRadix(pe, aarch64Terms(pe, request), request, options);
}

/** An address too long for the registers of RV32 is a mistake in the command line, not a fault. */
function checkWidth({ features }: Hart, { hi }: Word64, text: string): void {
  if (features.xlen === 64 || hi === 0) return;
  throw new CommandFailure(`ADDRESS ${text}: addresses of RV32 have 32 bits; give at most 0xffffffff`, 2);
}

function printRadix(machine: TranslatingMachine, terms: RadixTerms, request: WalkRequest, options: RadixOptions): void {
  const { result, steps } = explainRadixSteps(machine, terms, request);
  printWalk(result, steps, options, radixWalkText, stepLines);
}

async function printNested(
  machine: TranslatingMachine,
  terms: NestedTerms,
  request: WalkRequest,
  options: RadixOptions,
): Promise<void> {
  const { explainStages } = await import('../../../explain/nested/nested-walk.js');
  const { nestedWalkText } = await import('../../../explain/nested/nested-text.js');
  const { result, steps } = explainStages(machine, terms, request);
  printWalk(result, steps, options, nestedWalkText, stepLines);
}

/** A walk on RISC-V or AArch64; of xv6's process without an address its page table, as xv6 prints it. */
export async function walkRadix(
  machine: RadixMachineName,
  address: Word64 | undefined,
  options: RadixOptions,
  text: string,
  file: unknown,
): Promise<void> {
  const { mode, printState, json, access, user } = options;
  const state = options.state === undefined ? await radixDemo(machine, mode) : file;
  if (printState === true) {
    printJson(state);
    return;
  }
  if (address === undefined) {
    if (machine !== 'riscv' || modeOf(machine, mode) !== 'sv39' || file !== undefined || json === true) {
      throw new CommandFailure('ADDRESS is missing; give one such as 0x1000', 2);
    }
    const { vmprint, xv6Hart } = await import('../../../explain/riscv/xv6.js');
    process.stdout.write(vmprint(xv6Hart()));
    return;
  }
  await explain(machine, state, { ...address, access, user: user === true }, text, options);
}
