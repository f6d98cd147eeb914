/** `pagewalk walk --machine riscv|aarch64`: a walk on a machine of another architecture. */

import type { Word64 } from '../../../../hw/base/address.js';
import type { TranslatingMachine } from '../../../../hw/translate/machine.js';
import type { AccessKind } from '../../../explain/machine-state.js';
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

/** The state of a machine other than x86: of a file, or its demonstration. */
async function radixState(machine: RadixMachineName, mode: Mode | undefined, file: unknown): Promise<unknown> {
  if (file !== undefined) return file;
  if (machine === 'aarch64') {
    return (await import('../../../explain/aarch64/aarch64-demo.js')).aarch64State(modeOf(machine, mode));
  }
  modeOf(machine, mode);
  return (await import('../../../explain/riscv/xv6.js')).XV6_STATE;
}

/** The machine of a state, and its terms for a walk. */
async function radixMachine(
  machine: RadixMachineName,
  name: string,
  state: unknown,
  request: WalkRequest,
): Promise<[TranslatingMachine, RadixTerms]> {
  if (machine === 'riscv') {
    const { buildHart, parseRiscvState } = await import('../../../explain/riscv/riscv-state.js');
    const hart = inState(name, () => buildHart(parseRiscvState(state)));
    return [hart, (await import('../../../explain/riscv/walk.js')).riscvTerms(hart)];
  }
  const { buildPe, parseAArch64State } = await import('../../../explain/aarch64/aarch64-state.js');
  const pe = inState(name, () => buildPe(parseAArch64State(state)));
  return [pe, (await import('../../../explain/aarch64/walk.js')).aarch64Terms(pe, request)];
}

/** A walk on RISC-V or AArch64; of RISC-V's demonstration without an address its page table, as xv6 prints it. */
export async function walkRadix(
  machine: RadixMachineName,
  address: Word64 | undefined,
  options: RadixOptions,
  file: unknown,
): Promise<void> {
  const { mode, printState, json, access, user } = options;
  const state = await radixState(machine, mode, file);
  if (printState === true) {
    printJson(state);
    return;
  }
  if (address === undefined) {
    if (machine !== 'riscv' || file !== undefined || json === true) {
      throw new CommandFailure('ADDRESS is missing; give one such as 0x1000', 2);
    }
    const { vmprint, xv6Hart } = await import('../../../explain/riscv/xv6.js');
    process.stdout.write(vmprint(xv6Hart()));
    return;
  }
  const request = { ...address, access, user: user === true };
  const { result, steps } = explainRadixSteps(
    ...(await radixMachine(machine, options.state ?? '', state, request)),
    request,
  );
  printWalk(result, steps, options, radixWalkText, stepLines);
}
