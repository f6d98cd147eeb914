import { describe, expect, it } from 'vitest';
import * as page from '../../../../src/kernel/tables/entries.js';
import { RiscvEntries } from '../../../../src/kernel/tables/entries-riscv.js';

const { PAGE_ACCESSIBLE, PAGE_EXECUTABLE, PAGE_HUGE, PAGE_SPECIAL, PAGE_TOUCHED, PAGE_WRITABLE, PAGE_WRITTEN } = page;

// RISC-V privileged specification, "Sv39: Page-Based 39-bit Virtual-Memory System": V R W X U G A D are bits 0 to 7,
// RSW 9:8, the frame from bit 10 on.
const [V, R, W, X, U, G, A, D] = [1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80];
const FRAME = 0x12_3456;
const LOW_FRAME = (FRAME << 10) | 0;

function entries(low = 0, high = 0): RiscvEntries {
  const words = new Int32Array(4);
  words.set([low, high]);
  return new RiscvEntries({ words, shared: false, hot: null, journal: null, storeLabel: '' });
}

describe('a RISC-V entry of the kernel', () => {
  it.each([
    ['a page to read', PAGE_ACCESSIBLE, V | R | U],
    ['a page to read and write', PAGE_ACCESSIBLE | PAGE_WRITABLE, V | R | W | U],
    ['code', PAGE_ACCESSIBLE | PAGE_EXECUTABLE | PAGE_TOUCHED, V | R | X | U | A],
    ['a page just written', PAGE_ACCESSIBLE | PAGE_TOUCHED | PAGE_WRITTEN, V | R | W | U | A | D | (2 << 8)],
    ['a huge zero page', PAGE_ACCESSIBLE | PAGE_HUGE | PAGE_SPECIAL, V | R | U | (1 << 8)],
    ['PROT_NONE', 0, U | G],
  ])('for %s', (_name, bits, low) => {
    const format = entries();
    format.setPage(0, FRAME, bits);
    expect([...format.words.subarray(0, 2)]).toEqual([LOW_FRAME | low, FRAME >>> 22]);
    expect(format.frameAt(0)).toBe(FRAME);
    expect([format.isMapped(low), format.isPresent(low), format.isTable(low)]).toEqual([true, (low & V) !== 0, false]);
  });

  it('for a table has no other bit than V: A, D and U are reserved there', () => {
    const format = entries();
    format.setTable(0, FRAME);
    expect(format.words[0]).toBe(LOW_FRAME | V);
    expect([format.isTable(format.words[0]), format.frameAt(0)]).toEqual([true, FRAME]);
  });

  it('loses and gets rights, its marks and its frame kept', () => {
    const format = entries(LOW_FRAME | V | R | W | U | A | D);
    expect(format.setRights(0, 0)).toBe(true);
    expect(format.words[0]).toBe(LOW_FRAME | U | G | A | D);
    expect(format.setRights(0, PAGE_ACCESSIBLE | PAGE_EXECUTABLE)).toBe(true);
    expect(format.words[0]).toBe(LOW_FRAME | V | R | X | U | A | D);
    expect(format.setRights(0, PAGE_ACCESSIBLE | PAGE_EXECUTABLE)).toBe(false);
  });
});
