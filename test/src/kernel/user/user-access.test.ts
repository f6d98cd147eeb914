import { expect, it } from 'vitest';
import { Core } from '../../../../hw/x86/core.js';
import { Mmu } from '../../../../hw/x86/mmu.js';
import { Ram } from '../../../../hw/memory/ram.js';
import * as f from '../../../../src/kernel/abi/flags.js';
import { SEGV_ACCERR } from '../../../../src/kernel/abi/signal.js';
import { mmap } from '../../../../src/kernel/calls/mmap.js';
import { Memory } from '../../../../src/kernel/space/memory.js';
import { X86 } from '../../../../src/kernel/tables/machine-x86.js';
import type { X86Instructions } from '../../../../src/kernel/tables/machine-x86.js';
import type { Architecture } from '../../../../src/kernel/tables/privileged.js';
import { UserAccess } from '../../../../src/kernel/user/user-access.js';

const AT = 2 ** 30;

// On some architectures a TLB may hold the entry from before the fault: there the access would fault for ever.
it('a fault answered is told to the architecture, one that ends in a signal is not', () => {
  const told: number[] = [];
  const noting: Architecture<X86Instructions> = {
    ...X86,
    operationsOf: (machine) => {
      const operations = X86.operationsOf(machine);
      operations.invalidateFaulted = (_hi, lo) => {
        told.push(lo);
      };
      return operations;
    },
  };
  const core = new Core(new Mmu({ ram: new Ram({ bytes: 2 ** 20 }) }));
  const memory = new Memory(noting, core.mmu, true);
  const user = new UserAccess(core, memory);
  const space = memory.newSpace('never');
  if (typeof space === 'number') throw new Error('no memory');
  const request = { length: 4096, flags: f.MAP_PRIVATE | f.MAP_ANONYMOUS | f.MAP_FIXED, file: null, offset: 0 };
  mmap(memory, space, { ...request, address: AT, prot: f.PROT_READ | f.PROT_WRITE });
  mmap(memory, space, { ...request, address: AT + 4096, prot: f.PROT_READ });
  expect(user.store(space, AT + 8, 4, 0, 5)).toBe(0);
  expect(user.store(space, AT + 4096, 4, 0, 5)).toBe(SEGV_ACCERR);
  expect(told).toEqual([AT + 8]);
});
