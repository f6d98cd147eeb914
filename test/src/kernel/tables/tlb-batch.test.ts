import { beforeEach, describe, expect, it } from 'vitest';
import { Mmu } from '../../../../hw/x86/mmu.js';
import { Ram } from '../../../../hw/memory/ram.js';
import { KernelCounters } from '../../../../src/kernel/frames/counters.js';
import { Frames } from '../../../../src/kernel/frames/frames.js';
import type { Privileged } from '../../../../src/kernel/tables/privileged.js';
import { X86 } from '../../../../src/kernel/tables/machine-x86.js';
import { TableRoot } from '../../../../src/kernel/tables/root.js';
import { FLUSH_CEILING, TlbBatch } from '../../../../src/kernel/tables/tlb-batch.js';

const IDLE_ROOT = 9;

/** A core that notes the low words of what it is told: "invlpg ADDRESS" or "cr3 ROOT". */
class NotingMmu extends Mmu {
  readonly told: string[] = [];

  override writeCr3(_hi: number, lo: number): number {
    this.told.push(`cr3 ${lo >>> 12}`);
    return 0;
  }

  override invlpg(_hi: number, lo: number): void {
    this.told.push(`invlpg ${lo}`);
  }
}

describe('two cores of one kernel', () => {
  let mmus: NotingMmu[];
  let batches: TlbBatch[];
  let frames: Frames;
  const space = new TableRoot(5);

  beforeEach(() => {
    const ram = new Ram({ bytes: 2 ** 20 });
    const counters = new KernelCounters();
    frames = new Frames(ram, counters, true);
    batches = [];
    mmus = [new NotingMmu({ ram }), new NotingMmu({ ram })];
    for (const mmu of mmus) new TlbBatch(X86.operationsOf(mmu), frames, counters, IDLE_ROOT, batches);
  });

  const told = (): string[][] => mmus.map((mmu) => mmu.told.splice(0));

  it('each load a space of their own', () => {
    batches[0].load(space);
    batches[1].load(new TableRoot(6));
    expect(told()).toEqual([['cr3 5'], ['cr3 6']]);
  });

  it('both invalidate a page of the space that both have loaded', () => {
    for (const batch of batches) batch.load(space);
    told();
    batches[0].page(space, 4096);
    batches[0].flush();
    expect(told()).toEqual([['invlpg 4096'], ['invlpg 4096']]);
  });

  it('flush all of a space past the ceiling, and of no other space', () => {
    const other = new TableRoot(6);
    for (let page = 0; page < FLUSH_CEILING; page++) batches[0].page(space, page * 4096);
    expect(batches[0].flushesAll(space)).toBe(false);
    batches[0].page(space, FLUSH_CEILING * 4096);
    expect([space, other].map((one) => batches[0].flushesAll(one))).toEqual([true, false]);
    batches[0].flush();
    expect(batches[0].flushesAll(space)).toBe(false);
  });

  it('are told nothing where another space is loaded', () => {
    batches[1].load(space);
    told();
    batches[0].page(space, 4096);
    batches[0].flush();
    expect(told()).toEqual([[], ['invlpg 4096']]);
  });

  it('both drop everything when there is much', () => {
    for (const batch of batches) batch.load(space);
    told();
    for (let i = 0; i <= FLUSH_CEILING; i++) batches[1].page(space, i * 4096);
    batches[1].flush();
    expect(told()).toEqual([['cr3 5'], ['cr3 5']]);
  });

  it('free a frame only once no core can reach it', () => {
    for (const batch of batches) batch.load(space);
    told();
    const frame = frames.allocate(0, 0);
    batches[0].page(space, 4096);
    batches[0].release(frame);
    const free = frames.buddy.free;
    expect(told()).toEqual([[], []]);
    batches[0].flush();
    expect([frames.buddy.free - free, told()]).toEqual([1, [['invlpg 4096'], ['invlpg 4096']]]);
  });

  it('drop what is cached of tables when one of them goes, and at no other time', () => {
    const notes: string[] = [];
    const core: Privileged = {
      setsMarks: true,
      startPaging: () => notes.push('start'),
      loadRoot: () => notes.push('root'),
      invalidatePage: (_hi, lo) => notes.push(`page ${lo}`),
      invalidateTables: () => notes.push('tables'),
      invalidateFaulted: () => notes.push('faulted'),
    };
    const batch = new TlbBatch(core, frames, new KernelCounters(), IDLE_ROOT, []);
    batch.load(space);
    notes.length = 0;
    batch.tables(space, 8192);
    batch.flush();
    batch.page(space, 4096);
    batch.flush();
    expect(notes).toEqual(['page 8192', 'tables', 'page 4096']);
  });

  it('leave a space that goes, on whichever core it is loaded', () => {
    batches[1].load(space);
    told();
    batches[0].unload(space);
    expect(told()).toEqual([[], [`cr3 ${IDLE_ROOT}`]]);
    expect(batches.map((batch) => batch.loaded)).toEqual([null, null]);
  });
});
