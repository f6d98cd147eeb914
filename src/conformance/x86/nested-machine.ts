/**
 * The machine for recorded cases of nested paging: a hypervisor enters a guest in the state of a case, and the guest makes
 * one access. Each case leaves RAM zero again.
 */

import type { Word64 } from '../../../hw/base/address.js';
import { fromBigInt, PAGE_OFFSET_MASK, toBigInt } from '../../../hw/base/address.js';
import { Ram } from '../../../hw/memory/ram.js';
import { vectorOf } from '../../../hw/x86/exception.js';
import { Mmu } from '../../../hw/x86/mmu.js';
import { vmExitOf } from '../../../hw/x86/nested/exits.js';
import { INVEPT_GLOBAL, makeEptp } from '../../../hw/x86/nested/virtual-machines.js';
import type { GuestState } from '../../../hw/x86/nested/virtual-machines.js';
import { CR0_PE, CR0_PG, CR4_PAE, EFER_LME, EFER_NXE } from '../../../hw/x86/registers.js';
import { DS } from '../../../hw/x86/segmentation/register.js';
import { SegmentationUnit } from '../../../hw/x86/segmentation/unit.js';
import { writeRegisters } from '../../../hw/x86/write-registers.js';
import { physical } from '../recording/words.js';
import type { Stored } from '../recording/hex.js';
import type { NestedCase, NestedOutcome } from './nested-case.js';
import { loadFlatSegments, RECORDED_PHYSICAL_BITS, run } from './x86-machine.js';

/** Recorded entries name frames below 2 GiB. */
const RAM_BYTES = 2 ** 31;

/** The machine's result: the outcomes, and the entries in memory afterwards, in the order of the recording. */
export interface NestedReplayed {
  readonly out: NestedOutcome;
  /** Of the same access made again: TLBs may answer it. */
  readonly again: NestedOutcome;
  /** Stale entries found by the checking mode. */
  readonly stale: number;
  readonly after: readonly Word64[];
  readonly nafter: readonly Word64[];
}

export class NestedMachine {
  readonly #ram = new Ram({ bytes: RAM_BYTES });
  readonly #mmu = new Mmu({ ram: this.#ram, maxPhysicalBits: RECORDED_PHYSICAL_BITS, check: true });

  constructor() {
    const host = { cr0: CR0_PE | CR0_PG, cr3Hi: 0, cr3Lo: 0, cr4: CR4_PAE, efer: EFER_LME };
    writeRegisters(this.#mmu, host);
  }

  /** @throws Error for a guest state that a processor refuses to enter */
  replay(recorded: NestedCase): NestedReplayed {
    const mmu = this.#mmu;
    const entries = [...recorded.mem, ...recorded.nmem];
    for (const [address, value] of entries) this.#store(recorded, address, value);
    this.#enter(recorded);
    const stale = mmu.checker?.found.length ?? 0;
    const out = this.#access(recorded);
    const again = this.#access(recorded);
    mmu.vm.vmexit();
    const [after, nafter] = [recorded.mem, recorded.nmem].map((list) => this.#load(recorded, list));
    for (const [address] of entries) this.#store(recorded, address, { hi: 0, lo: 0 });
    return { out, again, stale: (mmu.checker?.found.length ?? 0) - stale, after, nafter };
  }

  /** Nothing of the case before is left in TLBs: VMRUN drops everything; INVEPT does, and entries without VPID. */
  #enter(recorded: NestedCase): void {
    const { vm } = this.#mmu;
    const guest = this.#guestState(recorded);
    const { nroot } = recorded;
    const root = toBigInt(nroot.hi, nroot.lo);
    if (recorded.fam === 'npt') {
      this.#mmu.writeEfer(EFER_LME | (recorded.hnxe === 1 ? EFER_NXE : 0));
      if (vm.vmrun({ nestedCr3: root, asid: 1, tlbControl: 1, guest }) === 0) return;
    } else {
      const eptp = makeEptp(root, { accessedDirty: recorded.ead === 1 });
      vm.invept(INVEPT_GLOBAL);
      if (vm.vmlaunch({ eptp, modeBasedExecute: recorded.mbe === 1, guest }) === 0) return;
    }
    throw new Error(`${recorded.fam} case ${recorded.id}: the processor refuses to enter a guest in this state`);
  }

  #guestState(recorded: NestedCase): GuestState {
    const { cr0, cr3, cr4, efer, ac, fam, mode, mem } = recorded;
    const state = { cr0: cr0.lo, cr3: toBigInt(cr3.hi, cr3.lo), cr4: cr4.lo, efer: efer.lo, ac: ac === 1 };
    if (fam === 'npt' || mode !== 'pae') return state;
    // The recorder loaded the PDPTE registers from the page of the first entry.
    const [{ hi, lo }] = mem[0];
    const pdptes = [0, 8, 16, 24].map((offset) => {
      const low = this.#ram.load64(hi, (lo & ~0x1f) + offset);
      return toBigInt(this.#ram.loadedHigh, low);
    });
    return { ...state, pdptes };
  }

  #access(recorded: NestedCase): NestedOutcome {
    const mmu = this.#mmu;
    const unit = new SegmentationUnit(mmu);
    loadFlatSegments(unit, recorded.cpl);
    if (run(unit, recorded.op, DS, recorded.la, recorded.size) < 0) return this.#failure(unit);
    const pa = [physical(mmu.firstFrame, recorded.la.lo & PAGE_OFFSET_MASK)];
    if (mmu.secondFrame >= 0) pa.push(physical(mmu.secondFrame, 0));
    return { k: 'ok', pa };
  }

  #failure({ fault }: SegmentationUnit): NestedOutcome {
    const { status, errorCode, hi, lo } = fault;
    const exit = vmExitOf(fault);
    switch (exit?.reason) {
      case undefined:
        if (vectorOf(status) !== 14) throw new Error(`the access ended with status ${status}, and no recording did`);
        return { k: 'fault', vec: 14, err: { hi: 0, lo: errorCode }, cr2: { hi, lo } };
      case 'EPT misconfiguration':
        return { k: 'misconf', gpa: fromBigInt(exit.guestPhysical) };
      case '#VMEXIT(NPF)':
        return { k: 'npf', info1: fromBigInt(exit.info1), info2: fromBigInt(exit.info2) };
      case 'EPT violation': {
        const { qualification, guestPhysical, guestLinear = 0n } = exit;
        const [qual, gpa, gla] = [qualification, guestPhysical, guestLinear].map((value) => fromBigInt(value));
        return { k: 'ept', qual, gpa, gla };
      }
    }
  }

  #isNarrow({ mode }: NestedCase, address: Word64, list: readonly Stored[]): boolean {
    return mode === '32' && list.some(([other]) => other.hi === address.hi && other.lo === address.lo);
  }

  #store(recorded: NestedCase, address: Word64, value: Word64): void {
    if (this.#isNarrow(recorded, address, recorded.mem)) this.#ram.store32(address.hi, address.lo, value.lo);
    else this.#ram.store64(address.hi, address.lo, value.hi, value.lo);
  }

  #load(recorded: NestedCase, list: readonly Stored[]): Word64[] {
    return list.map(([address]) => {
      if (this.#isNarrow(recorded, address, recorded.mem)) {
        return { hi: 0, lo: this.#ram.load32(address.hi, address.lo) };
      }
      const lo = this.#ram.load64(address.hi, address.lo);
      return { hi: this.#ram.loadedHigh, lo };
    });
  }
}
