/**
 * The pages of each machine. On AArch64 a page size belongs to a granule, the base page of the kernel: 16K and 64K are such
 * base pages, and 32M and 512M are their huge pages. `+contig` is a policy for a base page: memory is made resident in folios
 * of several pages at once (multi-size THP). An entry of a TLB may hold such a folio whole, by the contiguous bit, or parts
 * of it, by coalescing.
 */

import { SHIFT_4K } from '../../../../hw/base/address.js';
import { checkChoice } from '../../../../hw/base/arguments.js';
import type { PageName } from '../../../report/results/schema.js';
import type { HugeChoice } from './mixed-pages.js';

/** A machine by its architecture. */
export type MachineName = 'x86' | 'riscv' | 'aarch64';
/** Every machine. */
export const MACHINE_NAMES: readonly MachineName[] = ['x86', 'riscv', 'aarch64'];

/** Pages of one kind: log2 of bytes, all of them. */
export interface PagesKind {
  readonly name: PageName;
  /** Made resident at once: a page or a folio. One entry of a TLB holds no more. */
  readonly shift: number;
  /** One entry of a table. */
  readonly entryShift: number;
  /** A table, and the smallest page. */
  readonly granule: number;
  /** Of 2 MiB pages of x86, those to be had; the rest is in pages of 4 KiB. Absent: all. */
  readonly isHuge?: HugeChoice;
}

const kind = (name: PageName, shift: number, entryShift = shift, granule = 12): PagesKind => ({
  name,
  shift,
  entryShift,
  granule,
});

/** Of 64 KiB, as arm64 has a contiguous bit for, and the kernel's multi-size THP has as a usual size. */
const FOLIO_OF_4K = kind('4K+contig', 16, 12);

/**
 * Sources: Intel SDM vol. 3A, "4-Level Paging and 5-Level Paging"; RISC-V privileged specification, "Svnapot"; Arm ARM (DDI
 * 0487), D8.7.1, "The Contiguous bit".
 */
const KINDS: Readonly<Record<MachineName, readonly PagesKind[]>> = {
  x86: [kind('4K', 12), FOLIO_OF_4K, kind('2M', 21), kind('1G', 30)],
  riscv: [kind('4K', 12), kind('64K', 16, 12), kind('2M', 21), kind('1G', 30)],
  aarch64: [
    kind('4K', 12),
    FOLIO_OF_4K,
    kind('16K', 14, 14, 14),
    kind('16K+contig', 21, 14, 14),
    kind('64K', 16, 16, 16),
    kind('64K+contig', 21, 16, 16),
    kind('2M', 21),
    kind('2M+contig', 25, 21),
    kind('32M', 25, 25, 14),
    kind('512M', 29, 29, 16),
    kind('1G', 30),
  ],
};

/** The pages compared unless told otherwise. */
export const DEFAULT_PAGES: Readonly<Record<MachineName, readonly PageName[]>> = {
  x86: ['4K', '2M', '1G'],
  riscv: ['4K', '64K', '2M', '1G'],
  aarch64: ['4K', '16K', '64K', '2M'],
};

/** The names of a machine's pages, the smallest first. */
export function pageNames(machine: MachineName): readonly PageName[] {
  return KINDS[machine].map(({ name }) => name);
}

/**
 * Pages of a machine by name, each once, the smallest first.
 * @throws RangeError for a machine that is none, or a name that is none of the machine's
 */
export function pageKinds(machine: MachineName, names: readonly string[]): PagesKind[] {
  checkChoice('machine', machine, MACHINE_NAMES);
  for (const name of names) {
    if (KINDS[machine].some((known) => known.name === name)) continue;
    throw new RangeError(`'${name}' is no page of ${machine}; choose from ${pageNames(machine).join(', ')}`);
  }
  return KINDS[machine].filter(({ name }) => names.includes(name));
}

/** Pages of x86 of `2^shift` bytes. @throws RangeError if it has none */
export function x86Pages(shift: number): PagesKind {
  const found = KINDS.x86.find((one) => one.shift === shift && one.entryShift === shift);
  if (found === undefined) throw new RangeError(`x86 has no pages of 2^${shift} bytes`);
  return found;
}

/** log2 of the bytes of what is made resident at once: of 4 KiB pages besides, where larger ones are not to be had. */
export function pageShifts({ shift, isHuge }: PagesKind): readonly number[] {
  return isHuge === undefined ? [shift] : [SHIFT_4K, shift];
}

/** Whether the kind is a folio of several entries. */
export function isFolio({ shift, entryShift }: PagesKind): boolean {
  return shift !== entryShift;
}

/** Of user addresses on AArch64 here. */
export const AARCH64_ADDRESS_BITS = 47;

/** Levels of tables on AArch64 for user addresses, by the granule: four with 4 KiB, else three. */
export function aarch64Levels({ granule }: Pick<PagesKind, 'granule'>): number {
  return Math.ceil((AARCH64_ADDRESS_BITS - granule) / (granule - 3));
}
