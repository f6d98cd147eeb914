import { afterEach, describe, expect, it, vi } from 'vitest';
import { PTE_A, PTE_D, PTE_P, PTE_PS, PTE_RW, PTE_US, PTE_XD } from '../../../../hw/x86/format.js';
import * as entry from '../../../../src/kernel/tables/entries-x86.js';
import type { EntryMemory } from '../../../../src/kernel/tables/entries-x86.js';

const PAGE = PTE_P | PTE_US | PTE_RW | (5 << 12);
/** Every change of a live entry, and the bits of accessed and dirty that it takes on purpose. */
const CHANGES: Record<string, [change: (memory: EntryMemory) => unknown, takes: number]> = {
  loseBits: [(memory) => entry.loseBits(memory, 0, PTE_RW), 0],
  makeReadOnly: [(memory) => entry.makeReadOnly(memory, 0), 0],
  makeClean: [
    (memory) => {
      entry.makeClean(memory, 0);
    },
    PTE_D,
  ],
  clearSoftDirtyBit: [(memory) => entry.clearSoftDirtyBit(memory, 0), 0],
  makeOld: [(memory) => entry.makeOld(memory, 0), PTE_A],
  makeOldAndClean: [(memory) => entry.makeOldAndClean(memory, 0), PTE_A | PTE_D],
  markTouched: [
    (memory) => {
      entry.markTouched(memory, 0, false);
    },
    0,
  ],
  markAccess: [
    (memory) => {
      entry.markAccess(memory, 0, false);
    },
    0,
  ],
  markDirty: [
    (memory) => {
      entry.markDirty(memory, 0);
    },
    0,
  ],
  setRights: [(memory) => entry.setRights(memory, 0, entry.pageRights(true, false), PTE_XD, false), 0],
};

function memoryOf(shared: boolean, low: number, high = 0): EntryMemory {
  const words = new Int32Array(shared ? new SharedArrayBuffer(8) : new ArrayBuffer(8));
  words.set([low, high]);
  return { words, shared };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a live entry in shared RAM', () => {
  it.each(Object.entries(CHANGES))('%s keeps what another processor marks meanwhile', (_, [change, takes]) => {
    const memory = memoryOf(true, PAGE);
    const original = Atomics.compareExchange.bind(Atomics);
    const spy = vi.spyOn(Atomics, 'compareExchange').mockImplementationOnce((...args) => {
      // The other processor comes between the look at the entry and its change.
      memory.words[0] |= PTE_A | PTE_D;
      return original(...args);
    });
    change(memory);
    expect(memory.words[0] & (PTE_A | PTE_D)).toBe((PTE_A | PTE_D) & ~takes);
    expect(spy).toHaveBeenCalledTimes(2);
  });

  it('takeEntry returns what another processor marks meanwhile', () => {
    const memory = memoryOf(true, PAGE, 7);
    const original = Atomics.exchange.bind(Atomics);
    vi.spyOn(Atomics, 'exchange').mockImplementationOnce((...args) => {
      memory.words[0] |= PTE_D;
      return original(...args);
    });
    expect(entry.takeEntry(memory, 0)).toBe(PAGE | PTE_D);
    expect([...memory.words]).toEqual([0, 0]);
  });
});

describe.each([true, false])('a live entry, shared %s', (shared) => {
  it('loses the right to write alone, and tells what it was', () => {
    const memory = memoryOf(shared, PAGE | PTE_D, 3);
    expect(entry.makeReadOnly(memory, 0)).toBe(PAGE | PTE_D);
    expect([...memory.words]).toEqual([(PAGE | PTE_D) & ~PTE_RW, 3]);
  });

  it('gets the rights of PROT_NONE and back, its marks kept', () => {
    const memory = memoryOf(shared, PAGE | PTE_A | PTE_D);
    expect(entry.setRights(memory, 0, entry.pageRights(false, false), PTE_XD, false)).toBe(true);
    expect([entry.isPresent(memory.words[0]), entry.isMapped(memory.words[0])]).toEqual([false, true]);
    expect(entry.setRights(memory, 0, entry.pageRights(true, false), 0, true)).toBe(true);
    expect([...memory.words]).toEqual([PAGE | PTE_A | PTE_D, 0]);
  });

  it('is left alone when its rights are right', () => {
    const memory = memoryOf(shared, PAGE);
    expect(entry.setRights(memory, 0, entry.pageRights(true, true), 0, false)).toBe(false);
  });

  it('is empty once taken', () => {
    const memory = memoryOf(shared, PAGE, PTE_XD);
    expect(entry.takeEntry(memory, 0)).toBe(PAGE);
    expect([...memory.words]).toEqual([0, 0]);
  });
});

describe('the small entries in place of a huge one', () => {
  it('keep rights and marks, and a zero page loses the right to write', () => {
    const huge = PTE_P | PTE_PS | PTE_RW | PTE_D | (512 << 12);
    expect(entry.smallFlags(huge)).toBe(PTE_P | PTE_RW | PTE_D);
    expect(entry.smallFlags(huge | entry.PTE_SPECIAL)).toBe(PTE_P | PTE_D | entry.PTE_SPECIAL);
  });
});
