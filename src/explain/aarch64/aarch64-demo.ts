/** Programs to walk on AArch64, one for each granule: pages of many kinds under TTBR0, the kernel's under TTBR1. */

import * as desc from '../../../hw/aarch64/format.js';
import { AARCH64_MODES } from '../../../hw/aarch64/format.js';
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
