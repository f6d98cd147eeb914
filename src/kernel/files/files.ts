/** Files and shared memory by name: making, opening, closing and unlinking the objects of the page cache. */

import { checkChoice } from '../abi/arguments.js';
import { EINVAL, ENOENT } from '../abi/errno.js';
import type { CallResult, CallValue, Errno } from '../abi/errno.js';
import { FileObject, OBJECT_KINDS, OpenFile } from '../space/model.js';
import type { NamedKind } from '../space/model.js';
import { allocateFile, readFile, truncateFile, writeFile } from './file-io.js';
import type { Memory } from '../space/memory.js';
import { dropIfUnused } from '../space/page-cache.js';
import { cleanObject } from '../pages/rmap.js';
import { readFrame } from '../space/direct-map.js';

/** Files by name: open, close, unlink, truncate, allocate. */
export class Files {
  readonly #memory: Memory;
  readonly #names = new Map<string, FileObject>();

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  #make(kind: NamedKind, name: string): FileObject {
    const object = new FileObject(this.#memory.nextId(), kind, name);
    this.#memory.objects.set(object.id, object);
    return object;
  }

  #open(object: FileObject, readable: boolean, writable: boolean): OpenFile {
    object.links++;
    return new OpenFile(object, readable, writable);
  }

  /** memfd_create(2): an empty object without a name, open for reading and writing. */
  memfd(name: string): OpenFile {
    return this.#open(this.#make('shmem', `/memfd:${name} (deleted)`), true, true);
  }

  /** open(2) or, with kind `shmem`, shm_open(3): makes the file if there is none. @throws RangeError for another kind */
  open(name: string, kind: NamedKind, readable = true, writable = true): OpenFile {
    checkChoice('kind of file', kind, OBJECT_KINDS);
    let object = this.#names.get(name);
    if (object === undefined) {
      object = this.#make(kind, name);
      object.links = 1;
      this.#names.set(name, object);
    }
    return this.#open(object, readable, writable);
  }

  /** Gives a descriptor up; its mappings stay. Returns 0, or EINVAL when it is closed already. */
  close(file: OpenFile): CallResult {
    if (file.closed) return EINVAL;
    file.closed = true;
    file.object.links--;
    dropIfUnused(this.#memory, file.object);
    return 0;
  }

  /** unlink(2), shm_unlink(3): the name goes, the object once nothing uses it. Returns 0 or ENOENT. */
  unlink(name: string): CallResult {
    const object = this.#names.get(name);
    if (object === undefined) return ENOENT;
    this.#names.delete(name);
    object.name = `${name} (deleted)`;
    object.links--;
    dropIfUnused(this.#memory, object);
    return 0;
  }

  /** fsync(2): the file's pages are clean afterwards. Memory has nowhere to be written to. */
  sync(file: OpenFile): void {
    this.#memory.label('fsync');
    cleanObject(this.#memory, file.object);
    this.#memory.label('');
  }

  /** ftruncate(2). Returns 0 or an errno. */
  truncate(file: OpenFile, size: number): CallResult {
    this.#memory.label('ftruncate', [size]);
    const result = truncateFile(this.#memory, file, size);
    this.#memory.label('');
    return result;
  }

  /** fallocate(2) with the FALLOC_ bits of flags.ts. Returns 0 or an errno. */
  allocate(file: OpenFile, mode: number, offset: number, length: number): CallResult {
    this.#memory.label('fallocate', [mode, offset, length]);
    const result = allocateFile(this.#memory, file, mode, offset, length);
    this.#memory.label('');
    return result;
  }

  /** pread(2) into a buffer outside of any process. Returns bytes read, 0 at the end of the file, or an errno. */
  read(file: OpenFile, offset: number, target: Uint8Array): CallValue | Errno {
    return readFile(this.#memory, file, offset, target.length, (frame, inPage, count, done) => {
      readFrame(this.#memory.ram, frame, inPage, target.subarray(done, done + count));
      return count;
    });
  }

  /** pwrite(2) from a buffer outside of any process. Returns bytes written, or an errno. */
  write(file: OpenFile, offset: number, source: Uint8Array): CallValue | Errno {
    return writeFile(this.#memory, file, offset, source.length, {
      take: (done, count) => source.subarray(done, done + count),
      faultIn: () => false,
    });
  }
}
