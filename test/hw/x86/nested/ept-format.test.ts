import { describe, expect, it } from 'vitest';
import type { EntryFormat } from '../../../../hw/base/format.js';
import * as ept from '../../../../hw/x86/nested/ept-format.js';

const formats: readonly EntryFormat[] = ept.EPT_MODES.ept5.levels.flatMap(({ tableEntry, pageEntry }) =>
  [tableEntry, pageEntry].filter((format) => format !== undefined),
);

describe.each(formats.map((format) => [format.name, format] as const))('%s', (_, { fields }) => {
  it('has every bit in exactly one field', () => {
    const bits = fields.flatMap(({ low, high }) => Array.from({ length: high - low + 1 }, (_, n) => low + n));
    expect(bits.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, n) => n));
  });
});

it('has the bits of the hot constants', () => {
  const bit = (format: string, name: string): number => {
    const field = formats.find((candidate) => candidate.name === format)?.fields.find((known) => known.name === name);
    return field === undefined ? 0 : 1 << field.low;
  };
  expect(bit('EPT PTE', 'R')).toBe(ept.EPT_READ);
  expect(bit('EPT PTE', 'W')).toBe(ept.EPT_WRITE);
  expect(bit('EPT PTE', 'X')).toBe(ept.EPT_EXECUTE);
  expect(bit('EPT PTE', 'A')).toBe(ept.EPT_A);
  expect(bit('EPT PTE', 'D')).toBe(ept.EPT_D);
  expect(bit('EPT PTE', 'XU')).toBe(ept.EPT_USER_EXECUTE);
  expect(bit('EPT PDE 2M', 'PS')).toBe(ept.EPT_PAGE);
});
