/**
 * A virtual memory area: a run of pages with one protection over one object, as a line of /proc/PID/maps shows it.
 */

import { PAGE_BYTES, PAGE_SHIFT } from '../../../hw/base/address.js';
import type { AddressSpace } from './address-space.js';
import type { AnonVma } from './anon-vma.js';
import type { OpenFile } from './file.js';
import { VM_ACCESS, VM_GROWSDOWN, VM_MAYWRITE, VM_SHARED } from '../abi/vma-flags.js';

/** Bytes that stay free below a stack, so that it cannot run into what lies there. Linux: stack_guard_gap = 256 pages. */
export const STACK_GUARD_GAP = 256 * PAGE_BYTES;

export class Vma {
  /** The anonymous memory that this VMA's own pages belong to; set by the first write. @internal */
  anonVma: AnonVma | null = null;
  /** Every anon_vma whose pages may be mapped here: its own and those of the ancestors it was forked from. @internal */
  chain: AnonVma[] = [];
  /** log2 of the page size; above 12 only for VM_HUGETLB. */
  pageShift = PAGE_SHIFT;
  /** False once unmapped or merged away. */
  attached = false;

  /**
   * @param start first byte, a multiple of 4096
   * @param end one past the last byte
   * @param pgoff page offset of `start` in the object; for anonymous private memory its page number when mapped
   * @param file the open file, or null for private anonymous memory
   */
  constructor(
    readonly space: AddressSpace,
    readonly start: number,
    readonly end: number,
    public flags: number,
    public pgoff: number,
    readonly file: OpenFile | null,
  ) {}

  /** A VMA with the same flags, object and page size over `[start, end)` of this one, without an anon_vma. */
  slice(space: AddressSpace, start: number, end: number): Vma {
    const part = new Vma(space, start, end, this.flags, this.pageOffset(start), this.file);
    part.pageShift = this.pageShift;
    return part;
  }

  get pages(): number {
    return (this.end - this.start) / PAGE_BYTES;
  }

  /** Page offset in the object of the page at `address`. */
  pageOffset(address: number): number {
    return this.pgoff + Math.floor((address - this.start) / PAGE_BYTES);
  }

  /** Address of the page with this offset in the object; it may lie outside of the VMA. */
  addressOf(pgoff: number): number {
    return this.start + (pgoff - this.pgoff) * PAGE_BYTES;
  }

  get isAnonymous(): boolean {
    return this.file === null;
  }

  get isShared(): boolean {
    return (this.flags & VM_SHARED) !== 0;
  }

  /** Private and possibly writable: its pages are copied on write. */
  get isCow(): boolean {
    return (this.flags & (VM_SHARED | VM_MAYWRITE)) === VM_MAYWRITE;
  }

  get isAccessible(): boolean {
    return (this.flags & VM_ACCESS) !== 0;
  }

  /** Inherited its anonymous memory by fork: its chain holds more than its own anon_vma. */
  get isForkChild(): boolean {
    return this.anonVma !== null && this.chain.length !== 1;
  }
}

/** Where the range that a VMA keeps others out of begins: stacks keep a guard gap below them. */
export function startWithGap(vma: Vma): number {
  return (vma.flags & VM_GROWSDOWN) === 0 ? vma.start : Math.max(0, vma.start - STACK_GUARD_GAP);
}
