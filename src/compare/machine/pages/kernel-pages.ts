/** Pages of x86 from the kernel of this model. */

import { PAGE_BYTES, SHIFT_4K } from '../../../../hw/base/address.js';
import { VM_ACCESS, VM_HUGETLB, VM_MAYEXEC, VM_MAYREAD, VM_MAYWRITE } from '../../../kernel/abi/vma-flags.js';
import type { Kernel } from '../../../kernel/kernel.js';
import { HUGE_BYTES } from '../../../kernel/space/memory.js';
import { Vma, type AddressSpace } from '../../../kernel/space/model.js';
import type { Process } from '../../../kernel/space/process.js';
import { addVma } from '../../../kernel/space/vma-ops.js';
import { shiftAt } from './mixed-pages.js';
import type { PagesKind } from './page-kinds.js';
import type { Owner, PageSupply } from './page-supply.js';

/** All user addresses; Linux keeps the last 4 KiB of them back, but a recorded program may have used them. */
export const USER_BYTES = 2 ** 47;
const ANY_ACCESS = VM_ACCESS | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;

/** Huge pages come as with MAP_HUGETLB: nothing else guarantees the size of every page. */
function addMemory(space: AddressSpace, start: number, end: number, shift: number): void {
  const vma = new Vma(space, start, end, shift === SHIFT_4K ? ANY_ACCESS : ANY_ACCESS | VM_HUGETLB, 0, null);
  vma.pageShift = shift;
  addVma(vma);
}

interface Program extends Owner {
  readonly process: Process;
}

export class KernelPages implements PageSupply {
  readonly atOnce = 0;

  constructor(
    private readonly kernel: Kernel,
    private readonly kind: PagesKind,
  ) {}

  spawn(): Program | undefined {
    const process = this.kernel.trySpawn({ pages: '4K' });
    if (typeof process === 'number' || process.space === null) return undefined;
    if (this.kind.isHuge === undefined) addMemory(process.space, 0, USER_BYTES, this.kind.shift);
    return { root: process.space.root, process };
  }

  populate({ process }: Program, address: number): boolean {
    const { space } = process;
    if (space !== null && space.vmas.at(address) === undefined) {
      const block = address - (address % HUGE_BYTES);
      addMemory(space, block, block + HUGE_BYTES, shiftAt(this.kind, address));
    }
    return this.kernel.populate(process, address) >= 0;
  }

  exit({ process }: Program): void {
    this.kernel.exit(process);
  }

  tableBytes({ process }: Program): number {
    return process.space?.tableBytes ?? 0;
  }

  fork({ process }: Program): ReturnType<PageSupply['fork']> {
    const { counters } = this.kernel;
    const before = counters.forkEntriesCopied;
    const child = this.kernel.fork(process);
    if (typeof child === 'number') return undefined;
    const cost = {
      entriesCopied: counters.forkEntriesCopied - before,
      tableBytes: child.space?.tableBytes ?? PAGE_BYTES,
    };
    this.kernel.exit(child);
    return cost;
  }
}
