import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { USER } from '../../../../hw/base/access.js';
import { toBigInt } from '../../../../hw/base/address.js';
import { Mmu } from '../../../../hw/x86/mmu.js';
import { Ram } from '../../../../hw/memory/ram.js';

/** An MMU without paging: linear addresses are physical. */
function flat(shared: boolean): Mmu {
  return new Mmu({ ram: new Ram({ bytes: 1 << 20, shared }) });
}

/** The indexes of the words that are read from now on, by MMUs made later too. */
function wordsRead(ram: Ram): number[] {
  const read: number[] = [];
  const words = new Proxy(ram.words, {
    get(target, key): unknown {
      if (typeof key === 'string' && /^\d+$/.test(key)) read.push(Number(key));
      return Reflect.get(target, key, target);
    },
  });
  Reflect.set(ram, 'words', words);
  return read;
}

describe.each([
  ['RAM of its own', false],
  ['shared RAM', true],
])('loads and stores on %s', (_name, shared) => {
  it('hold the bytes of a value, of any size, aligned or not, and change no other', () => {
    const mmu = flat(shared);
    const bytes = new Uint8Array(1 << 20);
    const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(
        fc.integer({ min: 0x1ff0, max: 0x2008 }),
        fc.integer({ min: 1, max: 8 }),
        word,
        word,
        (at, size, lo, hi) => {
          expect(mmu.write(0, at, size, hi, lo, USER)).toBe(0);
          const value = toBigInt(hi, lo);
          for (let i = 0; i < size; i++) bytes[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
          expect(new Uint8Array(mmu.ram.words.buffer).slice(0x1fe0, 0x2020)).toEqual(bytes.slice(0x1fe0, 0x2020));
          expect(mmu.read(0, at, size, USER)).toBe(0);
          const read = toBigInt(mmu.valueHi, mmu.valueLo);
          expect(read).toBe(BigInt.asUintN(8 * size, value));
        },
      ),
    );
  });

  it.each([1, 2, 4, 8])('are made at once for %i aligned bytes', (size) => {
    const mmu = flat(shared);
    const { ram } = mmu;
    const loadPair = vi.spyOn(ram, 'loadPairAt');
    ram.keepJournal();
    expect(mmu.write(0, 0x2008, size, 2, 1, USER)).toBe(0);
    expect(ram.lastStore(0x2008 / 4)?.sequence).toBe(1);
    expect(ram.lastStore(0x200c / 4)?.sequence).toBe(size === 8 ? 1 : undefined);
    const read = wordsRead(ram);
    expect(new Mmu({ ram }).read(0, 0x2008, size, USER)).toBe(0);
    // One word at once, or both as one.
    if (size === 8) expect(loadPair).toHaveBeenCalledOnce();
    else expect(read).toEqual([0x2008 / 4]);
  });
});
