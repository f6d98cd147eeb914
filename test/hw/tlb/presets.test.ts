import { describe, expect, it } from 'vitest';
import { SHIFT_1G, SHIFT_4K } from '../../../hw/address.js';
import type { TlbLevelShape } from '../../../hw/tlb/hierarchy.js';
import { presetByName } from '../../../hw/tlb/presets.js';

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

  it('zen4: 64 entries for 1 GiB, fully associative (CPUID A60F12, leaf 80000019 EBX F0400000)', () => {
    expect(arrayFor(preset('zen4').l2, SHIFT_1G)).toBe('64x64');
  });

  it('zen4: 8 ways for 4 KiB in the second level (CPUID A60F12, leaf 80000006)', () => {
    expect(arrayFor(preset('zen4').l2, SHIFT_4K)).toBe('3072x8');
  });

  it('zen5: 1024 entries of 4 ways for 1 GiB (CPUID B40F40, leaf 80000019 EBX 40200000)', () => {
    expect(arrayFor(preset('zen5').l2, SHIFT_1G)).toBe('1024x4');
  });

  it('zen2: 1024 entries of 8 ways for instructions (CPUID 870F10, leaf 80000006 EBX 68006400)', () => {
    expect(arrayFor(preset('zen2').l2Instruction, SHIFT_4K)).toBe('1024x8');
  });

  it('zen2: the other source is stated too', () => {
    expect(preset('zen2').l2Instruction?.[0].source).toContain('7-cpu.com says 512');
  });
});
