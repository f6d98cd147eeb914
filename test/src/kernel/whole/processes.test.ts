import { describe, expect, it } from 'vitest';
import {
  EAGAIN,
  ECHILD,
  EEXIST,
  EIDRM,
  EINVAL,
  ENOENT,
  ENOMEM,
  ESRCH,
  errnoNumber,
} from '../../../../src/kernel/abi/errno.js';
import { must } from '../../../../src/kernel/abi/must.js';
import * as f from '../../../../src/kernel/abi/flags.js';
import type { Process } from '../../../../src/kernel/space/process.js';
import { IPC_CREAT, IPC_EXCL, IPC_PRIVATE, SHM_RDONLY, SHM_REMAP, SHM_RND } from '../../../../src/kernel/calls/shm.js';
import { SEGV_ACCERR, SEGV_MAPERR, signalName } from '../../../../src/kernel/abi/signal.js';
import { alive, boot, GIB, MIB, peek, spawn } from '../machine.js';

const BASE = GIB;
const PAGE = 4096;

describe('vfork', () => {
  it('runs the child in the memory of the parent, who waits until exec', () => {
    const kernel = boot();
    const parent = spawn(kernel);
    kernel.mapRegion(parent, BASE, MIB);
    const { framesAllocated } = kernel.counters;
    const child = alive(kernel.vfork(parent));
    expect(kernel.counters.framesAllocated).toBe(framesAllocated);
    expect(kernel.store(child, BASE, 1, 8)).toBe(0);
    expect(kernel.load(parent, BASE, 1)).toBe(EAGAIN);
    expect(kernel.vfork(parent)).toBe(EAGAIN);
    expect(kernel.exec(child)).toBe(0);
    expect(peek(kernel, parent, BASE)).toBe(8);
    expect(peek(kernel, child, BASE)).toBe(SEGV_MAPERR);
    expect(kernel.audit()).toEqual([]);
  });

  it('lets the parent go on when the child exits', () => {
    const kernel = boot();
    const parent = spawn(kernel);
    kernel.mapRegion(parent, BASE, MIB);
    kernel.exit(alive(kernel.vfork(parent)));
    expect(kernel.store(parent, BASE, 1, 8)).toBe(0);
  });
});

describe('exit and wait', () => {
  it('hands over children that have ended, one by one', () => {
    const kernel = boot();
    const parent = spawn(kernel);
    expect(kernel.wait(parent)).toBe(ECHILD);
    const first = alive(kernel.fork(parent));
    const second = alive(kernel.fork(parent));
    expect(kernel.wait(parent)).toBe(EAGAIN);
    kernel.exit(second, 3);
    const ended = kernel.wait(parent) as Process;
    expect([ended.pid, ended.status]).toEqual([second.pid, 3]);
    kernel.exit(first);
    expect(kernel.wait(parent)).toBe(first);
    expect(kernel.load(first, BASE, 1)).toBe(ESRCH);
    expect(kernel.mmap(first, { address: 0, length: PAGE, prot: 3, flags: 0x22, file: null, offset: 0 })).toBe(ESRCH);
  });

  it('gives up what exec replaces', () => {
    const kernel = boot();
    const process = spawn(kernel);
    const { free } = kernel.memory.frames.buddy;
    kernel.mapRegion(process, BASE, MIB);
    kernel.store(process, BASE, 1, 1);
    kernel.exec(process);
    expect(kernel.memory.frames.buddy.free).toBe(free);
    expect(process.space?.mappedBytes).toBe(0);
  });
});

describe('rights', () => {
  it('PROT_NONE hides a page and keeps it', () => {
    const kernel = boot();
    const process = spawn(kernel);
    kernel.mapRegion(process, BASE, PAGE);
    kernel.store(process, BASE, 1, 5);
    kernel.mprotect(process, BASE, PAGE, f.PROT_NONE);
    expect(peek(kernel, process, BASE)).toBe(SEGV_ACCERR);
    expect(signalName(SEGV_ACCERR)).toBe('SIGSEGV (SEGV_ACCERR)');
    expect(kernel.pagemap(process, BASE)?.present).toBe(true);
    const { minorFaults } = kernel.counters;
    kernel.mprotect(process, BASE, PAGE, f.PROT_READ | f.PROT_WRITE);
    expect(kernel.store(process, BASE, 1, 6)).toBe(0);
    expect(kernel.counters.minorFaults).toBe(minorFaults);
  });

  it('fetching needs PROT_EXEC', () => {
    const kernel = boot();
    const process = spawn(kernel);
    kernel.mapRegion(process, BASE, PAGE);
    expect(kernel.fetch(process, BASE, 4)).toBe(SEGV_ACCERR);
    kernel.mprotect(process, BASE, PAGE, f.PROT_READ | f.PROT_EXEC);
    expect(kernel.fetch(process, BASE, 4)).toBe(0);
    expect(kernel.store(process, BASE, 1, 1)).toBe(SEGV_ACCERR);
  });

  it('keeps what mprotect changed before a hole', () => {
    const kernel = boot();
    const process = spawn(kernel);
    kernel.mapRegion(process, BASE, 2 * PAGE);
    expect(kernel.mprotect(process, BASE + PAGE, 4 * PAGE, f.PROT_READ)).toBe(ENOMEM);
    expect(kernel.store(process, BASE + PAGE, 1, 1)).toBe(SEGV_ACCERR);
    expect(kernel.store(process, BASE, 1, 1)).toBe(0);
    expect(kernel.mprotect(process, BASE, PAGE, 64)).toBe(EINVAL);
    expect(kernel.mprotect(process, BASE + 1, PAGE, 1)).toBe(EINVAL);
  });
});

describe('System V shared memory', () => {
  it('is one segment for all who attach it, until it is removed and left', () => {
    const kernel = boot();
    const { shm } = kernel;
    const [one, two] = [spawn(kernel), spawn(kernel)];
    const id = must(shm.get(42, 3 * PAGE, IPC_CREAT));
    expect(kernel.shmat(one, id, BASE, 0)).toBe(BASE);
    const there = must(kernel.shmat(two, id, 0, 0));
    kernel.store(one, BASE + PAGE, 1, 9);
    expect(peek(kernel, two, there + PAGE)).toBe(9);
    expect(shm.attachments(id)).toBe(2);
    expect(shm.remove(id)).toBe(0);
    expect(shm.get(42, PAGE, 0)).toBe(ENOENT);
    expect(kernel.shmdt(one, BASE)).toBe(0);
    expect(kernel.shmdt(one, BASE)).toBe(EINVAL);
    expect(peek(kernel, two, there + PAGE)).toBe(9);
    kernel.exit(two);
    expect(kernel.memory.objects.size).toBe(0);
    expect(shm.attachments(id)).toBe(EINVAL);
    expect(kernel.audit()).toEqual([]);
  });

  it('gives the errors of its manual pages', () => {
    const kernel = boot();
    const { shm } = kernel;
    const process = spawn(kernel);
    expect(shm.get(7, PAGE, 0)).toBe(ENOENT);
    const id = must(shm.get(7, PAGE, IPC_CREAT));
    expect(shm.get(7, PAGE, IPC_CREAT | IPC_EXCL)).toBe(EEXIST);
    expect(shm.get(7, 2 * PAGE, 0)).toBe(EINVAL);
    expect(shm.get(7, PAGE, 0)).toBe(id);
    expect(shm.get(IPC_PRIVATE, 0, 0)).toBe(EINVAL);
    expect(shm.get(IPC_PRIVATE, PAGE, 0)).not.toBe(id);
    expect(kernel.shmat(process, 99, 0, 0)).toBe(EINVAL);
    expect(kernel.shmat(process, id, BASE + 1, 0)).toBe(EINVAL);
    expect(kernel.shmat(process, id, BASE + 1, SHM_RND)).toBe(BASE);
    expect(kernel.shmat(process, id, BASE, 0)).toBe(EINVAL);
    expect(kernel.shmat(process, id, BASE, SHM_REMAP | SHM_RDONLY)).toBe(BASE);
    expect(kernel.store(process, BASE, 1, 1)).toBe(SEGV_ACCERR);
    expect(shm.remove(99)).toBe(EINVAL);
    expect(errnoNumber(EIDRM)).toBe(43);
  });
});

describe('spawn', () => {
  it('gives a process, and throws where there can be none', () => {
    const kernel = boot(8 * MIB);
    expect(kernel.spawn({ brk: BASE }).alive).toBe(true);
    expect(() => kernel.spawn({ brk: -1 })).toThrow('brk -1: must be a whole number from 0 to 0x7ffffffff000');
    expect(() => {
      for (;;) kernel.spawn();
    }).toThrow('ENOMEM: no memory is left for a process; give the machine more RAM');
    expect([kernel.trySpawn({ brk: -1 }), kernel.trySpawn(), kernel.audit()]).toEqual([EINVAL, ENOMEM, []]);
  });
});
