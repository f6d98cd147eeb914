import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as address from '../../../hw/base/address.js';

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

describe('addresses as pairs of words', () => {
  it('survive the way to BigInt and back', () => {
    fc.assert(
      fc.property(word, word, (hi, lo) => {
        expect(address.fromBigInt(address.toBigInt(hi, lo))).toEqual({ hi, lo });
      }),
    );
  });

  it('survive the way through a plain number below 2^53', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        expect(address.toNumber(address.highWord(value), address.lowWord(value))).toBe(value);
      }),
    );
  });

  it('print as hexadecimal that parses to the same pair', () => {
    fc.assert(
      fc.property(word, word, (hi, lo) => {
        expect(address.parseAddress(address.formatHex(hi, lo))).toEqual({ hi, lo });
      }),
    );
  });

  it('name the address of a frame, as words and plain, and lead back to it', () => {
    fc.assert(
      fc.property(fc.nat(), (frame) => {
        const [hi, lo] = [address.highWordOfFrame(frame), address.lowWordOfFrame(frame)];
        expect(address.toNumber(hi, lo)).toBe(address.addressOfFrame(frame));
        expect([frame * 4096, address.frameOf(hi, lo)]).toEqual([address.addressOfFrame(frame), frame]);
      }),
    );
  });

  it('give the page number that BigInt arithmetic gives, for every page size', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 20 - 1 }),
        word,
        fc.constantFrom(12, 21, 22, 30, 39),
        (hi, lo, shift) => {
          expect(address.pageNumber(hi, lo, shift)).toBe(Number(address.toBigInt(hi, lo) >> BigInt(shift)));
        },
      ),
    );
  });

  it('carry into the high word when bytes are added', () => {
    expect(address.highWordAfter(1, -4, 8)).toBe(2);
    expect(address.highWordAfter(1, -16, 8)).toBe(1);
  });
});

describe('parseAddress', () => {
  it.each(['', 'x', '0x', '0x1_0000_0000_0000_0000', '12z', '-1', '99999999999999999', '0x0x1', '1 2'])(
    'refuses %j',
    (text) => {
      expect(address.parseAddress(text)).toBeUndefined();
    },
  );

  it.each(['0x40_1000', '401000', ' 0X401000 ', '0000401000'])('reads %j as hexadecimal', (text) => {
    expect(address.parseAddress(text)).toEqual({ hi: 0, lo: 0x401000 });
  });
});

describe('page sizes', () => {
  it.each([
    ['4K', 12],
    ['16K', 14],
    ['64k', 16],
    ['2m', 21],
    ['4M', 22],
    ['32M', 25],
    ['512m', 29],
    ['1G', 30],
  ])('%s is 2^%i', (name, shift) => {
    expect(address.parsePageSize(name)).toBe(shift);
    expect(address.pageSizeName(shift)).toBe(name.toUpperCase());
  });

  it('has no name for others', () => {
    expect(address.parsePageSize('8K')).toBeUndefined();
    expect(address.pageSizeName(13)).toBe('2^13');
    expect(address.pageSizeName(6)).toBe('64 bytes');
  });
});
