/** A guest of x86 with one page: the smallest tables of both stages. */

import type { MachineStateInput } from '../../../../src/explain/machine-state.js';
import { STATE_VERSION } from '../../../../src/explain/state-form.js';

/** The guest's page, and the physical address of the last entry on its way in the host's tables. */
export const SMALL_GUEST_PAGE = 0x40_2010;
export const LAST_HOST_ENTRY = 0x4080;

/**
 * A guest under a host's tables: all of it in frames 1 to 8, the page in frame 0x20.
 * @param replaced values of entries by physical address
 */
export function smallGuest(
  tables: 'ept' | 'npt',
  changes: Partial<MachineStateInput> = {},
  replaced: Readonly<Record<number, number | bigint>> = {},
): MachineStateInput {
  const leaf = tables === 'ept' ? 0x37 : 7;
  const hex = (value: number | bigint): string => `0x${value.toString(16)}`;
  const entries: Record<number, number | bigint> = {
    0x1000: 0x2007,
    0x2000: 0x3007,
    0x3000: 0x4007,
    ...Object.fromEntries([5, 6, 7, 8].map((frame) => [0x4000 + 8 * frame, frame * 4096 + leaf] as const)),
    [LAST_HOST_ENTRY]: 0x2_0000 + leaf,
    0x5000: 0x6007,
    0x6000: 0x7007,
    0x7010: 0x8007,
    0x8010: 0x1_0007,
    ...replaced,
  };
  return {
    schemaVersion: STATE_VERSION,
    tlb: 'none',
    registers: { cr0: '0x80010001', cr3: '0x5000', cr4: '0x20', efer: '0x900' },
    host: { tables, root: '0x1000' },
    memory: Object.entries(entries).map(([at, value]) => ({ at: hex(Number(at)), value: hex(value) })),
    ...changes,
  };
}
