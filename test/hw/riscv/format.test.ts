import { describe, expect, it } from 'vitest';
import { decodeEntry, flagNames } from '../../../hw/base/format.js';
import type { EntryFormat, PagingLevel } from '../../../hw/base/format.js';
import * as riscv from '../../../hw/riscv/format.js';
import { Csrs } from '../../../hw/riscv/registers.js';
import { RiscvRules, TABLE_RESERVED_HIGH, TABLE_RESERVED_LOW } from '../../../hw/riscv/rules.js';

const ALL_MODES = [...Object.values(riscv.RISCV_MODES), ...Object.values(riscv.RISCV_GUEST_MODES)];
const LEVELS = ALL_MODES.flatMap((mode) => mode.levels.map((level) => ({ mode, level })));
const FORMATS = LEVELS.flatMap(({ mode, level }) =>
  [level.tableEntry, level.pageEntry].flatMap((format) => (format ? [{ mode: mode.name, level, format }] : [])),
);
const TABLE: readonly (readonly [string, string, (typeof FORMATS)[number]])[] = FORMATS.map((item) => [
  item.mode,
  item.format.name,
  item,
]);

function maskOf(format: EntryFormat, name: string): bigint {
  return format.fields
    .filter((field) => field.name === name)
    .reduce((mask, { low, high }) => mask | (((1n << BigInt(high - low + 1)) - 1n) << BigInt(low)), 0n);
}

function wordsOf(high: number, low: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

/** The rules under a mode of satp, without memory types and 64 KiB pages. */
function rulesOf(mode: string): RiscvRules {
  const narrow = mode.startsWith('sv32');
  const csrs = new Csrs(narrow ? 32 : 64);
  const bits = { sv32: 8, sv39: 8, sv48: 9, sv57: 10 }[mode.slice(0, 4)] ?? 0;
  csrs.set(1, narrow ? 0 : bits << 28, narrow ? 1 << 31 : 0);
  const rules = new RiscvRules();
  rules.update(csrs, 1, false, false, false);
  return rules;
}

describe('the RISC-V entry formats', () => {
  it.each(TABLE)('%s %s names every bit exactly once', (_mode, _name, { format }) => {
    const bits = format.fields.flatMap(({ low, high }) => Array.from({ length: high - low + 1 }, (_, i) => low + i));
    expect(bits.sort((a, b) => a - b)).toEqual(Array.from({ length: format.bytes * 8 }, (_, i) => i));
  });

  it.each([
    ['V', riscv.RISCV_PTE_V],
    ['R', riscv.RISCV_PTE_R],
    ['W', riscv.RISCV_PTE_W],
    ['X', riscv.RISCV_PTE_X],
    ['U', riscv.RISCV_PTE_U],
    ['G', riscv.RISCV_PTE_G],
    ['A', riscv.RISCV_PTE_A],
    ['D', riscv.RISCV_PTE_D],
  ])('the constant of %s is the bit that the tables give it', (name, constant) => {
    const masks = new Set(FORMATS.map(({ format }) => maskOf(format, name)).filter((mask) => mask !== 0n));
    expect([...masks]).toEqual([BigInt(constant)]);
  });

  it('the constants of the high word are the bits that the tables give them', () => {
    const pte = FORMATS.find(({ mode, format }) => mode === 'sv39' && format.name === 'PTE')!.format;
    expect(maskOf(pte, 'N')).toBe(wordsOf(riscv.RISCV_PTE_N, 0));
    expect(maskOf(pte, 'PBMT')).toBe(wordsOf(riscv.RISCV_PTE_PBMT, 0));
    expect(maskOf(pte, 'reserved')).toBe(wordsOf(riscv.RISCV_PTE_RESERVED, 0));
    expect(maskOf(pte, 'frame') & 0xffff_ffffn).toBe(BigInt((-1 << riscv.RISCV_PTE_PPN_SHIFT) >>> 0));
  });

  it.each(TABLE.filter(([mode]) => !mode.endsWith('x4')))(
    '%s %s: the walker refuses exactly the bits that the table reserves',
    (mode, _name, { level, format }) => {
      const { first } = rulesOf(mode);
      const page = format === level.pageEntry;
      const reserved = page
        ? wordsOf(first.pageReservedHigh[level.level], first.pageReservedLow[level.level])
        : wordsOf(format.bytes === 4 ? 0 : TABLE_RESERVED_HIGH, TABLE_RESERVED_LOW);
      // Without Svnapot and menvcfg.PBMTE, N and PBMT are reserved.
      expect(reserved).toBe(maskOf(format, 'reserved') | maskOf(format, 'N') | maskOf(format, 'PBMT'));
    },
  );

  it.each(LEVELS.map(({ mode, level }) => [mode.name, level.table, mode.levels, level] as const))(
    '%s %s: an entry covers what the level below does, times its entries',
    (_mode, _table, levels, level: PagingLevel) => {
      const below = levels.find(({ level: number }) => number === level.level - 1);
      expect(level.shift).toBe(below === undefined ? 12 : below.shift + below.indexBits);
    },
  );

  it.each(ALL_MODES.filter(({ levels }) => levels.length > 0).map((mode) => [mode.name, mode] as const))(
    '%s: the levels use up the address',
    (_, { levels, linearBits }) => {
      const [root] = levels;
      expect(root.shift + root.indexBits).toBe(linearBits);
    },
  );

  it('decodes an entry into its fields and flags', () => {
    const pte = FORMATS.find(({ mode, format }) => mode === 'sv39' && format.name === 'PTE')!.format;
    expect(flagNames(pte, 0, 0x200000cf)).toBe('D A X W R V');
    expect(decodeEntry(pte, 0, 0x200000cf).find(({ name }) => name === 'frame')?.value).toBe(0x80000);
  });
});
