/** Programs to walk on AArch64, one for each granule: pages of many kinds under TTBR0, the kernel's under TTBR1. */

import * as desc from '../../../hw/aarch64/format.js';
import { AARCH64_MODES, AARCH64_STAGE2_MODES } from '../../../hw/aarch64/format.js';
import { hexOf, TableWriter } from '../table-writer.js';
import type { AArch64StateInput } from './aarch64-state.js';
import { STATE_VERSION } from '../state-form.js';

export const GRANULES = ['4k', '16k', '64k'] as const;
/** A granule of AArch64 with a demonstration. */
export type Granule = (typeof GRANULES)[number];

/** log2 of the bytes of a page; TG0 and TG1; TxSZ, as Linux has it for this granule. */
const SHAPES: Readonly<Record<Granule, { shift: number; tg0: bigint; tg1: bigint; txsz: number }>> = {
  '4k': { shift: 12, tg0: 0n, tg1: 2n, txsz: 16 },
  '16k': { shift: 14, tg0: 2n, tg1: 1n, txsz: 17 },
  '64k': { shift: 16, tg0: 1n, tg1: 3n, txsz: 22 },
};

const ROOT = 0x4010_0000n;
const KERNEL_ROOT = 0x4020_0000n;
const PAGES = 0x4100_0000n;
const RAM = 0x4000_0000n;
/** The kernel's addresses begin at the top. */
const KERNEL = 0xffff_ffff_c000_0000n;

const VALID = BigInt(desc.DESC_VALID | desc.DESC_TABLE);
const BLOCK = BigInt(desc.DESC_VALID);
const AF = BigInt(desc.DESC_AF);
const EL0 = BigInt(desc.DESC_EL0);
const READ_ONLY = BigInt(desc.DESC_READ_ONLY);
const NG = BigInt(desc.DESC_NG);
const high = (bit: number): bigint => BigInt(bit) << 32n;
const UXN = high(desc.DESC_UXN);
const PXN = high(desc.DESC_PXN);
const DBM = high(desc.DESC_DBM);
/** TCR_EL1: physical addresses of 40 bits; hardware sets the Access flag and the dirty state. */
const IPS_40 = 2n << 32n;
const HA = 1n << 39n;
const HD = 1n << 40n;
const NO_EXECUTE = UXN | PXN;

/** Pages of the program by address, each at a multiple of 64 KiB: what is there, and the bits of the descriptor. */
const PROGRAM: readonly (readonly [address: bigint, about: string, bits: bigint])[] = [
  [0x40_0000n, 'code', VALID | EL0 | READ_ONLY | NG | PXN],
  [0x41_0000n, 'read-only data', VALID | AF | EL0 | READ_ONLY | NG | NO_EXECUTE],
  [
    0x42_0000n,
    'data, clean: AP[2] = 1, and DBM lets hardware clear it',
    VALID | EL0 | READ_ONLY | NG | NO_EXECUTE | DBM,
  ],
  [0x43_0000n, 'a page of the kernel in the lower half', VALID | AF | NG | UXN],
];
/** Data of a library by granule: every index is another one, and so is the offset. */
const LIBRARY: Readonly<Record<Granule, bigint>> = {
  '4k': 0x7f5a_3c68_e2d8n,
  '16k': 0x7f5a_3c68_e2d8n,
  '64k': 0x35a_3c68_e2d8n,
};
/** A block is mapped here, at the level above the last one. */
const DEVICE = 0x8_0000_0000n;
const DATA = VALID | EL0 | NG | NO_EXECUTE;

/** Tables of a granule, for addresses as long as Linux has them; they lie one after the other from `root` up. */
export function aarch64Tables(granule: Granule, root: bigint): TableWriter {
  const { shift, txsz } = SHAPES[granule];
  const inputBits = 64 - txsz;
  const levels = AARCH64_MODES[granule].levels
    .filter((level) => level.shift < inputBits)
    .map((level) => ({ ...level, indexBits: Math.min(shift - 3, inputBits - level.shift) }));
  return new TableWriter(
    {
      levels,
      entryBytes: 8,
      tableBytes: 2 ** shift,
      entryFor: (table) => table | VALID,
      tableOf: (entry) => BigInt.asUintN(48, entry) & ~0xfffn,
    },
    root,
  );
}

/** Addresses of a granule's program to try, and what is there; the first one is data of a library. */
export function aarch64Addresses(granule: Granule): readonly (readonly [address: string, about: string])[] {
  return [
    [hexOf(LIBRARY[granule]), 'data of a library, every index another'],
    ...PROGRAM.map(([address, about]) => [hexOf(address), about] as const),
    ['0x440000', 'an empty descriptor'],
    [hexOf(DEVICE + 0x1234n), 'a block, larger than a page'],
    [hexOf(KERNEL), "the kernel's data, by TTBR1_EL1"],
    ['0x1000000000000', 'an address of neither half'],
  ];
}

/** The program of a granule at EL1, as a state file. Hardware sets the Access flag and the dirty state (HA, HD). */
export function aarch64State(granule: Granule): AArch64StateInput {
  const { shift, tg0, tg1, txsz } = SHAPES[granule];
  const program = aarch64Tables(granule, ROOT);
  const kernel = aarch64Tables(granule, KERNEL_ROOT);
  PROGRAM.forEach(([address, , bits], n) => {
    program.set(address, (PAGES + (BigInt(n) << 16n)) | bits, shift);
  });
  const page = -1n << BigInt(shift);
  program.set(LIBRARY[granule] & page, (PAGES + 0x10_0000n) | DATA, shift);
  program.set(DEVICE, RAM | BLOCK | AF | EL0 | NG | NO_EXECUTE, 2 * shift - 3);
  kernel.set(KERNEL, (PAGES + 0x20_0000n) | VALID | AF | UXN | PXN, shift);
  const sizes = BigInt(txsz) | (BigInt(txsz) << 16n);
  const tcr = sizes | (tg0 << 14n) | (tg1 << 30n) | IPS_40 | HA | HD;
  return {
    schemaVersion: STATE_VERSION,
    machine: 'aarch64',
    about: 'a small program and its kernel',
    tlb: '8x2+32x4+psc',
    registers: { TTBR0_EL1: hexOf(ROOT), TTBR1_EL1: hexOf(KERNEL_ROOT), TCR_EL1: hexOf(tcr) },
    memory: [...program.memory, ...kernel.memory],
    accesses: [{ at: '0x400000', access: 'fetch', user: true }],
  };
}

/** Physical address of intermediate physical 0x40000000 is so much higher. */
const GUEST_OFFSET = 0x80_0000n;
const GUEST_ROOT = 0x4001_0000n;
const HOST_ROOT = 0x4000_0000n;
const LARGE = 0x4040_0000n;
/** Stage 2: S2AP, and a page or table; with 40 bits of address its root is two tables of level 1. */
const S2_READ = VALID | AF | BigInt(desc.DESC_S2_READ);
const S2_DATA = S2_READ | BigInt(desc.DESC_S2_WRITE);
const S2_BITS = 40n;
const SL0_LEVEL_1 = 1n << 6n;
const PS_40 = 2n << 16n;
const HCR_VM = '0x1';

/** Addresses of the guest to try, and what is there. */
export const AARCH64_GUEST_ADDRESSES: readonly (readonly [address: string, about: string])[] = [
  [hexOf(LIBRARY['4k']), 'data of a library: 19 entries'],
  ['0x401008', 'data, the host allows no writes there'],
  ['0x602000', 'a page that the host has not given to the guest'],
  ['0x700000', "an empty descriptor of the guest's last table"],
  ['0x800123', 'a block of both: 14 entries'],
];

/** A guest with pages of 4 KiB under stage 2 of its host, as a state file. Without a TLB every access walks both tables. */
export function aarch64GuestState(): AArch64StateInput {
  const guest = aarch64Tables('4k', GUEST_ROOT);
  const page = -0x1000n;
  const used = DATA | AF;
  guest.set(LIBRARY['4k'] & page, 0x4010_0000n | used);
  guest.set(0x40_1000n, 0x4010_1000n | used);
  guest.set(0x60_2000n, 0x403f_f000n | used);
  guest.set(0x70_1000n, 0x4010_2000n | used);
  guest.set(0x80_0000n, LARGE | BLOCK | AF | EL0 | NG | NO_EXECUTE, 21);
  const levels = AARCH64_STAGE2_MODES['4k'].levels.filter(({ shift }) => shift <= 30);
  const rootBits = Number(S2_BITS) - levels[0].shift;
  const host = new TableWriter(
    {
      levels: levels.map((level, n) => (n === 0 ? { ...level, indexBits: rootBits } : level)),
      entryBytes: 8,
      tableBytes: 0x1000,
      rootBytes: 2 ** rootBits * 8,
      entryFor: (table) => table | VALID,
      tableOf: (entry) => BigInt.asUintN(48, entry) & page,
    },
    HOST_ROOT,
  );
  const tables = new Set(guest.memory.map(({ at }) => BigInt(at) & page));
  for (const at of [...tables, 0x4010_0000n]) host.set(at, (at + GUEST_OFFSET) | S2_DATA);
  host.set(0x4010_1000n, (0x4010_1000n + GUEST_OFFSET) | S2_READ);
  host.set(LARGE, ((LARGE + GUEST_OFFSET) | S2_DATA) & ~BigInt(desc.DESC_TABLE), 21);
  const { tg0, txsz } = SHAPES['4k'];
  const sizes = BigInt(txsz) | (BigInt(txsz) << 16n);
  return {
    schemaVersion: STATE_VERSION,
    machine: 'aarch64',
    about: "a guest under its host's stage 2, without a TLB",
    tlb: 'none',
    registers: {
      TTBR0_EL1: hexOf(GUEST_ROOT),
      TCR_EL1: hexOf(sizes | (tg0 << 14n) | (SHAPES['4k'].tg1 << 30n) | IPS_40),
      HCR_EL2: HCR_VM,
      VTCR_EL2: hexOf((64n - S2_BITS) | SL0_LEVEL_1 | PS_40),
      VTTBR_EL2: hexOf(HOST_ROOT),
    },
    memory: [...host.memory, ...guest.memoryAt(GUEST_OFFSET)],
  };
}
