/** A kernel on a machine of its own, for tests. */

import { Core } from '../../../hw/x86/core.js';
import { Pe } from '../../../hw/aarch64/pe.js';
import { Hart } from '../../../hw/riscv/hart.js';
import { LogicalProcessor } from '../../../hw/translate/logical-processor.js';
import type { TranslatingMachine } from '../../../hw/translate/machine.js';
import { Mmu } from '../../../hw/x86/mmu.js';
import { Ram } from '../../../hw/memory/ram.js';
import { Kernel } from '../../../src/kernel/kernel.js';
import type { Process } from '../../../src/kernel/space/process.js';
import type { PagePolicy } from '../../../src/kernel/space/process.js';

export const MIB = 2 ** 20;
export const GIB = 2 ** 30;

/** The MMU checks every hit against the tables, so a missing invalidation shows in `mmu.checker`. */
export function bootWithMmu(bytes: number): { kernel: Kernel; mmu: Mmu } {
  const mmu = new Mmu({ ram: new Ram({ bytes }), check: true });
  return { kernel: new Kernel({ processor: new Core(mmu) }), mmu };
}

/** Machines of every architecture; without Svadu or HAFDBS the kernel sets accessed and dirty bits. */
export const MACHINES = ['x86', 'riscv', 'riscv without Svadu', 'aarch64', 'aarch64 without HAFDBS'] as const;

/** As {@link bootWithMmu} on one of {@link MACHINES}. */
export function bootOn(
  machine: (typeof MACHINES)[number],
  bytes: number,
): { kernel: Kernel; mmu: Pick<TranslatingMachine, 'checker'> } {
  if (machine === 'x86') return bootWithMmu(bytes);
  if (machine.startsWith('aarch64')) {
    const pe = new Pe({ ram: new Ram({ bytes }), check: true, features: { HAFDBS: machine === 'aarch64' } });
    return { kernel: new Kernel({ processor: new LogicalProcessor(pe) }), mmu: pe };
  }
  const hart = new Hart({ ram: new Ram({ bytes }), check: true, svadu: machine === 'riscv' });
  return { kernel: new Kernel({ processor: new LogicalProcessor(hart) }), mmu: hart };
}

export function boot(bytes = 64 * MIB): Kernel {
  return bootWithMmu(bytes).kernel;
}

/** The process, or a failure of the test. */
export function alive(result: Process | number): Process {
  if (typeof result === 'number') throw new Error(`no process: error ${result}`);
  return result;
}

export function spawn(kernel: Kernel, pages: PagePolicy = '4K'): Process {
  return alive(kernel.spawn({ pages }));
}

/** The byte at `address`, or the signal. */
export function peek(kernel: Kernel, process: Process, address: number): number {
  const status = kernel.load(process, address, 1);
  return status < 0 ? status : kernel.valueLo & 0xff;
}

/** First byte and pages of each VMA. */
export function ranges(process: Process): [number, number][] {
  return [...(process.space?.vmas ?? [])].map((vma) => [vma.start, vma.pages]);
}

/** The names of a class's public methods. */
export function methodsOf(prototype: object): string[] {
  return Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([name, descriptor]) => name !== 'constructor' && descriptor.get === undefined)
    .map(([name]) => name);
}
