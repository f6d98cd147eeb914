import { describe, it } from 'vitest';
import { Ram } from '../../../../hw/memory/ram.js';
import type { TlbGeometry } from '../../../../hw/tlb/hierarchy.js';
import * as vm from '../../../../hw/x86/nested/virtual-machines.js';
import { CACHES, checkCaches, copyExchanged, PAGES } from '../../guest-changes.js';
import type { ChangingGuest, Marks } from '../../guest-changes.js';
import { DATA, GUEST_PAGE, Nest, PAGE, WB } from './nest.js';

/** 4 over 4 levels; EPT with accessed and dirty flags. */
class Guest implements ChangingGuest {
  private readonly nest: Nest;
  private nextFrame = 50;
  private tableFrame: number;

  constructor(
    private readonly kind: 'ept' | 'npt',
    tlb: TlbGeometry,
  ) {
    const nest = new Nest(kind, { tlb, accessedDirty: true }, new Ram({ bytes: 1 << 21 }));
    this.nest = nest;
    for (let page = 0; page < PAGES; page++) {
      nest.mapHost(GUEST_PAGE + page * 4096, DATA + page);
      nest.mapGuest(PAGE + page * 4096, GUEST_PAGE + page * 4096);
    }
    this.tableFrame = nest.guestEntry(PAGE, 0) >>> 12;
  }

  get tables(): Int32Array {
    return this.nest.ram.words.subarray(0, 64 * 1024);
  }

  access(page: number, access: number): string {
    return this.nest.tell(access, PAGE + page * 4096);
  }

  mapGuest(page: number, to: number, { all, accessed, dirty }: Marks): void {
    const { nest } = this;
    const linear = PAGE + page * 4096;
    const flags = 5 | (all ? 2 : 0) | (accessed ? 0x20 : 0) | (dirty ? 0x40 : 0);
    nest.put(this.tableFrame * 4096 + (nest.guestEntry(linear, 0) & 0xfff), BigInt((GUEST_PAGE + to * 4096) | flags));
    nest.mmu.invlpg(0, linear);
  }

  mapHost(page: number, to: number, marks: Marks): void {
    this.setHost(GUEST_PAGE + page * 4096, DATA + to, marks);
  }

  moveTable(marks: Marks): void {
    const next = this.nextFrame++;
    const from = this.tableFrame * 1024;
    this.nest.ram.words.copyWithin(next * 1024, from, from + 1024);
    this.tableFrame = next;
    this.setHost(this.nest.guestEntry(PAGE, 0) & ~0xfff, next, marks);
  }

  private setHost(address: number, frame: number, { all, accessed, dirty }: Marks): void {
    const { nest, kind } = this;
    const ept = (all ? 7 : 1) | WB | (accessed ? 0x100 : 0) | (dirty ? 0x200 : 0);
    const npt = 5 | (all ? 2 : 0) | (accessed ? 0x20 : 0) | (dirty ? 0x40 : 0);
    nest.put(nest.hostEntry(address, 0), BigInt(frame * 4096 + (kind === 'ept' ? ept : npt)));
    this.invalidate();
  }

  moveHostTable(page: number, other: number): void {
    const { nest } = this;
    const next = this.nextFrame++;
    const entryOf = (at: number): number => nest.hostEntry(GUEST_PAGE + at * 4096, 0);
    copyExchanged(nest.ram, next * 4096, entryOf(page), entryOf(other));
    nest.put(nest.hostEntry(GUEST_PAGE, 1), BigInt(next * 4096 + 7));
    this.invalidate();
  }

  private invalidate(): void {
    const { nest } = this;
    nest.mmu.vm.vmexit();
    const { control } = nest;
    if ('eptp' in control) {
      nest.mmu.vm.invept(vm.INVEPT_SINGLE_CONTEXT, control.eptp);
      nest.enter(control);
    } else nest.enter({ ...control, tlbControl: 3 });
  }
}

describe.each(['ept', 'npt'] as const)('a guest under %s on a processor with', (kind) => {
  it.each(CACHES)('%s gets the answers of one without any', (_, tlb) => {
    checkCaches(tlb, (caches) => new Guest(kind, caches));
  });
});
