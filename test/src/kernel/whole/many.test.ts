import { expect, it } from 'vitest';
import { Core } from '../../../../hw/x86/core.js';
import { Mmu } from '../../../../hw/x86/mmu.js';
import { Ram } from '../../../../hw/memory/ram.js';
import { ENOMEM, isErrno } from '../../../../src/kernel/abi/errno.js';
import { must } from '../../../../src/kernel/abi/must.js';
import { Kernel } from '../../../../src/kernel/kernel.js';
import { VM_ACCESS, VM_MAYREAD } from '../../../../src/kernel/abi/vma-flags.js';
import { Vma } from '../../../../src/kernel/space/model.js';
import { runs } from '../../../runs.js';
import { GIB, MIB, peek, spawn } from '../machine.js';

const PAGE = 4096;
const BASE = 2 ** 40;
const ANONYMOUS = { length: PAGE, prot: 3, flags: 0x22, file: null, offset: 0 };

function plainKernel(bytes: number): Kernel {
  return new Kernel({ processor: new Core(new Mmu({ ram: new Ram({ bytes }) })) });
}

// Source: mmap(2) and munmap(2), ENOMEM: "The process's maximum number of mappings would have been exceeded". Linux refuses
// a new one above vm.max_map_count, and a split at it.
it('a process has 65,530 mappings and one more; the next is refused, until one goes', () => {
  const kernel = plainKernel(16 * MIB);
  const process = spawn(kernel);
  const { space } = process;
  if (space === null) throw new Error('no address space');
  // As mmap would make them, each three pages long and with a gap behind it.
  const start = (i: number): number => BASE + i * 4 * PAGE;
  space.vmas.fill(
    Array.from(
      { length: 65_530 },
      (_, i) => new Vma(space, start(i), start(i) + 3 * PAGE, VM_ACCESS | VM_MAYREAD, 0, null),
    ),
  );
  expect(kernel.munmap(process, start(7) + PAGE, PAGE)).toBe(ENOMEM);
  expect(kernel.munmap(process, start(7), PAGE)).toBe(0);
  expect(kernel.munmap(process, start(7) + 2 * PAGE, PAGE)).toBe(0);
  expect(isErrno(kernel.mmap(process, { ...ANONYMOUS, address: 0 }))).toBe(false);
  expect(space.vmas.size).toBe(65_531);
  expect(kernel.mmap(process, { ...ANONYMOUS, address: 0 })).toBe(ENOMEM);
  expect(kernel.mprotect(process, start(9), PAGE, 1)).toBe(ENOMEM);
  expect(kernel.munmap(process, start(8), 3 * PAGE)).toBe(0);
  expect(isErrno(kernel.mmap(process, { ...ANONYMOUS, address: 0 }))).toBe(false);
});

it('thousands of processes share what the first one wrote, and leave nothing behind', () => {
  const kernel = plainKernel(GIB);
  const parent = spawn(kernel);
  const address = must(kernel.mmap(parent, { ...ANONYMOUS, address: 0 }));
  kernel.store(parent, address, 1, 42);
  const { free } = kernel.memory.frames.buddy;
  // `npm run test:long` has 10,000 of them.
  const children = Array.from({ length: Math.min(10_000, runs(500)) }, () => must(kernel.fork(parent)));
  const last = children[children.length - 1];
  kernel.store(last, address, 1, 43);
  expect([peek(kernel, children[0], address), peek(kernel, last, address)]).toEqual([42, 43]);
  for (const child of children) kernel.exit(child);
  expect(kernel.memory.frames.buddy.free).toBe(free);
  expect(peek(kernel, parent, address)).toBe(42);
});
