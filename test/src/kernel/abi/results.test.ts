import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { EINVAL, isErrno } from '../../../../src/kernel/abi/errno.js';
import type { Address, CallResult, CallValue, Errno } from '../../../../src/kernel/abi/errno.js';
import { must } from '../../../../src/kernel/abi/must.js';
import { isSignal } from '../../../../src/kernel/abi/signal.js';
import type { Kernel } from '../../../../src/kernel/kernel.js';
import type { Process } from '../../../../src/kernel/space/process.js';
import type { SharedMemory } from '../../../../src/kernel/calls/shm.js';
import type { Files } from '../../../../src/kernel/files/files.js';
import { alive, boot, GIB, MIB, spawn } from '../machine.js';

const PAGE = 4096;

type Call = (kernel: Kernel, process: Process, at: number, length: number, bits: number) => CallResult;

const CALLS: readonly Call[] = [
  (kernel, process, at, length) => kernel.munmap(process, at, length),
  (kernel, process, at, length, bits) => kernel.mprotect(process, at, length, bits),
  (kernel, process, at, length, bits) => kernel.madvise(process, at, length, bits),
  (kernel, process, at, length, bits) => kernel.msync(process, at, length, bits),
  (kernel, process, at, length) => kernel.mlock(process, at, length),
  (kernel, process, at, length, bits) => kernel.mlock2(process, at, length, bits),
  (kernel, process, at, length) => kernel.munlock(process, at, length),
  (kernel, process, _at, _length, bits) => kernel.mlockall(process, bits),
  (kernel, process) => kernel.munlockall(process),
  (kernel, process, at) => kernel.shmdt(process, at),
  (kernel, process, at, length) => kernel.mapRegion(process, at, length),
  (kernel, process, at) => kernel.populate(process, at),
  (kernel, process) => kernel.exec(process),
];

it('a call without a value ends with 0 or an errno, and an access with 0, an errno or a signal, whatever it is given', () => {
  const address = fc.oneof(fc.integer({ min: -2, max: 40 }), fc.constantFrom(0.5, 2 ** 47, 2 ** 52));
  const draw = fc.tuple(
    fc.nat(CALLS.length - 1),
    address,
    fc.integer({ min: -1, max: 30 }),
    fc.integer({ min: -1, max: 130 }),
  );
  fc.assert(
    fc.property(fc.array(draw, { maxLength: 12 }), (draws) => {
      const kernel = boot(4 * MIB);
      const parent = spawn(kernel);
      kernel.mapRegion(parent, GIB, 16 * PAGE);
      // A process that waits for its vfork child is one of those asked, as is one that has ended.
      const processes = [parent, alive(kernel.vfork(parent)), spawn(kernel), spawn(kernel)];
      kernel.exit(processes[3]);
      for (const [which, page, pages, bits] of draws) {
        const at = page < 64 ? GIB + page * PAGE : page;
        for (const process of processes) {
          const result: number = CALLS[which](kernel, process, at, pages * PAGE, bits);
          if (result !== 0) expect([result, isErrno(result)]).toEqual([result, true]);
          if (!Number.isSafeInteger(at)) continue;
          const access: number = kernel.store(process, at, 4, 1);
          if (access !== 0) expect([access, isErrno(access) || isSignal(access)]).toEqual([access, true]);
        }
      }
    }),
    { numRuns: 40 },
  );
});

it('the compiler knows a result from a status: neither may stand for the other', () => {
  expectTypeOf<ReturnType<Kernel['munmap']>>().toEqualTypeOf<CallResult>();
  // @ts-expect-error: -14 is the status of a page fault, and no errno.
  const wrong: CallResult = -14;
  expect(isErrno(wrong)).toBe(false);
});

/** The methods of a class with a number for a result that goes for an address unchecked. */
type Unchecked<T> = {
  [K in keyof T]: T[K] extends (...args: never) => infer R ? ([R] extends [CallValue] ? K : never) : never;
}[keyof T];

describe('the compiler tells an errno from an address and a count', () => {
  const kernel = boot(4 * MIB);
  const process = spawn(kernel);
  const request = { address: GIB, length: PAGE, prot: 3, flags: 0x22, file: null, offset: 0 };

  it('in what every call returns: none returns just any number', () => {
    expectTypeOf<Unchecked<Kernel>>().toBeNever();
    expectTypeOf<Unchecked<Files>>().toBeNever();
    expectTypeOf<Unchecked<SharedMemory>>().toBeNever();
    expectTypeOf<ReturnType<Kernel['mmap']>>().toEqualTypeOf<Address | Errno>();
    expectTypeOf<ReturnType<Kernel['pread']>>().toEqualTypeOf<CallValue | Errno>();
    expectTypeOf<ReturnType<Files['close']>>().toEqualTypeOf<CallResult>();
  });

  it('and refuses a result as an address until it is checked', () => {
    const address = kernel.mmap(process, request);
    // @ts-expect-error: it may be an errno.
    expect(kernel.store(process, address, 4, 1)).toBe(0);
    // @ts-expect-error: likewise in a request.
    expect(kernel.mmap(process, { ...request, address })).toBeGreaterThan(0);
    // @ts-expect-error: likewise of System V memory.
    expect(kernel.shmat(process, kernel.shm.get(1, 0, 0), 0, 0)).toBe(EINVAL);
    if (isErrno(address)) throw new Error('no memory');
    expect(kernel.load(process, address, 4)).toBe(0);
    expect(kernel.load(process, must(kernel.mmap(process, request)), 4)).toBe(0);
  });

  it('while any number that comes from elsewhere is an address', () => {
    const elsewhere: number = GIB;
    expect(kernel.munmap(process, elsewhere, PAGE)).toBe(0);
  });
});
