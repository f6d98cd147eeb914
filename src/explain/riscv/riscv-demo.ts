/** Programs to walk on RISC-V besides xv6's: one of RV32 in Sv32, and one in a guest, Sv39 over Sv39x4. */

import {
  RISCV_PTE_A,
  RISCV_PTE_D,
  RISCV_PTE_R,
  RISCV_PTE_U,
  RISCV_PTE_W,
  RISCV_PTE_X,
} from '../../../hw/riscv/format.js';
import { hexOf } from '../table-writer.js';
import { STATE_VERSION } from '../state-form.js';
import type { RiscvStateInput } from './riscv-state.js';
import { RiscvTableWriter } from './riscv-tables.js';

const CODE = RISCV_PTE_R | RISCV_PTE_X;
const DATA = RISCV_PTE_R | RISCV_PTE_W;
const USER_DATA = DATA | RISCV_PTE_U;
/** As an entry has it that was used before. */
const USED = RISCV_PTE_A | RISCV_PTE_D;
/** menvcfg.ADUE and henvcfg.ADUE: hardware sets A and D. */
const ADUE = '0x2000000000000000';
const PAGE = 0x1000n;

const SV32_ROOT = 0x8000_1000n;

/** Addresses of the program in Sv32 to try, and what is there. */
export const SV32_ADDRESSES: readonly (readonly [address: string, about: string])[] = [
  ['0x7f5a32d8', 'data, both indexes and the offset different'],
  ['0x10000', 'code'],
  ['0x11000', 'a page of the supervisor'],
  ['0x400000', 'an empty entry of the root'],
  ['0xc0123456', "a megapage of 4 MiB, the supervisor's"],
  ['0xc0400000', 'a megapage without alignment'],
];

/** A program of RV32 in supervisor mode, as a state file. */
export function sv32State(): RiscvStateInput {
  const tables = new RiscvTableWriter('sv32', SV32_ROOT);
  tables.map(0x7f5a_3000n, 0x8010_0000n, USER_DATA);
  tables.map(0x1_0000n, 0x8010_1000n, CODE | RISCV_PTE_U);
  tables.map(0x1_1000n, 0x8010_2000n, DATA);
  tables.map(0xc000_0000n, 0x8040_0000n, DATA, 22);
  tables.map(0xc040_0000n, 0x8041_0000n, DATA, 22);
  return {
    schemaVersion: STATE_VERSION,
    machine: 'riscv',
    xlen: 32,
    about: 'a small program of RV32, in Sv32',
    tlb: '8x2+32x4+psc',
    csrs: { satp: hexOf(0x8000_0000n | (SV32_ROOT >> 12n)), menvcfg: ADUE },
    memory: tables.memory,
    accesses: [{ at: '0x10000', access: 'fetch', user: true }],
  };
}

/** Physical address of guest-physical 0x80000000. */
const GUEST_OFFSET = 0x80_0000n;
const GUEST_ROOT = 0x8001_0000n;
const HOST_ROOT = 0x8000_4000n;
const LARGE = 0x8040_0000n;

/** Addresses of the guest to try, and what is there. */
export const RISCV_GUEST_ADDRESSES: readonly (readonly [address: string, about: string])[] = [
  ['0x3f5a3c62d8', 'data: 15 entries, every index another'],
  ['0x401008', 'data, the host allows no writes there'],
  ['0x602000', 'a page that the host has not given to the guest'],
  ['0x700000', "an empty entry of the guest's page table"],
  ['0x800123', 'a large page of both: 10 entries'],
];

/** A guest in Sv39 under its host's Sv39x4, as a state file. Without a TLB every access walks both tables. */
export function riscvGuestState(): RiscvStateInput {
  const guest = new RiscvTableWriter('sv39', GUEST_ROOT);
  guest.map(0x3f_5a3c_6000n, 0x8010_0000n, USER_DATA | USED);
  guest.map(0x40_1000n, 0x8010_1000n, USER_DATA | USED);
  guest.map(0x60_2000n, 0x803f_f000n, USER_DATA | USED);
  guest.map(0x70_1000n, 0x8010_2000n, USER_DATA | USED);
  guest.map(0x80_0000n, LARGE, USER_DATA | USED, 21);
  const host = new RiscvTableWriter('sv39x4', HOST_ROOT);
  const tables = new Set(guest.memory.map(({ at }) => BigInt(at) & -PAGE));
  // Each access counts as one of user mode there.
  for (const page of [...tables, 0x8010_0000n]) host.map(page, page + GUEST_OFFSET, USER_DATA | USED);
  host.map(0x8010_1000n, 0x8010_1000n + GUEST_OFFSET, RISCV_PTE_R | RISCV_PTE_U | USED);
  host.map(LARGE, LARGE + GUEST_OFFSET, USER_DATA | USED, 21);
  return {
    schemaVersion: STATE_VERSION,
    machine: 'riscv',
    about: "a guest under its host's tables, without a TLB",
    tlb: 'none',
    csrs: {
      vsatp: hexOf((8n << 60n) | (GUEST_ROOT >> 12n)),
      hgatp: hexOf((8n << 60n) | (HOST_ROOT >> 12n)),
      menvcfg: ADUE,
      henvcfg: ADUE,
    },
    memory: [...host.memory, ...guest.memoryAt(GUEST_OFFSET)],
  };
}
