/** Replays recorded x86 cases, family by family, and tells the machine's results. */

import type { Word64 } from '../../../hw/base/address.js';
import { DS } from '../../../hw/x86/segmentation/register.js';
import { CR4_PCIDE, CR4_PGE, PCID_MASK } from '../../../hw/x86/registers.js';
import { farJump } from '../../../hw/x86/segmentation/far-transfer.js';
import { loadSegment } from '../../../hw/x86/segmentation/load.js';
import type { Stored } from '../recording/hex.js';
import type { AccessOutcome, PagingCase, SegmentCase, TlbCase, TwoReadsOutcome } from './x86-case.js';
import { access, faultOf, segmentNumber, X86Machine } from './x86-machine.js';
import type { ReplayedProcessor } from './x86-machine.js';

/** The machine's result: the outcome, and the structures in memory afterwards, in the order of the recording. */
export interface Replayed<Outcome> {
  readonly out: Outcome;
  readonly after: readonly Word64[];
}

export class X86Replayer {
  readonly #machine = new X86Machine();

  paging(recorded: PagingCase): Replayed<AccessOutcome> {
    return this.#withEntries(recorded.mode, recorded.mem, () => {
      const processor = this.#machine.boot(recorded);
      if ('k' in processor) return processor;
      return access(processor, recorded.op, segmentNumber(recorded.seg), recorded.la, recorded.size);
    });
  }

  segment(recorded: SegmentCase): Replayed<AccessOutcome> {
    const { desc, cr3, mode, mem } = recorded;
    const machine = this.#machine;
    const paged = mode === '32';
    if (paged) machine.mapMonitor(cr3);
    if (desc) machine.ram.store64(desc[0].hi, desc[0].lo, desc[1].hi, desc[1].lo);
    const replayed = this.#withEntries(mode, mem, () => this.#runSegment(recorded));
    const after = desc ? [machine.loadDescriptor(desc[0]), ...replayed.after] : replayed.after;
    if (desc) machine.ram.store64(desc[0].hi, desc[0].lo, 0, 0);
    if (paged) machine.unmapMonitor(cr3);
    return { out: replayed.out, after };
  }

  #runSegment(recorded: SegmentCase): AccessOutcome {
    const processor = this.#machine.boot(recorded);
    if ('k' in processor) return processor;
    const { unit } = processor;
    const selector = recorded.sel.lo;
    unit.gdtr.set(0, 0, recorded.gdtr[0].lo, recorded.gdtr[1].lo);
    if (recorded.ldtr) unit.ldtr.set(0, 0, recorded.ldtr[0].lo, recorded.ldtr[1].lo);
    if (recorded.fam === 'segjmp') {
      if (farJump(unit, selector, 0, recorded.off.lo, 4) < 0) return faultOf(unit, 'load');
      return located(access(processor, 'x', 0, recorded.off, recorded.size));
    }
    const segment = segmentNumber(recorded.sreg);
    if (loadSegment(unit, segment, selector) < 0) return faultOf(unit, 'load');
    if (recorded.fam === 'segload') return { k: 'ok', pa: [] };
    return located(access(processor, recorded.op, segment, recorded.off, recorded.size));
  }

  /** The landing place of the first read of a `tlb` case; undefined when it faults. */
  firstRead(recorded: TlbCase): Word64 | undefined {
    return this.#withEntries(recorded.mode, recorded.mem, () => {
      const processor = this.#machine.boot(recorded);
      const first = 'k' in processor ? processor : access(processor, 'r', DS, recorded.la, 1);
      return first.k === 'ok' ? first.pa[0] : undefined;
    }).out;
  }

  /** `fresh`: the second read is made by a processor with empty caches. */
  tlb(recorded: TlbCase, fresh = false): Replayed<TwoReadsOutcome> {
    return this.#withEntries(recorded.mode, recorded.mem, () => {
      const processor = this.#machine.boot(recorded);
      if ('k' in processor) return processor;
      const first = access(processor, 'r', DS, recorded.la, 1);
      if (first.k === 'fault') return { ...first, at: 'first' };
      this.#machine.storeEntry(recorded.mem[recorded.chg][0], recorded.new);
      const refused = act(processor, recorded);
      if (refused < 0) return { ...faultOf(processor.unit, 'act'), vec: -refused };
      const reader = fresh ? this.#machine.boot(recorded) : processor;
      if ('k' in reader) return reader;
      const second = access(reader, 'r', DS, recorded.la, 1);
      if (second.k === 'fault') return { ...second, at: 'second' };
      return { k: 'ok', pa1: first.pa[0], pa2: second.pa[0] };
    });
  }

  #withEntries<Outcome>(mode: string, entries: readonly Stored[], run: () => Outcome): Replayed<Outcome> {
    const machine = this.#machine;
    machine.storeEntries(mode, entries);
    const out = run();
    const after = entries.map(([address]) => machine.loadEntry(address));
    machine.clear(entries);
    return { out, after };
  }
}

function located(outcome: AccessOutcome): AccessOutcome {
  return outcome.k === 'fault' ? { ...outcome, at: 'access' } : outcome;
}

/** The invalidation of a `tlb` case, as the processor that made the first read. */
function act({ mmu }: ReplayedProcessor, recorded: TlbCase): number {
  const { cr3, cr4, la } = recorded;
  const pcid = cr4.lo & CR4_PCIDE ? cr3.lo & PCID_MASK : 0;
  switch (recorded.act) {
    case 'invlpg':
      mmu.invlpg(la.hi, la.lo);
      return 0;
    case 'movcr3':
      return mmu.writeCr3(cr3.hi, cr3.lo);
    case 'pcidswitch': {
      const away = mmu.writeCr3(cr3.hi, cr3.lo ^ 1);
      return away < 0 ? away : mmu.writeCr3(cr3.hi, cr3.lo);
    }
    case 'cr4pge': {
      const toggled = mmu.writeCr4(cr4.lo ^ CR4_PGE);
      return toggled < 0 ? toggled : mmu.writeCr4(cr4.lo);
    }
    default:
      return mmu.invpcid(Number(recorded.act.slice(-1)), pcid, la.hi, la.lo);
  }
}
