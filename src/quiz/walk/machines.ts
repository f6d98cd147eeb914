/** Walks by hand on other machines: Sv39 and AArch64. */

import { fromBigInt, PAGE_BYTES } from '../../../hw/base/address.js';
import { DESC_AF, DESC_EL0, DESC_NG, DESC_READ_ONLY, DESC_TABLE, DESC_VALID } from '../../../hw/aarch64/format.js';
import type { Random } from '../../../hw/base/random.js';
import {
  RISCV_MODES,
  RISCV_PTE_A,
  RISCV_PTE_D,
  RISCV_PTE_R,
  RISCV_PTE_U,
  RISCV_PTE_V,
  RISCV_PTE_W,
} from '../../../hw/riscv/format.js';
import { aarch64Tables } from '../../explain/aarch64/aarch64-demo.js';
import { buildPe, parseAArch64State } from '../../explain/aarch64/aarch64-state.js';
import { aarch64Terms } from '../../explain/aarch64/walk.js';
import { radixWalkText } from '../../explain/radix/radix-text.js';
import type { RadixWalkResult } from '../../explain/radix/radix-result.js';
import { explainRadixSteps } from '../../explain/radix/radix-walk.js';
import { buildHart, parseRiscvState } from '../../explain/riscv/riscv-state.js';
import { riscvTerms } from '../../explain/riscv/walk.js';
import { hexOf, TableWriter } from '../../explain/table-writer.js';
import type { TableForm } from '../../explain/table-writer.js';
import { STATE_VERSION } from '../../explain/state-form.js';
import { between, pick } from '../exercise.js';
import type { Difficulty, ExerciseKind, Part, Posed } from '../exercise.js';
import { MEMORY, memoryLines, walkLines } from './walk-parts.js';

const PAGE = BigInt(PAGE_BYTES);
/** RAM of the boards of QEMU: of RISC-V, and of AArch64. */
const RISCV_RAM = 0x8000_0000n;
const AARCH64_RAM = 0x4000_0000n;

/** A page of RAM from 1 MiB on, far from the tables. */
function frameIn(random: Random, ram: bigint): bigint {
  return ram + BigInt(between(random, 256, 8191)) * PAGE;
}

/** The root of the tables, below 1 MiB of RAM. */
function rootIn(random: Random, ram: bigint): bigint {
  return ram + BigInt(between(random, 1, 200)) * PAGE;
}

/** An address below 2^38: canonical in Sv39, and in the lower half of AArch64. */
function lowAddress(random: Random): bigint {
  return (BigInt(random.below(2 ** 6)) << 32n) | BigInt(random.nextInt32() >>> 0);
}

/** The page of the address with one of the endings, and two neighbours of it to be mistaken for it. */
function mapAround(
  tables: TableWriter,
  random: Random,
  address: bigint,
  entry: (frame: bigint, bits: number) => bigint,
  { ram, good, endings }: { ram: bigint; good: number; endings: readonly number[] },
): void {
  const page = address & ~(PAGE - 1n);
  for (const [near, bits] of [
    [page ^ PAGE, good],
    [page ^ (3n * PAGE), good],
    [page, pick(random, endings)],
  ] as const) {
    tables.set(near, entry(frameIn(random, ram), bits));
  }
}

/** The end of the walk, and the number that names a fault. */
function endParts({ outcome }: RadixWalkResult, number: string, of: (name: string, code: number) => string): Part[] {
  if (outcome.kind === 'mapped') {
    return [
      { label: 'physical address, or the fault', value: outcome.physical },
      { label: `${number}, if any`, value: '' },
    ];
  }
  const [name] = outcome.name.split(',');
  return [
    { label: 'physical address, or the fault', value: name, also: [name.split(' ').slice(1).join(' '), 'fault'] },
    { label: `${number}, if any`, value: of(outcome.name, Number(outcome.syndrome.cause)) },
  ];
}

function answerWords(parts: readonly Part[], number: string): string {
  const [end, code] = parts;
  return code.value === '' ? end.value : `${end.value}, ${number} ${code.value}`;
}

const SV39_GOOD = RISCV_PTE_V | RISCV_PTE_R | RISCV_PTE_W | RISCV_PTE_U | RISCV_PTE_A | RISCV_PTE_D;
const SV39_ENDINGS: Readonly<Record<Difficulty, readonly number[]>> = {
  easy: [SV39_GOOD],
  medium: [SV39_GOOD, SV39_GOOD, SV39_GOOD & ~RISCV_PTE_W, SV39_GOOD & ~RISCV_PTE_U, SV39_GOOD & ~RISCV_PTE_V],
  hard: [SV39_GOOD, SV39_GOOD & ~RISCV_PTE_W, SV39_GOOD & ~RISCV_PTE_U, RISCV_PTE_V, SV39_GOOD & ~RISCV_PTE_R],
};
const SV39_FORM: TableForm = {
  levels: RISCV_MODES.sv39.levels,
  entryBytes: 8,
  tableBytes: PAGE_BYTES,
  // The frame number stands two bits lower in an entry than in an address.
  entryFor: (table) => (table >> 2n) | BigInt(RISCV_PTE_V),
  tableOf: (entry) => (entry >> 10n) << 12n,
};

function sv39(random: Random, difficulty: Difficulty): Posed {
  const address = lowAddress(random);
  const tables = new TableWriter(SV39_FORM, rootIn(random, RISCV_RAM));
  const entry = (frame: bigint, bits: number): bigint => (frame >> 2n) | BigInt(bits);
  mapAround(tables, random, address, entry, {
    ram: RISCV_RAM,
    good: SV39_GOOD,
    endings: SV39_ENDINGS[difficulty],
  });
  const satp = hexOf((8n << 60n) | (tables.root >> 12n));
  const hart = buildHart(
    parseRiscvState({
      schemaVersion: STATE_VERSION,
      machine: 'riscv',
      tlb: 'none',
      csrs: { satp },
      memory: tables.memory,
    }),
  );
  const request = { ...fromBigInt(address), access: pick(random, ['read', 'write'] as const), user: true };
  const { result } = explainRadixSteps(hart, riscvTerms(hart), request);
  const parts = endParts(result, 'cause', (_, cause) => String(cause));
  return {
    question:
      `Sv39, satp = ${satp}, no TLB. A program in user mode makes a ${request.access} at ${hexOf(address)}. Which ` +
      `physical address does it reach, or which exception with which cause? ${MEMORY}`,
    given: memoryLines(tables.memory),
    answer: answerWords(parts, 'cause'),
    parts,
    reasoning: walkLines(radixWalkText, result),
  };
}

const ARM_GOOD = DESC_VALID | DESC_TABLE | DESC_AF | DESC_EL0 | DESC_NG;
const ARM_ENDINGS: Readonly<Record<Difficulty, readonly number[]>> = {
  easy: [ARM_GOOD],
  medium: [ARM_GOOD, ARM_GOOD, ARM_GOOD | DESC_READ_ONLY, ARM_GOOD & ~DESC_EL0, ARM_GOOD & ~DESC_VALID],
  hard: [ARM_GOOD, ARM_GOOD | DESC_READ_ONLY, ARM_GOOD & ~DESC_EL0, ARM_GOOD & ~DESC_TABLE, ARM_GOOD & ~DESC_AF],
};
/** TCR_EL1: addresses of 48 bits below, physical ones of 40; software sets the Access flag. */
const ARM_TCR = '0x200000010';

function aarch64(random: Random, difficulty: Difficulty): Posed {
  const address = lowAddress(random);
  const tables = aarch64Tables('4k', rootIn(random, AARCH64_RAM));
  mapAround(tables, random, address, (frame, bits) => frame | BigInt(bits), {
    ram: AARCH64_RAM,
    good: ARM_GOOD,
    endings: ARM_ENDINGS[difficulty],
  });
  const pe = buildPe(
    parseAArch64State({
      schemaVersion: STATE_VERSION,
      machine: 'aarch64',
      tlb: 'none',
      registers: { TTBR0_EL1: hexOf(tables.root), TCR_EL1: ARM_TCR },
      memory: tables.memory,
    }),
  );
  const request = { ...fromBigInt(address), access: pick(random, ['read', 'write'] as const), user: true };
  const { result } = explainRadixSteps(pe, aarch64Terms(pe, request), request);
  const parts = endParts(result, 'level', (name) => name.slice(-1));
  return {
    question:
      `AArch64, granule of 4 KiB, addresses of 48 bits, TTBR0_EL1 = ${hexOf(tables.root)}, no TLB; hardware sets no ` +
      `Access flag. A program at EL0 makes a ${request.access} at ${hexOf(address)}. Which physical address does it reach, or ` +
      `which fault is it, of which level? ${MEMORY}`,
    given: memoryLines(tables.memory),
    answer: answerWords(parts, 'level'),
    parts,
    reasoning: walkLines(radixWalkText, result),
  };
}

export const MACHINE_KINDS: readonly ExerciseKind[] = [
  { topic: 'machines', kind: 'sv39', machine: 'riscv', make: sv39 },
  { topic: 'machines', kind: 'aarch64', machine: 'aarch64', make: aarch64 },
];
