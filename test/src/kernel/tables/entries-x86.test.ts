import { afterEach, describe, expect, it, vi } from 'vitest';
import { PTE_A, PTE_D, PTE_P, PTE_PS, PTE_RW, PTE_US, PTE_XD } from '../../../../hw/x86/format.js';
import { PAGE_ACCESSIBLE, PAGE_EXECUTABLE, PAGE_WRITABLE } from '../../../../src/kernel/tables/entries.js';
import type { Entries } from '../../../../src/kernel/tables/entries.js';
import { X86Entries } from '../../../../src/kernel/tables/entries-x86.js';

const PAGE = PTE_P | PTE_US | PTE_RW | (5 << 12);
/** A bit for software: the kernel's mark of a frame that is not counted. */
const SPECIAL = 1 << 9;
/** Every change of a live entry, and the bits of accessed and dirty that it takes on purpose. */
const CHANGES: Record<string, [change: (entries: Entries) => unknown, takes: number]> = {
  apply: [(entries) => entries.apply(0, entries.changeAtFork(true)), 0],
  makeReadOnly: [(entries) => entries.makeReadOnly(0), 0],
  makeClean: [
    (entries) => {
      entries.makeClean(0);
    },
    PTE_D,
  ],
  clearSoftDirty: [(entries) => entries.clearSoftDirty(0), 0],
  makeOld: [(entries) => entries.makeOld(0), PTE_A],
  makeOldAndClean: [(entries) => entries.makeOldAndClean(0), PTE_A | PTE_D],
  markTouched: [
    (entries) => {
      entries.markTouched(0, false);
    },
    0,
  ],
  markAccess: [
    (entries) => {
      entries.markAccess(0, false);
    },
    0,
  ],
  markDirty: [
    (entries) => {
      entries.markDirty(0);
    },
    0,
  ],
  setRights: [(entries) => entries.setRights(0, PAGE_ACCESSIBLE), 0],
};

function entriesOf(shared: boolean, low: number, high = 0): Entries {
  const words = new Int32Array(shared ? new SharedArrayBuffer(32) : new ArrayBuffer(32));
  words.set([low, high]);
  return new X86Entries({ words, shared, hot: null, journal: null, storeLabel: '' });
}

/** The words of entry 0, or of another. */
function wordsOf({ words }: Entries, at = 0): number[] {
  return [...words.subarray(at, at + 2)];
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a live entry in shared RAM', () => {
  it.each(Object.entries(CHANGES))('%s keeps what another processor marks meanwhile', (_, [change, takes]) => {
    const entries = entriesOf(true, PAGE);
    const original = Atomics.compareExchange.bind(Atomics);
    const spy = vi.spyOn(Atomics, 'compareExchange').mockImplementationOnce((...args) => {
      // The other processor comes between the look at the entry and its change.
      entries.words[0] |= PTE_A | PTE_D;
      return original(...args);
    });
    change(entries);
    expect(entries.words[0] & (PTE_A | PTE_D)).toBe((PTE_A | PTE_D) & ~takes);
    expect(spy).toHaveBeenCalledTimes(2);
  });

  it('taken returns what another processor marks meanwhile', () => {
    const entries = entriesOf(true, PAGE, 7);
    const original = Atomics.exchange.bind(Atomics);
    vi.spyOn(Atomics, 'exchange').mockImplementationOnce((...args) => {
      entries.words[0] |= PTE_D;
      return original(...args);
    });
    expect(entries.take(0)).toBe(PAGE | PTE_D);
    expect(wordsOf(entries)).toEqual([0, 0]);
  });
});

describe.each([true, false])('a live entry, shared %s', (shared) => {
  it('loses the right to write alone, and tells what it was', () => {
    const entries = entriesOf(shared, PAGE | PTE_D, 3);
    expect(entries.makeReadOnly(0)).toBe(PAGE | PTE_D);
    expect(wordsOf(entries)).toEqual([(PAGE | PTE_D) & ~PTE_RW, 3]);
  });

  it('gets the rights of PROT_NONE and back, its marks kept', () => {
    const entries = entriesOf(shared, PAGE | PTE_A | PTE_D);
    expect(entries.setRights(0, 0)).toBe(true);
    expect([entries.isPresent(entries.words[0]), entries.isMapped(entries.words[0])]).toEqual([false, true]);
    expect(entries.setRights(0, PAGE_ACCESSIBLE | PAGE_WRITABLE | PAGE_EXECUTABLE)).toBe(true);
    expect(wordsOf(entries)).toEqual([PAGE | PTE_A | PTE_D, 0]);
  });

  it('is left alone when its rights are right', () => {
    const entries = entriesOf(shared, PAGE);
    expect(entries.setRights(0, PAGE_ACCESSIBLE | PAGE_WRITABLE | PAGE_EXECUTABLE)).toBe(false);
  });

  it('is empty once taken', () => {
    const entries = entriesOf(shared, PAGE, PTE_XD);
    expect(entries.take(0)).toBe(PAGE);
    expect(wordsOf(entries)).toEqual([0, 0]);
  });

  it('moves with all it is, and a page is soft-dirty then', () => {
    const entries = entriesOf(shared, PAGE | PTE_D, PTE_XD);
    expect(entries.movePage(0, 2)).toBe(PAGE | PTE_D);
    expect([wordsOf(entries), wordsOf(entries, 2)]).toEqual([
      [0, 0],
      [PAGE | PTE_D | (1 << 11), PTE_XD],
    ]);
    entries.moveTable(2, 4);
    expect(wordsOf(entries, 4)).toEqual([PAGE | PTE_D | (1 << 11), PTE_XD]);
  });
});

describe('the small entries in place of a huge one', () => {
  const huge = PTE_P | PTE_PS | PTE_RW | PTE_D | (512 << 12);

  it('keep rights and marks', () => {
    const entries = entriesOf(false, huge);
    entries.setPartOfHuge(2, 513, PTE_XD, huge);
    expect(wordsOf(entries, 2)).toEqual([PTE_P | PTE_RW | PTE_D | (513 << 12), PTE_XD]);
  });

  it('of a zero page lose the right to write', () => {
    const entries = entriesOf(false, huge);
    entries.setPartOfHuge(2, 7, 0, huge | SPECIAL);
    expect(wordsOf(entries, 2)).toEqual([PTE_P | PTE_D | SPECIAL | (7 << 12), 0]);
  });
});

it('names frames above 4 GiB', () => {
  const entries = entriesOf(false, 0);
  entries.setPage(0, 0x12_3456, PAGE_ACCESSIBLE);
  entries.setTable(2, 0x65_4321);
  expect([entries.frameAt(0), entries.frameAt(2)]).toEqual([0x12_3456, 0x65_4321]);
});
