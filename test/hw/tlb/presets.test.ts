import { describe, expect, it } from 'vitest';
import { SHIFT_1G, SHIFT_2M, SHIFT_4K } from '../../../hw/base/address.js';
import type { TlbLevelShape } from '../../../hw/tlb/hierarchy.js';
import { DEFAULT_WALK_CACHES, presetByName } from '../../../hw/tlb/presets.js';

function preset(name: string): NonNullable<ReturnType<typeof presetByName>> {
  const geometry = presetByName(name);
  if (geometry === undefined) throw new Error(`no preset ${name}`);
  return geometry;
}

/** Entries and ways of the array of a level that holds pages of a size. */
function arrayFor(level: TlbLevelShape | undefined, shift: number): string {
  const array = level?.find(({ pages }) => pages.includes(shift));
  return array === undefined ? 'none' : `${array.entries}x${array.ways}`;
}

describe('presets hold what the sources they cite say', () => {
  it.each(['cortex-a76', 'neoverse-n1'])('%s: no first level holds 1 GiB (Arm TRM 100798, A5.2)', (name) => {
    const { l1Data, l1Instruction } = preset(name);
    expect([arrayFor(l1Data, SHIFT_1G), arrayFor(l1Instruction, SHIFT_1G)]).toEqual(['none', 'none']);
  });

  // AMD: leaves 80000006 (4 KiB: EBX) and 80000019 (1 GiB: EBX) of the CPUID dumps that each preset names. Where another
  // source differs, it stands beside.
  it.each([
    ['zen2', 'l2Instruction', SHIFT_4K, '1024x8', /EBX 68006400; 7-cpu\.com says 512/],
    ['zen2', 'l2', SHIFT_4K, '2048x8', /EBX 68006400; WikiChip says 12 ways/],
    ['zen3', 'l2Instruction', SHIFT_4K, '512x4', /4 ways for 4K, 2 for 2M/],
    ['zen4', 'l2', SHIFT_1G, '64x64', /80000019, EBX F0400000/],
    ['zen4', 'l2', SHIFT_4K, '3072x8', /8 ways for 4K, 6 for 2M.*24 ways.*not confirmed/],
    ['zen4', 'l2Instruction', SHIFT_4K, '512x4', /4 ways for 4K, 2 for 2M/],
    ['zen5', 'l2', SHIFT_1G, '1024x4', /80000019, EBX 40200000: 4 ways/],
    ['zen5', 'l2', SHIFT_4K, '4096x8', /8 ways for 4K, 4 for 2M/],
    ['zen5', 'l2Instruction', SHIFT_4K, '2048x4', /4 ways for 4K, 2 for 2M/],
    ['zen2', 'l1Data', 14, 'none', undefined],
    ['zen3', 'l1Instruction', 14, '64x64', /arch\/x86\/amdzen3$/],
    ['zen4', 'l1Data', 14, '72x72', /arch\/x86\/amdzen4$/],
    ['zen5', 'l2', 14, '4096x8', /arch\/x86\/amdzen5$/],
    ['zen5', 'l2Instruction', 14, '2048x4', /arch\/x86\/amdzen5$/],
    ['skylake', 'l1Data', SHIFT_2M, '32x4', /CPUID descriptor 63H/],
    ['skylake-x', 'l2', SHIFT_4K, '1536x12', /AnandTech 11550.*CPUID 50654/],
    ['skylake', 'l2', SHIFT_1G, '16x4', /CPUID descriptor C3H/],
  ] as const)('%s, %s: pages of 2^%i bytes in an array of %s', (name, level, shift, shape, source) => {
    const arrays = preset(name)[level];
    expect(arrayFor(arrays, shift)).toBe(shape);
    const said = arrays?.find(({ pages }) => pages.includes(shift))?.source;
    if (source === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(source);
  });

  it('walk caches have the sets and ways of ChampSim', () => {
    expect(DEFAULT_WALK_CACHES).toEqual({
      level4: { entries: 2, ways: 2 },
      level3: { entries: 4, ways: 4 },
      level2: { entries: 8, ways: 4 },
      level1: { entries: 32, ways: 8 },
    });
  });
});
