import { describe, expect, it } from 'vitest';
import * as arm from '../../../hw/aarch64/format.js';
import { flagNames } from '../../../hw/base/format.js';
import type { EntryFormat } from '../../../hw/base/format.js';

const FIRST = Object.values(arm.AARCH64_MODES);
const SECOND = Object.values(arm.AARCH64_STAGE2_MODES);
const ALL_MODES = [...FIRST, ...SECOND];
const formatsOf = (modes: typeof ALL_MODES): readonly EntryFormat[] =>
  modes.flatMap(({ levels }) =>
    levels.flatMap(({ tableEntry, pageEntry }) => [tableEntry, pageEntry].filter((f) => f !== undefined)),
  );

function maskOf(format: EntryFormat, name: string): bigint {
  return format.fields
    .filter((field) => field.name === name)
    .reduce((mask, { low, high }) => mask | (((1n << BigInt(high - low + 1)) - 1n) << BigInt(low)), 0n);
}

function masks(modes: typeof ALL_MODES, name: string): readonly bigint[] {
  return [...new Set(formatsOf(modes).map((format) => maskOf(format, name)))].filter((mask) => mask !== 0n);
}

describe('the descriptor formats of VMSAv8-64', () => {
  it.each(ALL_MODES.map((mode) => [mode.title, mode] as const))('%s: every bit is named exactly once', (_, mode) => {
    for (const format of formatsOf([mode])) {
      const bits = format.fields.flatMap(({ low, high }) => Array.from({ length: high - low + 1 }, (_, i) => low + i));
      expect(
        bits.sort((a, b) => a - b),
        format.name,
      ).toEqual(Array.from({ length: 64 }, (_, i) => i));
    }
  });

  it.each([
    ['V', arm.DESC_VALID],
    ['T', arm.DESC_TABLE],
    ['AP1', arm.DESC_EL0],
    ['AP2', arm.DESC_READ_ONLY],
    ['AF', arm.DESC_AF],
    ['nG', arm.DESC_NG],
    ['AttrIndx', 7 << arm.DESC_ATTR_SHIFT],
    ['SH', 3 << arm.DESC_SH_SHIFT],
    ['S2AP0', arm.DESC_S2_READ],
    ['S2AP1', arm.DESC_S2_WRITE],
  ])('the constant of %s is the bit that the tables give it', (name, constant) => {
    expect(masks(ALL_MODES, name)).toEqual([BigInt(constant)]);
  });

  it.each([
    ['DBM', arm.DESC_DBM],
    ['C', arm.DESC_CONTIGUOUS],
    ['PXN', arm.DESC_PXN],
    ['UXN', arm.DESC_UXN],
    ['XN', arm.DESC_S2_XN0 | arm.DESC_S2_XN1],
    ['PXNTable', arm.DESC_PXN_TABLE],
    ['UXNTable', arm.DESC_UXN_TABLE],
    ['APTable0', arm.DESC_NO_EL0_TABLE],
    ['APTable1', arm.DESC_READ_ONLY_TABLE],
  ])('the constant of %s is its bit in the high word', (name, constant) => {
    expect(masks(ALL_MODES, name)).toEqual([BigInt(constant) << 32n]);
  });

  it.each(ALL_MODES.map((mode) => [mode.title, mode] as const))('%s: the levels use up the address', (_, mode) => {
    const [root] = mode.levels;
    expect(root.shift + root.indexBits).toBe(mode.linearBits);
    for (const [n, { shift, indexBits }] of mode.levels.slice(1).entries()) {
      expect(shift + indexBits).toBe(mode.levels[n].shift);
    }
  });

  it('names the flags of a page', () => {
    const page = arm.AARCH64_MODES['4k'].levels.at(-1)!.pageEntry!;
    expect(flagNames(page, 0x60_0000, 0x1000fc3)).toBe('UXN PXN nG AF AP2 AP1 T V');
  });
});
