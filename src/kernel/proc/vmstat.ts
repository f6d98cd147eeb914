/** Counters by the names of /proc/vmstat: totals since the kernel started, and frames in use now. */

import { FRAME_ANON, FRAME_DIRTY, FRAME_SWAPBACKED } from '../frames/frames.js';
import { HUGE_FRAMES } from '../space/memory.js';
import type { Memory } from '../space/memory.js';

/** Frames in use now, counted from their records. */
function inUse(memory: Memory): Record<string, number> {
  const { frames } = memory;
  let anonymous = 0;
  let mapped = 0;
  let huge = 0;
  for (let frame = 1; frame < memory.ram.frames; frame++) {
    const head = frames.headOf(frame);
    if (frames.mappingsOf(frame) === 0) continue;
    if ((frames.flags[head] & FRAME_ANON) === 0) mapped++;
    else anonymous++;
  }
  for (const [head, folio] of frames.large) {
    const anonymous = (frames.flags[head] & FRAME_ANON) !== 0;
    if (anonymous && folio.whole > 0 && 1 << frames.order[head] === HUGE_FRAMES) huge++;
  }
  let cached = 0;
  let shared = 0;
  let dirty = 0;
  for (const object of memory.objects.values()) {
    for (const frame of object.pages.values()) {
      cached++;
      if ((frames.flags[frame] & FRAME_SWAPBACKED) !== 0) shared++;
      else if ((frames.flags[frame] & FRAME_DIRTY) !== 0) dirty++;
    }
  }
  return {
    nr_free_pages: frames.buddy.free,
    nr_anon_pages: anonymous,
    nr_mapped: mapped,
    nr_file_pages: cached,
    nr_dirty: dirty,
    nr_shmem: shared,
    nr_anon_transparent_hugepages: huge,
    nr_page_table_pages: memory.counters.tablesAllocated - memory.counters.tablesFreed,
  };
}

/** Names as in /proc/vmstat, in its order. */
function vmstat(memory: Memory): Record<string, number> {
  const { counters } = memory;
  return {
    ...inUse(memory),
    pgalloc_normal: counters.framesAllocated,
    pgfree: counters.framesFreed,
    pgfault: counters.minorFaults + counters.majorFaults + counters.failedFaults,
    pgmajfault: counters.majorFaults,
    pgreuse: counters.reuseFaults,
    thp_fault_alloc: counters.hugeFaults,
    thp_fault_fallback: counters.hugeFallbacks,
    thp_collapse_alloc: counters.hugeCollapses,
    thp_split_pmd: counters.hugeSplits,
    thp_zero_page_alloc: counters.hugeZeroPages,
    nr_tlb_local_flush_all: counters.fullFlushes,
    nr_tlb_local_flush_one: counters.invlpg,
  };
}

/** The text of /proc/vmstat. */
export function vmstatText(memory: Memory): string {
  return Object.entries(vmstat(memory))
    .map(([name, value]) => `${name} ${value}\n`)
    .join('');
}
