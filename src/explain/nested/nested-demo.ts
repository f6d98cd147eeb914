/** A guest with 4-level paging under the EPT of its host: a walk of both reads 24 entries. */

import { formatHex, PAGE_BYTES } from '../../../hw/base/address.js';
import { PTE_P, PTE_RW, PTE_US } from '../../../hw/x86/format.js';
import { CR0_PE, CR0_PG, CR0_WP, CR4_PAE, EFER_LME, EFER_NXE } from '../../../hw/x86/registers.js';
import { LIBRARY } from '../demo-states.js';
import type { MachineStateInput } from '../machine-state.js';
import { hexOf } from '../table-writer.js';
import { PageTableWriter } from '../walk/page-tables.js';
import { STATE_VERSION } from '../state-form.js';
import { EptWriter } from './ept-tables.js';

/** Physical address of guest-physical 0. */
const GUEST_BASE = 0x80_0000n;
const GUEST_ROOT = 0x1_0000n;
const HOST_ROOT = 0x1000n;
const USER_PAGE = PTE_P | PTE_US | PTE_RW;
const PAGE = BigInt(PAGE_BYTES);
const LARGE = 0x40_0000n;

/** Addresses of the guest to try, and what is there. */
export const NESTED_ADDRESSES: readonly (readonly [address: string, about: string])[] = [
  [LIBRARY['4l'], 'data of a library: 24 entries'],
  ['0x401008', 'data, through the same upper tables'],
  ['0x602000', 'a page that the host has not given to the guest'],
  ['0x700000', "an empty entry of the guest's page table"],
  ['0x800123', 'a large page of both: 18 entries'],
];

function guestTables(): PageTableWriter {
  const guest = new PageTableWriter('4l', GUEST_ROOT);
  guest.map(BigInt(LIBRARY['4l']) & ~(PAGE - 1n), 0x10_0000n, USER_PAGE);
  guest.map(0x40_1000n, 0x10_1000n, USER_PAGE);
  guest.map(0x60_2000n, 0x3f_f000n, USER_PAGE);
  guest.map(0x70_1000n, 0x10_2000n, USER_PAGE);
  guest.map(0x80_0000n, LARGE, USER_PAGE, 21);
  return guest;
}

/** The host's tables: guest-physical memory that the guest's tables and pages lie in. */
function hostTables(tables: readonly bigint[]): EptWriter {
  const host = new EptWriter(HOST_ROOT);
  for (const page of [...tables, 0x10_0000n, 0x10_1000n, 0x10_2000n]) host.map(page, GUEST_BASE + page);
  host.map(LARGE, GUEST_BASE + LARGE, 21);
  return host;
}

/** The guest and its host, as a state file. Without a TLB every access walks both tables. */
export function nestedState(): MachineStateInput {
  const guest = guestTables();
  const guestMemory = guest.memoryAt(GUEST_BASE);
  const frames = new Set(guest.memory.map(({ at }) => BigInt(at) & ~(PAGE - 1n)));
  return {
    schemaVersion: STATE_VERSION,
    about: "a guest under its host's EPT, without a TLB",
    tlb: 'none',
    registers: {
      cr0: formatHex(0, CR0_PE | CR0_WP | CR0_PG),
      cr3: hexOf(GUEST_ROOT),
      cr4: formatHex(0, CR4_PAE),
      efer: formatHex(0, EFER_LME | EFER_NXE),
    },
    host: { tables: 'ept', root: hexOf(HOST_ROOT) },
    memory: [...hostTables([...frames]).memory, ...guestMemory],
  };
}
