import { describe, expect, it } from 'vitest';
import * as f from '../../../../src/kernel/abi/flags.js';
import { LargeFolio } from '../../../../src/kernel/frames/large-folio.js';
import { alive, boot, GIB, MIB, peek, spawn } from '../machine.js';

const BASE = GIB;
const PAGE = 4096;

describe('the huge zero page', () => {
  function read(): { kernel: ReturnType<typeof boot>; process: ReturnType<typeof spawn> } {
    const kernel = boot();
    const process = spawn(kernel, '2M');
    kernel.mapRegion(process, BASE, 2 * MIB);
    expect(peek(kernel, process, BASE + MIB)).toBe(0);
    return { kernel, process };
  }

  it('answers reads of 2 MiB that nobody has written, and is made once', () => {
    const { kernel, process } = read();
    kernel.mapRegion(process, BASE + 2 * MIB, 2 * MIB);
    expect(peek(kernel, process, BASE + 2 * MIB)).toBe(0);
    expect(kernel.counters).toMatchObject({ hugeZeroPages: 1, hugeFaults: 2, minorFaults: 2 });
    expect(process.space!.residentPages).toBe(0);
    expect(kernel.audit()).toEqual([]);
  });

  it('gives way to a huge page of the process at the first write', () => {
    const { kernel, process } = read();
    expect(kernel.store(process, BASE, 1, 5)).toBe(0);
    expect(kernel.counters).toMatchObject({ hugeFaults: 2, hugeFallbacks: 0 });
    expect([peek(kernel, process, BASE), process.space!.residentPages]).toEqual([5, 512]);
    expect(kernel.audit()).toEqual([]);
  });

  it('is split where there is no memory for a huge page: that is a fallback, and one page is copied', () => {
    const { kernel, process } = read();
    const { buddy } = kernel.memory.frames;
    buddy.failAt = buddy.requests + 1;
    expect(kernel.store(process, BASE, 1, 5)).toBe(0);
    expect(kernel.counters).toMatchObject({ hugeFallbacks: 1, hugeSplits: 1 });
    expect([peek(kernel, process, BASE), process.space!.residentPages]).toEqual([5, 1]);
    expect(kernel.audit()).toEqual([]);
  });
});

it('fork counts the parts of a folio that the parent maps by small entries', () => {
  const kernel = boot();
  const parent = spawn(kernel, '2M');
  kernel.mapRegion(parent, BASE, 2 * MIB);
  kernel.store(parent, BASE, 1, 5);
  kernel.mprotect(parent, BASE + MIB, PAGE, f.PROT_READ);
  alive(kernel.fork(parent));
  expect(kernel.audit()).toEqual([]);
});

it('frames of a huge page that is gone serve as single frames', () => {
  const kernel = boot(4 * MIB);
  const process = spawn(kernel, '2M');
  kernel.mapRegion(process, BASE, 2 * MIB);
  kernel.store(process, BASE, 1, 5);
  kernel.munmap(process, BASE, 2 * MIB);
  const small = spawn(kernel);
  kernel.mapRegion(small, BASE, 3 * MIB);
  for (let at = 0; at < 3 * MIB; at += PAGE) expect(kernel.store(small, BASE + at, 1, 1)).toBe(0);
  expect(kernel.audit()).toEqual([]);
});

it('MADV_FREE of part of a shared huge page frees nothing: splitting a dirty entry made the whole folio dirty', () => {
  const kernel = boot();
  const parent = spawn(kernel, '2M');
  kernel.mapRegion(parent, BASE, 2 * MIB);
  kernel.store(parent, BASE, 1, 5);
  kernel.mprotect(parent, BASE + 2 * MIB - PAGE, PAGE, f.PROT_READ);
  alive(kernel.fork(parent));
  expect(kernel.madvise(parent, BASE + PAGE, 2 * PAGE, f.MADV_FREE)).toBe(0);
  expect(/^LazyFree: +(\d+) kB/m.exec(kernel.smaps(parent))?.[1]).toBe('0');
});

it('a folio that its second process has given back belongs to the first alone', () => {
  const folio = new LargeFolio();
  folio.add(3, 1);
  folio.add(2, 2);
  expect(folio.maybeShared).toBe(true);
  expect([folio.remove(1, 2), folio.maybeShared]).toEqual([4, true]);
  expect([folio.remove(1, 2), folio.maybeShared]).toEqual([3, false]);
  folio.add(1, 3);
  expect([folio.total, folio.maybeShared]).toEqual([4, true]);
});

it('a new page costs one cleared frame, and its tables one each', () => {
  const kernel = boot();
  const process = spawn(kernel);
  kernel.mapRegion(process, BASE, 2 * PAGE);
  const { framesZeroed } = kernel.counters;
  kernel.store(process, BASE, 1, 5);
  expect(kernel.counters.framesZeroed).toBe(framesZeroed + 4);
  kernel.store(process, BASE + PAGE, 1, 5);
  expect(kernel.counters.framesZeroed).toBe(framesZeroed + 5);
});
