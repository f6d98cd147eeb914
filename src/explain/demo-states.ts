/** States to walk at once: one for each paging mode, with pages of many kinds. */

import { checkChoice } from '../../hw/base/arguments.js';
import { formatHex } from '../../hw/base/address.js';
import { PTE_G, PTE_P, PTE_RW, PTE_US } from '../../hw/x86/format.js';
import * as reg from '../../hw/x86/registers.js';
import { completeState, type OwnState } from './own-state.js';
import { STATE_VERSION } from './state-form.js';
import type { MachineState, MachineStateInput } from './machine-state.js';
import { hexOf } from './table-writer.js';
import { PageTableWriter } from './walk/page-tables.js';

export const DEMO_MODES = ['4l', '5l', 'pae', '32'] as const;
/** A paging mode with a demonstration state. */
export type DemoMode = (typeof DEMO_MODES)[number];

const XD = 1n << 63n;
const KEY_1 = 1n << 59n;
/** PKRU: key 1 may be read, not written. */
const KEY_1_READ_ONLY = 0b1000;
const USER_PAGE = PTE_P | PTE_US;

/** An address of the demonstration and its content in words, for help and pages. */
export interface DemoAddress {
  readonly address: string;
  readonly about: string;
  /** Modes with this address; all when absent. */
  readonly modes?: readonly DemoMode[];
}

const WIDE: readonly DemoMode[] = ['4l', '5l', 'pae'];
const LONG: readonly DemoMode[] = ['4l', '5l'];

/** Data of a library by mode: every index is another one, and so is the offset. */
export const LIBRARY: Readonly<Record<DemoMode, string>> = {
  '4l': '0x7f5a3c68e2d8',
  '5l': '0x7f5a3c68e2d8',
  pae: '0xb7e532d8',
  '32': '0xb7e532d8',
};

export const DEMO_ADDRESSES: readonly DemoAddress[] = [
  { address: '0x401000', about: 'code, in the TLB already' },
  { address: '0x601000', about: 'data that may be written' },
  { address: LIBRARY['4l'], about: 'data of a library, every index another', modes: LONG },
  { address: LIBRARY['32'], about: 'data of a library, every index another', modes: ['pae', '32'] },
  { address: '0x602000', about: 'read-only data' },
  { address: '0x603000', about: 'data that may not be executed', modes: WIDE },
  { address: '0x604000', about: 'a frame that is not in RAM' },
  { address: '0x605000', about: 'read-only by its protection key', modes: LONG },
  { address: '0x700000', about: 'an empty entry of the page table' },
  { address: '0x800000', about: 'a large page' },
  { address: '0xc00000', about: 'a large page with a reserved bit set' },
  { address: '0x40000000', about: 'an empty entry higher up' },
  { address: '0xc0100000', about: 'memory of the kernel, global' },
  { address: '0x800000000000', about: 'an address that is not canonical', modes: ['4l'] },
];

/** Bits of CR4, EFER and PKRU by mode; all have CR0.WP, SMEP and global pages. */
function registersOf(mode: DemoMode, cr3: string): MachineStateInput['registers'] {
  const long = mode === '4l' || mode === '5l';
  const size = mode === '32' ? reg.CR4_PSE : reg.CR4_PAE;
  const more = (mode === '5l' ? reg.CR4_LA57 : 0) | (long ? reg.CR4_PKE : 0);
  return {
    cr0: formatHex(0, reg.CR0_PE | reg.CR0_WP | reg.CR0_PG),
    cr3,
    cr4: formatHex(0, size | reg.CR4_PGE | reg.CR4_SMEP | more),
    efer: formatHex(0, (mode === '32' ? 0 : reg.EFER_NXE) | (long ? reg.EFER_LME : 0)),
    pkru: formatHex(0, long ? KEY_1_READ_ONLY : 0),
  };
}

function demoTables(mode: DemoMode): PageTableWriter {
  const tables = new PageTableWriter(mode);
  const large = mode === '32' ? 22 : 21;
  const reserved = mode === '32' ? 1 << 21 : 1 << 13;
  const noExecute = mode === '32' ? 0n : XD;
  const key = LONG.includes(mode) ? KEY_1 : 0n;
  tables.map(0x40_1000n, 0x10_0000n, USER_PAGE);
  tables.map(0x60_1000n, 0x10_1000n, BigInt(USER_PAGE | PTE_RW) | noExecute);
  tables.map(0x60_2000n, 0x10_2000n, USER_PAGE);
  tables.map(0x60_3000n, 0x10_3000n, BigInt(USER_PAGE | PTE_RW) | noExecute);
  tables.map(0x60_4000n, 0x4000_0000n, USER_PAGE | PTE_RW);
  tables.map(0x60_5000n, 0x10_5000n, BigInt(USER_PAGE | PTE_RW) | key);
  // The page table for this address exists, its entry stays empty.
  tables.map(0x70_1000n, 0x10_6000n, USER_PAGE);
  tables.map(0x80_0000n, 0x40_0000n, USER_PAGE | PTE_RW, large);
  tables.map(0xc0_0000n, 0x80_0000n, USER_PAGE | PTE_RW | reserved, large);
  tables.map(0xc010_0000n, 0x20_0000n, PTE_P | PTE_RW | PTE_G);
  tables.map(BigInt(LIBRARY[mode]) & ~0xfffn, 0x10_7000n, BigInt(USER_PAGE | PTE_RW) | noExecute);
  return tables;
}

/** The demonstration of a mode, as a state file says it. @throws RangeError for a mode that is none */
export function demoStateInput(mode: DemoMode): OwnState {
  checkChoice('mode', mode, DEMO_MODES);
  const tables = demoTables(mode);
  return {
    schemaVersion: STATE_VERSION,
    about: 'a small program and its kernel',
    registers: registersOf(mode, hexOf(tables.root)),
    memory: tables.memory,
    accesses: [{ at: '0x401000', access: 'fetch', user: true }],
  };
}

/** The demonstration of a mode. @throws RangeError for a mode that is none */
export function demoState(mode: DemoMode): MachineState {
  return completeState(demoStateInput(mode));
}
