/** The machines of labs, by name: apart from {@link labProcessor}, which loads all of their hardware. */

/** A machine that labs run on, by name. */
export type LabMachine = 'x86' | 'riscv' | 'aarch64';
/** All of them. */
export const LAB_MACHINES = ['x86', 'riscv', 'aarch64'] as const satisfies readonly LabMachine[];
