import { expect, it } from 'vitest';
import * as f from '../../../../src/kernel/abi/flags.js';
import { alive, boot, GIB, MIB, peek, spawn } from '../machine.js';

const PAGE = 4096;
const HUGE = 2 * MIB;

// A page table's frame and a place in a huge page can add up to any frame number, so each place is tried.
it.each(Array.from({ length: 16 }, (_, place) => place))(
  'a process that gave its pages away is not found by their reverse map: huge page %i of its GiB',
  (place) => {
    const kernel = boot();
    const parent = spawn(kernel, '2M');
    const at = GIB + place * HUGE;
    kernel.mapRegion(parent, at, HUGE);
    kernel.store(parent, at, 1, 5);
    const child = alive(kernel.fork(parent));
    expect(kernel.madvise(child, at, HUGE, f.MADV_DONTNEED)).toBe(0);
    expect(kernel.madvise(parent, at + PAGE, PAGE, f.MADV_FREE)).toBe(0);
    expect(kernel.audit()).toEqual([]);
    expect([peek(kernel, parent, at), peek(kernel, child, at)]).toEqual([5, 0]);
  },
);
