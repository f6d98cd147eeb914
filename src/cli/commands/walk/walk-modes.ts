/** The machines of `pagewalk walk`, and the demonstrations of each. */

import { DEMO_MODES } from '../../../explain/demo-states.js';
import { CommandFailure } from '../../failure.js';

/** The demonstrations of each machine; the first one is shown when no mode is given. RISC-V's is xv6's first process. */
export const MODES = {
  x86: [...DEMO_MODES, 'nested'],
  riscv: ['sv39', 'sv32', 'nested'],
  aarch64: ['4k', '16k', '64k', 'nested'],
} as const;
/** A demonstration by name. */
export type Mode = (typeof MODES)[keyof typeof MODES][number];

/** The mode of a machine's demonstration: its first one, or the one asked for. */
export function modeOf<M extends keyof typeof MODES>(machine: M, mode?: Mode): (typeof MODES)[M][number] {
  const own: readonly (typeof MODES)[M][number][] = MODES[machine];
  const found = mode === undefined ? own[0] : own.find((candidate) => candidate === mode);
  if (found !== undefined) return found;
  const owner = Object.entries(MODES).find(([, modes]) => modes.some((candidate) => candidate === mode))?.[0] ?? '';
  throw new CommandFailure(
    `--mode ${mode ?? ''} is for --machine ${owner}; with ${machine} give one of ${own.join(', ')}`,
    2,
  );
}
