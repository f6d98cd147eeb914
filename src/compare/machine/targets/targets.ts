/** Every machine to replay on, by name. */

import { checkChoice } from '../../../../hw/base/arguments.js';
import { MACHINE_NAMES } from '../pages/page-kinds.js';
import type { MachineName } from '../pages/page-kinds.js';
import { AARCH64_TARGET } from './aarch64.js';
import { RISCV_TARGET } from './riscv.js';
import type { ReplayTarget } from './target.js';
import { X86_TARGET } from './x86.js';

const TARGETS = { x86: X86_TARGET, riscv: RISCV_TARGET, aarch64: AARCH64_TARGET } as const;

/** A machine by name. Its processors are its own: those of one must not go to another. @throws RangeError */
export function targetOf(machine: MachineName): ReplayTarget {
  checkChoice('machine', machine, MACHINE_NAMES);
  return TARGETS[machine];
}
