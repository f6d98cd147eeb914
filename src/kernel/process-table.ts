/** Processes: how they begin, become others, and end. */

import { toHex } from '../../hw/base/address.js';
import { Random } from '../../hw/base/random.js';
import { HUGE_PAGE_POLICIES } from './space/model.js';
import { USER_END } from './abi/layout.js';
import type { AddressSpace, HugePagePolicy } from './space/model.js';
import { checkChoice, checkKind, checkObject, isWhole, objectWith, shown } from './abi/arguments.js';
import { EAGAIN, ECHILD, EINVAL, ENOMEM, ESRCH } from './abi/errno.js';
import type { CallResult, Errno } from './abi/errno.js';
import { forkSpace } from './vmas/fork.js';
import type { Memory } from './space/memory.js';
import { Process } from './space/process.js';
import type { PagePolicy } from './space/process.js';
import { destroySpace } from './vmas/teardown.js';

/** How a process begins. */
export interface SpawnOptions {
  /** The largest page for its regions; decides `hugePages` unless given. */
  readonly pages?: PagePolicy;
  readonly hugePages?: HugePagePolicy;
  /** Where the heap begins, bytes; without it there is none. */
  readonly brk?: number;
}

const POLICIES: Record<PagePolicy, HugePagePolicy> = { '4K': 'never', '2M': 'always', '1G': 'always' };
/** Bytes kept free above the highest mapping for the stack, and pages of randomness: mmap_rnd_bits = 28. */
const STACK_ROOM = 2 ** 27;
const RANDOM_PAGES = 2 ** 28;

const PROCESS = objectWith('waitsFor', 'a process, as spawn gives; fork gives an errno where no memory is left');

/**
 * Why a process can do nothing: it has ended (ESRCH), or waits for its vfork child (EAGAIN).
 * @throws TypeError for a value that is no process, such as an errno of fork: nor does it seem to run
 */
export function cannotRun(process: Process): typeof ESRCH | typeof EAGAIN {
  checkKind('process', process, PROCESS);
  return process.space === null ? ESRCH : EAGAIN;
}

export class ProcessTable {
  /** The living ones, by number. */
  readonly processes = new Map<number, Process>();
  /** The kernel's own pieces, for its own files and for tools. @internal */
  readonly memory: Memory;
  readonly #random: Random | null;
  #lastPid = 0;

  /** @param seed for the addresses of the kernel's choice; without one they are the same for every process */
  constructor(memory: Memory, seed: number | undefined) {
    this.memory = memory;
    this.#random = seed === undefined ? null : new Random(seed);
  }

  /**
   * A first process with nothing mapped.
   * @throws RangeError for an unknown policy or a `brk` outside of user addresses; Error when no memory is left
   */
  spawn(options: SpawnOptions = {}): Process {
    const process = this.trySpawn(options);
    if (typeof process !== 'number') return process;
    if (process === ENOMEM) throw new Error('ENOMEM: no memory is left for a process; give the machine more RAM');
    throw new RangeError(`brk ${shown(options.brk)}: must be a whole number from 0 to ${toHex(USER_END)}`);
  }

  /** As {@link spawn}, with EINVAL for a `brk` outside of user addresses, and ENOMEM. @throws RangeError for an unknown policy */
  trySpawn(options: SpawnOptions = {}): Process | typeof EINVAL | typeof ENOMEM {
    checkObject('spawn: options', options, 'pages, hugePages or brk');
    const { pages = '4K', brk = -1 } = options;
    checkChoice('pages', pages, Object.keys(POLICIES));
    const hugePages = options.hugePages ?? POLICIES[pages];
    checkChoice('hugePages', hugePages, HUGE_PAGE_POLICIES);
    if (!isWhole(brk, options.brk === undefined ? -1 : 0, USER_END)) return EINVAL;
    const space = this.memory.newSpace(hugePages);
    if (typeof space === 'number') return space;
    this.#layOut(space);
    space.brkStart = space.brkEnd = brk;
    return this.#enrol(null, space, pages);
  }

  #layOut(space: AddressSpace): void {
    const shift = this.#random === null ? 0 : this.#random.below(RANDOM_PAGES);
    space.mmapBase = USER_END - STACK_ROOM - shift * 4096;
  }

  #enrol(parent: Process | null, space: AddressSpace, pages: PagePolicy): Process {
    this.#lastPid++;
    const process = new Process(this.#lastPid, parent, space, pages);
    this.processes.set(process.pid, process);
    return process;
  }

  /** A copy of the process; or ENOMEM, with nothing changed. */
  fork(process: Process): Process | Errno {
    if (process.space === null || process.waitsFor !== null) return cannotRun(process);
    this.memory.label('fork');
    const space = forkSpace(this.memory, process.space);
    this.memory.label('');
    return typeof space === 'number' ? space : this.#enrol(process, space, process.pages);
  }

  /** A child in its parent's memory, until it calls exec or exit; the parent waits so long (its calls: EAGAIN). */
  vfork(process: Process): Process | Errno {
    if (process.space === null || process.waitsFor !== null) return cannotRun(process);
    process.space.users++;
    const child = this.#enrol(process, process.space, process.pages);
    process.waitsFor = child;
    return child;
  }

  /** Gives the process an empty address space. Returns 0 or ENOMEM. */
  exec(process: Process): CallResult {
    const old = process.space;
    if (old === null || process.waitsFor !== null) return cannotRun(process);
    const fresh = this.memory.newSpace(old.hugePages);
    if (typeof fresh === 'number') return fresh;
    this.#layOut(fresh);
    process.space = fresh;
    this.#leave('exec', process, old);
    return 0;
  }

  /** Ends the process; its memory is free at once. Its parent may ask for `status` with {@link wait}. */
  exit(process: Process, status = 0): void {
    const { space } = process;
    if (space === null) return;
    process.space = null;
    process.status = status;
    this.processes.delete(process.pid);
    for (const child of process.children) child.parent = null;
    this.#leave('exit', process, space);
  }

  #leave(name: string, process: Process, space: AddressSpace): void {
    if (process.parent?.waitsFor === process) process.parent.waitsFor = null;
    space.users--;
    if (space.users > 0) return;
    this.memory.label(name);
    destroySpace(this.memory, space);
    this.memory.label('');
  }

  /** A child after its end; it is forgotten then. EAGAIN while none has ended; ECHILD when there is no child. */
  wait(process: Process): Process | typeof EAGAIN | typeof ECHILD {
    for (const child of process.children) {
      if (child.alive) continue;
      process.children.delete(child);
      return child;
    }
    return process.children.size > 0 ? EAGAIN : ECHILD;
  }
}
