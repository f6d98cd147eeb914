import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { TlbHierarchy } from '../../../hw/tlb/hierarchy.js';
import { runs } from '../../runs.js';

const odd = fc.constantFrom('0', '-1', '1e3', '0x10', '4294967296', '9007199254740993', '1048577', '5000xfa', '', ' ');
const count = fc.oneof({ weight: 4, arbitrary: fc.nat(64).map(String) }, odd);
const array = fc
  .tuple(
    count,
    fc.constantFrom('x', 'X', ' x ', '*'),
    fc.oneof(count, fc.constant('fa')),
    fc.constantFrom('', '@4K', '@4K2M', '@4K4K', '@8K', '@'),
    fc.constantFrom('', '/lru', '/FIFO', '/tree-plru', '/'),
  )
  .map((parts) => parts.join(''));
const level = fc.array(array, { maxLength: 12 }).map((arrays) => arrays.join(','));
const spelled = fc
  .tuple(fc.array(level, { maxLength: 3 }), fc.constantFrom('', '+psc', '+', '+psc+psc'))
  .map(([levels, end]) => levels.join('+') + end);
const words = fc.constantFrom('__proto__', 'constructor', 'none+psc', 'skylake+psc', ' SKYLAKE ', 'none,none');

it('a shape of any text is refused by a RangeError, or one that can be built', () => {
  fc.assert(
    fc.property(fc.oneof({ weight: 6, arbitrary: spelled }, words, fc.string()), (text) => {
      let geometry;
      try {
        geometry = parseTlb(text);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
        return;
      }
      expect(() => new TlbHierarchy(geometry)).not.toThrow();
    }),
    { numRuns: runs(1000) },
  );
});

it.each([
  ['4097xfa', 'ways 4097 must be at most 4096'],
  ['1048577x1', 'entries 1048577 must be a whole number from 1 to 1048576'],
  ['1048576x1+1x1', '1048577 entries in all; give at most 1048576'],
  [Array(9).fill('1x1').join(), '9 arrays in one level: give at most 8'],
  ['4x1@4K,4x1@4K2M,4x1@1G4K', '3 arrays hold pages of 2^12 bytes; give at most two a page size'],
])('a TLB too large to model is refused: %s', (text, words) => {
  expect(() => parseTlb(text)).toThrow(words);
});

it('a page size named twice is held once', () => {
  expect(parseTlb('4x2@4K2M4K').l1Data[0].pages).toEqual([12, 21]);
});
