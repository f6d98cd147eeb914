/** mmap(2): new mappings, their places and the neighbours they join. */

import { PAGE_BYTES, PAGE_SHIFT, SHIFT_2M } from '../../../hw/base/address.js';
import { alignDown, alignUp, LARGEST_FILE, USER_END } from '../abi/layout.js';
import type { AddressSpace } from '../space/model.js';
import { EACCES, EEXIST, EINVAL, ENOMEM, EOVERFLOW, EPERM } from '../abi/errno.js';
import type { Address, CallResult, CallValue, Errno } from '../abi/errno.js';
import { FileObject, OpenFile, Vma } from '../space/model.js';
import * as f from '../abi/flags.js';
import { HUGE_BYTES } from '../space/memory.js';
import type { Memory } from '../space/memory.js';
import { unmapRange } from './munmap.js';
import { populateRange } from '../faults/populate.js';
import { MMAP_MIN_ADDRESS } from '../vmas/stack.js';
import * as vm from '../abi/vma-flags.js';
import { mergeNew, MOST_VMAS } from '../vmas/vma-merge.js';
import { addVma } from '../space/vma-ops.js';

/** Arguments of mmap(2). */
export interface MmapRequest {
  /** Wanted address, bytes; a hint unless MAP_FIXED or MAP_FIXED_NOREPLACE. */
  readonly address: Address;
  readonly length: number;
  readonly prot: number;
  readonly flags: number;
  /** The descriptor; null for anonymous memory. */
  readonly file: OpenFile | null;
  /** Offset in the file, bytes, a multiple of 4096. */
  readonly offset: number;
}

/** Returns the address, EINVAL, EACCES, EEXIST, EPERM, EOVERFLOW or ENOMEM. Source: Linux manual pages, mmap(2). */
export function mmap(memory: Memory, space: AddressSpace, request: MmapRequest): Address | Errno {
  const { flags, file } = request;
  const pageShift = (flags & f.MAP_HUGETLB) === 0 ? PAGE_SHIFT : flags >>> f.MAP_HUGE_SHIFT || SHIFT_2M;
  if (!(request.length > 0) || request.offset % PAGE_BYTES !== 0) return EINVAL;
  if (pageShift !== PAGE_SHIFT && pageShift !== SHIFT_2M && pageShift !== 30) return EINVAL;
  const length = alignUp(request.length, pageShift);
  if (length > USER_END) return ENOMEM;
  if (request.offset < 0 || request.offset + length > LARGEST_FILE) return EOVERFLOW;
  if (space.vmas.size > MOST_VMAS) return ENOMEM;
  const address = placeFor(space, request, length, pageShift);
  if (address < 0) return address;
  const replaces = (flags & f.MAP_FIXED_NOREPLACE) === 0;
  if (!replaces && space.vmas.overlapping(address, address + length).length > 0) return EEXIST;
  const vmFlags = flagsFor(space, request);
  if (vmFlags < 0) return vmFlags;
  // Huge pages of VM_HUGETLB never leave memory, so their VMA is not marked; they are populated all the same.
  const kept = (vmFlags & vm.VM_HUGETLB) === 0 ? vmFlags : vmFlags & ~vm.VM_LOCKED_MASK;
  const result = mapAt(memory, space, address, length, kept, pageShift, file, request.offset / PAGE_BYTES);
  if (result < 0) return result;
  const populate = (flags & (f.MAP_POPULATE | f.MAP_NONBLOCK)) === f.MAP_POPULATE || (vmFlags & vm.VM_LOCKED) !== 0;
  if (populate) populateRange(memory, space, address, address + length);
  return address;
}

/** Bits of a VMA from PROT_ bits: the values agree. */
export function protFlags(prot: number): number {
  return prot & (f.PROT_READ | f.PROT_WRITE | f.PROT_EXEC);
}

/** The VMA's flags, or the errno of a refused combination. */
function flagsFor(space: AddressSpace, request: MmapRequest): CallValue | Errno {
  const { file, flags, prot } = request;
  const type = flags & f.MAP_TYPE;
  const shared = type === f.MAP_SHARED || type === f.MAP_SHARED_VALIDATE;
  if (!shared && type !== f.MAP_PRIVATE) return EINVAL;
  let result = protFlags(prot) | vm.VM_MAYREAD | vm.VM_MAYWRITE | vm.VM_MAYEXEC | vm.VM_SOFTDIRTY;
  if ((flags & f.MAP_GROWSDOWN) !== 0) result |= vm.VM_GROWSDOWN;
  result |= space.defaultFlags;
  if ((flags & f.MAP_LOCKED) !== 0) result |= vm.VM_LOCKED;
  if ((flags & f.MAP_HUGETLB) !== 0) result |= vm.VM_HUGETLB;
  if ((flags & f.MAP_NORESERVE) !== 0) result |= vm.VM_NORESERVE;
  if (shared) result |= vm.VM_SHARED | vm.VM_MAYSHARE;
  if (file !== null) {
    if (shared && !file.writable) {
      if ((prot & f.PROT_WRITE) !== 0) return EACCES;
      result &= ~(vm.VM_MAYWRITE | vm.VM_SHARED);
    }
    if (!file.readable) return EACCES;
  }
  const stackOfObject = (result & vm.VM_GROWSDOWN) !== 0 && (shared || file !== null);
  if (stackOfObject || ((result & vm.VM_HUGETLB) !== 0 && file !== null)) return EINVAL;
  const charged = (result & (vm.VM_NORESERVE | vm.VM_SHARED | vm.VM_WRITE | vm.VM_HUGETLB)) === vm.VM_WRITE;
  return charged ? result | vm.VM_ACCOUNT : result;
}

/** The mapping's address, or EINVAL, ENOMEM, EPERM. */
function placeFor(space: AddressSpace, request: MmapRequest, length: number, pageShift: number): Address | Errno {
  const { address, flags, file } = request;
  if ((flags & (f.MAP_FIXED | f.MAP_FIXED_NOREPLACE)) !== 0) {
    if (address % 2 ** pageShift !== 0 || address < 0) return EINVAL;
    if (address > USER_END - length) return ENOMEM;
    return address < MMAP_MIN_ADDRESS ? EPERM : address;
  }
  const wholeHuge = file === null && address === 0 && length % HUGE_BYTES === 0;
  return chooseAddress(space, address, length, wholeHuge ? Math.max(pageShift, SHIFT_2M) : pageShift);
}

/** The hint if `length` bytes are free there, otherwise the highest place below the base; aligned to 2^shift. Or ENOMEM. */
export function chooseAddress(space: AddressSpace, hint: number, length: number, shift: number): Address | Errno {
  const wanted = alignDown(hint, shift);
  if (wanted >= MMAP_MIN_ADDRESS && wanted <= USER_END - length && isFree(space, wanted, length)) return wanted;
  const place = space.vmas.highestPlace(length, shift, space.mmapBase);
  return place >= MMAP_MIN_ADDRESS ? place : ENOMEM;
}

function isFree(space: AddressSpace, start: number, length: number): boolean {
  const above = space.vmas.atOrAbove(start);
  return above === undefined || above.startWithGap >= start + length;
}

/** Replaces whatever is in the range by the mapping. Returns 0 or an errno. */
function mapAt(
  memory: Memory,
  space: AddressSpace,
  start: number,
  length: number,
  flags: number,
  pageShift: number,
  file: OpenFile | null,
  offset: number,
): CallResult {
  const unmapped = unmapRange(memory, space, start, start + length);
  if (unmapped < 0) return unmapped;
  if (memory.frames.buddy.refuses()) return ENOMEM;
  const shared = (flags & vm.VM_MAYSHARE) !== 0;
  // Each shared anonymous mapping is an object of its own: it never merges with another.
  const object = file ?? (shared ? sharedAnonymous(memory, length, pageShift) : null);
  const pgoff = file !== null ? offset : shared ? 0 : start / PAGE_BYTES;
  const end = start + length;
  const proposal = { start, end, flags, pgoff, file: object, pageShift, anonVma: null, source: null };
  if (mergeNew(memory, space, proposal) !== null) return 0;
  const vma = new Vma(space, start, end, flags, pgoff, object);
  vma.pageShift = pageShift;
  addVma(vma);
  return 0;
}

/** An object for MAP_SHARED | MAP_ANONYMOUS, alive as long as something maps it. */
function sharedAnonymous(memory: Memory, bytes: number, pageShift: number): OpenFile {
  const [kind, name] =
    pageShift === PAGE_SHIFT ? (['shmem', '/dev/zero'] as const) : (['hugetlb', '/anon_hugepage'] as const);
  const object = new FileObject(memory.nextId(), kind, `${name} (deleted)`);
  object.size = bytes;
  memory.objects.set(object.id, object);
  return new OpenFile(object, true, true);
}
