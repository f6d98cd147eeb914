import { describe, expect, it } from 'vitest';
import { toBigInt } from '../../../hw/base/address.js';
import { decodeEntry, flagNames } from '../../../hw/base/format.js';
import type { EntryFormat, PagingLevel } from '../../../hw/base/format.js';
import * as x86 from '../../../hw/x86/format.js';
import { PagingRules } from '../../../hw/x86/rules.js';

const MODES: readonly (typeof x86.X86_MODES)[x86.X86ModeName][] = Object.values(x86.X86_MODES);
const LEVELS = MODES.flatMap((mode) =>
  (mode.levels as readonly PagingLevel[]).map((level) => ({ mode: mode.name, level })),
);
const FORMATS = LEVELS.flatMap(({ mode, level }) =>
  [level.tableEntry, level.pageEntry].flatMap((format) => (format ? [{ mode, level, format }] : [])),
);

function maskOf(format: EntryFormat, name: string): bigint {
  return format.fields
    .filter((field) => field.name === name)
    .reduce((mask, { low, high }) => mask | (((1n << BigInt(high - low + 1)) - 1n) << BigInt(low)), 0n);
}

describe('the x86 entry formats', () => {
  it.each(FORMATS.map((item) => [item.mode, item.format.name, item.format] as const))(
    '%s %s names every bit exactly once',
    (_mode, _name, format) => {
      const bits = format.fields.flatMap(({ low, high }) => Array.from({ length: high - low + 1 }, (_, i) => low + i));
      expect(bits.sort((a, b) => a - b)).toEqual(Array.from({ length: format.bytes * 8 }, (_, i) => i));
    },
  );

  it.each([
    ['P', x86.PTE_P],
    ['R/W', x86.PTE_RW],
    ['U/S', x86.PTE_US],
    ['PWT', x86.PTE_PWT],
    ['PCD', x86.PTE_PCD],
    ['A', x86.PTE_A],
    ['D', x86.PTE_D],
    ['G', x86.PTE_G],
  ])('the constant of %s is the bit that the tables give it', (name, constant) => {
    for (const { format } of FORMATS) {
      const mask = maskOf(format, name);
      if (mask !== 0n) expect(mask).toBe(BigInt(constant));
    }
  });

  it('the constants of the high word are the bits that the tables give them', () => {
    const pte = FORMATS.find(({ mode, format }) => mode === '4l' && format.name === 'PTE')!.format;
    expect(maskOf(pte, 'XD')).toBe(BigInt(x86.PTE_XD >>> 0) << 32n);
    expect(maskOf(pte, 'PK')).toBe(0xfn << BigInt(32 + x86.PTE_KEY_SHIFT));
    expect(maskOf(pte, 'frame') & 0xffff_ffffn).toBe(BigInt(x86.PTE_FRAME_LOW >>> 0));
  });

  it.each(
    FORMATS.filter(({ mode, level }) => !(mode === 'pae' && level.level === 2)).map(
      (i) => [i.mode, i.format.name, i] as const,
    ),
  )('%s %s: the walker refuses exactly the bits that the table reserves', (mode, _name, { level, format }) => {
    const rules = new PagingRules();
    const long = mode === '4l' || mode === '5l';
    const registers = {
      cr0: 0x8001_0001 | 0,
      cr4: mode === '32' ? 0x10 : mode === '5l' ? 0x1020 : 0x20,
      efer: 0x800 | (long ? 0x500 : 0),
      pkru: 0,
      pkrs: 0,
      ac: false,
    };
    rules.update(registers, { maxPhysicalBits: 52, pse36: true, page1G: true });
    expect(rules.mode).toBe(mode);
    const page = format === level.pageEntry;
    const high = (page ? rules.pageReservedHigh : rules.tableReservedHigh)[level.level];
    const low = (page ? rules.pageReservedLow : rules.tableReservedLow)[level.level];
    const reserved = toBigInt(high, low);
    // The PS bit of a PML4E or PML5E is reserved as well; the table calls it PS and says so.
    const ps = format.fields.some((field) => field.name === 'PS' && field.meaning.startsWith('reserved')) ? 0x80n : 0n;
    expect(reserved).toBe(maskOf(format, 'reserved') | ps);
  });

  it('decodes an entry into its fields and flags', () => {
    const pte = FORMATS.find(({ mode, format }) => mode === '4l' && format.name === 'PTE')!.format;
    const fields = decodeEntry(pte, 0x8000_0000 | 0, 0x1234_5067);
    expect(fields.find((field) => field.name === 'frame')?.value).toBe(0x12345);
    expect(flagNames(pte, 0x8000_0000 | 0, 0x1234_5067)).toBe('XD D A U/S R/W P');
  });
});

it.each([
  ['32', [22, 12], [10, 10]],
  ['pae', [30, 21, 12], [2, 9, 9]],
  ['4l', [39, 30, 21, 12], [9, 9, 9, 9]],
  ['5l', [48, 39, 30, 21, 12], [9, 9, 9, 9, 9]],
] as const)('in mode %s the bits of the address select entries as the manual draws it', (mode, shifts, bits) => {
  const levels: readonly PagingLevel[] = x86.X86_MODES[mode].levels;
  expect(levels.map(({ shift }) => shift)).toEqual(shifts);
  expect(levels.map(({ indexBits }) => indexBits)).toEqual(bits);
  expect(levels.map(({ level }) => level)).toEqual(shifts.map((_shift, i) => shifts.length - 1 - i));
});

it('an entry is decoded with all bits of both words', () => {
  const [pte] = LEVELS.filter(({ mode, level }) => mode === x86.X86_MODES['4l'].name && level.level === 0);
  const fields = decodeEntry(pte.level.pageEntry!, 0x000a_bcde | 0, 0xf123_4003 | 0);
  expect(fields.find(({ low }) => low === 12)?.value).toBe(0xabcdef1234);
});
