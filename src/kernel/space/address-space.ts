/** What one process (or several, after vfork) sees: its VMAs and the page tables that make them real. */

import { PAGE_BYTES, PAGE_SHIFT } from '../../../hw/base/address.js';
import { VmaMap } from './vma-map.js';

/** When anonymous memory gets 2 MiB pages: /sys/kernel/mm/transparent_hugepage/enabled. */
export type HugePagePolicy = (typeof HUGE_PAGE_POLICIES)[number];
export const HUGE_PAGE_POLICIES = ['always', 'madvise', 'never'] as const;

/** One past the last user address: 47 bits less a guard page. Source: Linux Documentation/arch/x86/x86_64/mm.rst. */
export const USER_END = 2 ** 47 - PAGE_BYTES;

export class AddressSpace {
  readonly vmas = new VmaMap();
  /** Present 4 KiB pages, the zero pages left out. */
  residentPages = 0;
  /** Page tables linked, the root counted. */
  tables = 1;
  /** Tables kept for the day a huge entry must be split, so that splitting cannot fail; as Linux deposits them. */
  readonly deposit: number[] = [];
  /** Processes that use it. */
  users = 1;
  /** Program break: where the heap starts and ends, bytes; -1 when there is none. */
  brkStart = -1;
  brkEnd = -1;
  /** Addresses are chosen downwards from here. */
  mmapBase = USER_END;
  /** Flags that new mappings get: VM_LOCKED and VM_LOCKONFAULT after mlockall(MCL_FUTURE). A child begins without. */
  defaultFlags = 0;

  /**
   * @param id above 0
   * @param root frame of the PML4
   */
  constructor(
    readonly id: number,
    readonly root: number,
    public hugePages: HugePagePolicy,
  ) {}

  /** Bytes of all VMAs. */
  get mappedBytes(): number {
    let bytes = 0;
    for (const vma of this.vmas) bytes += vma.end - vma.start;
    return bytes;
  }

  get residentBytes(): number {
    return this.residentPages * PAGE_BYTES;
  }

  /** Bytes of page tables that translate now; {@link deposit} is apart. */
  get tableBytes(): number {
    return this.tables * PAGE_BYTES;
  }
}

/** `address` rounded down to a multiple of 2^shift. */
export function alignDown(address: number, shift = PAGE_SHIFT): number {
  // Every fault aligns to 4 KiB, and a power computed at run time costs more than the rest.
  const size = shift === PAGE_SHIFT ? PAGE_BYTES : 2 ** shift;
  return Math.floor(address / size) * size;
}

/** `address` rounded up to a multiple of 2^shift. */
export function alignUp(address: number, shift = PAGE_SHIFT): number {
  const size = 2 ** shift;
  return Math.ceil(address / size) * size;
}
