import { afterEach, describe, expect, it, vi } from 'vitest';
import { HotMemory } from '../../../hw/memory/hot-memory.js';

/** A module with a function `one` without arguments that returns `value` (0 to 63). */
function moduleOf(value: number): string {
  const bytes = [
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    // One type: no parameter, an i32. One function of it, exported.
    [0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7f],
    [0x03, 0x02, 0x01, 0x00],
    [0x07, 0x07, 0x01, 0x03, 0x6f, 0x6e, 0x65, 0x00, 0x00],
    // i32.const, end.
    [0x0a, 0x06, 0x01, 0x04, 0x00, 0x41, value, 0x0b],
  ];
  return btoa(String.fromCharCode(...bytes.flat()));
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('a module for hot loops is compiled', () => {
  const memory = HotMemory.make(2 ** 23);
  const one = (value: number): number | undefined =>
    (memory?.instantiate(moduleOf(value)) as { one: () => number } | null)?.one();

  it('where the host has Buffer', () => {
    expect(one(7)).toBe(7);
  });

  it('where it has none, as in a browser', () => {
    vi.stubGlobal('Buffer', undefined);
    expect(one(8)).toBe(8);
  });

  it('nowhere else: a host without WebAssembly gets null', () => {
    vi.stubGlobal('WebAssembly', undefined);
    expect(memory?.instantiate(moduleOf(9))).toBeNull();
    expect(HotMemory.make(2 ** 23)).toBeNull();
  });
});
