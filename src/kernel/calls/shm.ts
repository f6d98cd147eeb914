/** System V shared memory: segments with a key. They live until they are removed and nobody has them attached. */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import { alignDown, alignUp, LARGEST_FILE } from '../abi/layout.js';
import type { AddressSpace } from '../space/model.js';
import { isWhole } from '../abi/arguments.js';
import { EEXIST, EIDRM, EINVAL, ENOENT } from '../abi/errno.js';
import type { Address, CallResult, CallValue, Errno } from '../abi/errno.js';
import { FileObject, OpenFile } from '../space/model.js';
import * as f from '../abi/flags.js';
import type { Memory } from '../space/memory.js';
import { mmap } from './mmap.js';
import { munmap } from './munmap.js';
import { dropIfUnused } from '../space/page-cache.js';

/** A key without a match in any other segment. */
export const IPC_PRIVATE = 0;
/** shmget: make the segment, unless the key has one. */
export const IPC_CREAT = 0o1000;
/** shmget with IPC_CREAT: fail if the key has one. */
export const IPC_EXCL = 0o2000;
/** shmat: map it without PROT_WRITE. */
export const SHM_RDONLY = 0o10000;
/** shmat: round the address down to SHMLBA. */
export const SHM_RND = 0o20000;
/** shmat: replace all mappings in the range. */
export const SHM_REMAP = 0o40000;
const SHMLBA = PAGE_BYTES;

interface Segment {
  readonly key: number;
  readonly bytes: number;
  readonly object: FileObject;
  removed: boolean;
}

/** System V shared memory: segments by key and by id. */
export class SharedMemory {
  readonly #memory: Memory;
  readonly #segments = new Map<number, Segment>();
  #lastId = -1;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** shmget(2): the segment's id, ENOENT, EEXIST or EINVAL. */
  get(key: number, bytes: number, flags: number): CallValue | Errno {
    if (![key, flags].every((value) => isWhole(value)) || !isWhole(bytes, 0, LARGEST_FILE)) return EINVAL;
    for (const [id, segment] of this.#segments) {
      if (key === IPC_PRIVATE || segment.key !== key || segment.removed) continue;
      if ((flags & IPC_CREAT) !== 0 && (flags & IPC_EXCL) !== 0) return EEXIST;
      return bytes > segment.bytes ? EINVAL : id;
    }
    if (key !== IPC_PRIVATE && (flags & IPC_CREAT) === 0) return ENOENT;
    if (bytes === 0) return EINVAL;
    const object = new FileObject(this.#memory.nextId(), 'shmem', `/SYSV${(key >>> 0).toString(16).padStart(8, '0')}`);
    object.size = alignUp(bytes);
    object.links = 1;
    this.#memory.objects.set(object.id, object);
    this.#lastId++;
    this.#segments.set(this.#lastId, { key, bytes, object, removed: false });
    return this.#lastId;
  }

  /** shmat(2): the address, EINVAL, EIDRM or ENOMEM. Address 0 lets the kernel choose. */
  attach(space: AddressSpace, id: CallValue, address: Address, flags: number): Address | Errno {
    const segment = this.#find(id);
    if (segment === undefined || !isWhole(address, 0) || !isWhole(flags)) return EINVAL;
    if (segment.removed && segment.object.vmas.size === 0) return EIDRM;
    const place = (flags & SHM_RND) !== 0 ? alignDown(address) : address;
    if (place % SHMLBA !== 0 || (place === 0 && (flags & SHM_REMAP) !== 0)) return EINVAL;
    const length = alignUp(segment.bytes);
    const occupied = place !== 0 && space.vmas.overlapping(place, place + length).length > 0;
    if (occupied && (flags & SHM_REMAP) === 0) return EINVAL;
    const writable = (flags & SHM_RDONLY) === 0;
    return mmap(this.#memory, space, {
      address: place,
      length,
      prot: writable ? f.PROT_READ | f.PROT_WRITE : f.PROT_READ,
      flags: place === 0 ? f.MAP_SHARED : f.MAP_SHARED | f.MAP_FIXED,
      file: new OpenFile(segment.object, true, writable),
      offset: 0,
    });
  }

  /** shmdt(2): 0, or EINVAL when no segment is attached at `address`. */
  detach(space: AddressSpace, address: Address): CallResult {
    const first = space.vmas.at(address);
    const object = first?.file?.object;
    const segment = [...this.#segments.values()].find((known) => known.object === object);
    if (first === undefined || segment === undefined || first.start !== address || first.pgoff !== 0) return EINVAL;
    const end = address + alignUp(segment.bytes);
    for (const vma of space.vmas.overlapping(address, end)) {
      if (vma.file !== first.file) continue;
      const result = munmap(this.#memory, space, vma.start, vma.end - vma.start);
      if (result < 0) return result;
    }
    return 0;
  }

  /** shmctl(2) with IPC_RMID: the segment goes when it is attached nowhere. Returns 0 or EINVAL. */
  remove(id: CallValue): CallResult {
    const segment = this.#find(id);
    if (segment === undefined) return EINVAL;
    if (segment.removed) return 0;
    segment.removed = true;
    segment.object.links--;
    dropIfUnused(this.#memory, segment.object);
    return 0;
  }

  /** Attachments of a segment now, over all processes; EINVAL. */
  attachments(id: CallValue): CallValue | Errno {
    return this.#find(id)?.object.vmas.size ?? EINVAL;
  }

  #find(id: number): Segment | undefined {
    const segment = this.#segments.get(id);
    if (segment === undefined || !segment.removed || segment.object.vmas.size > 0) return segment;
    this.#segments.delete(id);
    return undefined;
  }
}
