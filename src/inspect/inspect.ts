/** The costs of a live process's memory, in 4 KiB pages and with huge ones: measured on a copy of it in the model. */

import { PAGE_BYTES, SHIFT_2M, SHIFT_4K } from '../../hw/base/address.js';
import { Core } from '../../hw/x86/core.js';
import { Mmu } from '../../hw/x86/mmu.js';
import type { TlbGeometry } from '../../hw/tlb/hierarchy.js';
import type { Ram } from '../../hw/memory/ram.js';
import { entriesFor } from '../../hw/tlb/words.js';
import { reserveRam } from '../../hw/memory/reserve.js';
import { Kernel } from '../kernel/kernel.js';
import type { Process } from '../kernel/space/process.js';
import { VmaUsage, vmaUsage } from '../kernel/proc/smaps.js';
import { VM_WRITE } from '../kernel/abi/vma-flags.js';
import { INSPECT_VERSION } from './inspect-result.js';
import type { InspectResult, InspectedFork, InspectedRun, TwoForks } from './inspect-result.js';
import { runBytes } from './process-image.js';
import type { ProcessImage } from './process-image.js';
import { actionsFor } from '../regions/actions.js';
import { DEFAULT_POLICY, type HugePolicy } from '../regions/policy.js';
import { reportRegion, sumByKind } from '../regions/report.js';
import type { LiveRegion } from '../regions/smaps.js';
import { regionUsages } from '../regions/usage.js';
import type { RegionUsage } from '../regions/usage.js';
import { planRebuild, Rebuilder } from './rebuild.js';
import type { Plan } from './rebuild.js';
import { boundVerdict, couldGain } from './verdict.js';

const SHIFTS = { '4K': SHIFT_4K, '2M': SHIFT_2M };
/** Share of RAM that resident pages may fill; the rest is for tables, of the process and of two children. */
const RESIDENT_SHARE = 0.9;

export interface InspectOptions {
  readonly tlb: TlbGeometry;
  /** The settings by which memory could be huge; those of a system left as it is by default. */
  readonly policy?: HugePolicy;
  /** Called now and then with the regions rebuilt so far. */
  readonly onProgress?: (done: number, total: number) => Promise<void>;
}

/**
 * Rebuilds the process twice and forks it twice each time.
 * @throws RangeError when the host cannot give the RAM
 */
export async function inspect(image: ProcessImage, options: InspectOptions): Promise<InspectResult> {
  const { regions, runs } = image;
  const ram = reserveRam();
  const plan = planRebuild(image, ram.bytes * RESIDENT_SHARE);
  const sum = (of: (region: LiveRegion) => number): number => regions.reduce((total, region) => total + of(region), 0);
  const known = regions.every((region) => region.resident === 0 || runs.has(region));
  const measured: InspectedRun[] = [];
  for (const pages of ['4K', '2M'] as const) {
    measured.push(await measure(ram, plan, pages, measured.length, options));
  }
  return {
    schemaVersion: INSPECT_VERSION,
    command: 'inspect',
    pid: image.pid,
    name: image.command,
    source: known ? 'pagemap' : 'smaps',
    mappedBytes: sum(({ start, end }) => end - start),
    residentBytes: sum(({ resident }) => resident),
    presentBytes: known ? sum((region) => runBytes(runs.get(region) ?? [], false)) : null,
    zeroBytes: sum((region) => runBytes(runs.get(region) ?? [], true)),
    anonymousBytes: sum(({ anonymous }) => anonymous),
    anonymousHugeBytes: sum(({ anonymousHuge }) => anonymousHuge),
    swappedBytes: sum(({ swapped }) => swapped),
    kernelTableBytes: image.kernelTableBytes,
    tlb: options.tlb.name,
    runs: measured,
    leftOut: plan.leftOut,
    policy: options.policy ?? DEFAULT_POLICY,
    ...judgeMemory(image, options),
  };
}

/** The regions against huge pages: a table, an upper bound for the gain, and what to do. */
function judgeMemory(
  { command, regions, runs }: ProcessImage,
  { tlb, policy = DEFAULT_POLICY }: InspectOptions,
): Pick<InspectResult, 'verdict' | 'why' | 'advice' | 'kinds' | 'regions' | 'actions'> {
  const usages = regionUsages(
    regions.map((region) => ({
      region,
      residentBytes: region.resident,
      hugeBytes: region.anonymousHuge + region.fileHuge,
      runs: runs.get(region)?.filter(({ kind }) => kind !== 'zero'),
    })),
    policy,
  );
  const sum = (of: (usage: RegionUsage) => number): number => usages.reduce((total, usage) => total + of(usage), 0);
  const bound = boundVerdict(
    {
      words: 'resident',
      bytes: sum(({ residentBytes }) => residentBytes),
      hugeBytes: sum(({ hugeBytes }) => hugeBytes),
      couldGainBytes: sum(couldGain),
    },
    tlb,
  );
  const reported = usages.map(reportRegion);
  const found = { program: command, usages, policy, mayGain: bound.verdict === 'between' };
  return { ...bound, kinds: sumByKind(reported), regions: reported, actions: actionsFor(found) };
}

async function measure(
  ram: Ram,
  plan: Plan,
  pages: '4K' | '2M',
  earlier: number,
  { tlb, onProgress }: InspectOptions,
): Promise<InspectedRun> {
  // The RAM is the same for both: the host commits it once.
  const kernel = new Kernel({ processor: new Core(new Mmu({ ram, tlb })), cleanRam: earlier === 0 });
  const rebuilder = new Rebuilder(kernel, pages);
  for (const [index, planned] of plan.regions.entries()) {
    rebuilder.add(planned);
    await onProgress?.(earlier * plan.regions.length + index + 1, 2 * plan.regions.length);
  }
  const { process } = rebuilder;
  const { huge, small } = countPages(kernel, process);
  const tlbEntries = entriesFor(tlb, SHIFTS[pages]);
  return {
    pages,
    residentBytes: process.space?.residentBytes ?? 0,
    tableBytes: process.space?.tableBytes ?? 0,
    spareTableBytes: spareBytes(process),
    smallPages: small,
    hugePages: huge,
    tlbEntries,
    tlbReachBytes: tlbEntries * 2 ** SHIFTS[pages],
    ...forkTwice(kernel, process),
  };
}

function spareBytes({ space }: Process): number {
  return (space?.deposit.length ?? 0) * PAGE_BYTES;
}

/** The usage of every VMA of a process. */
function usageOf(kernel: Kernel, { space }: Process): { usage: VmaUsage; writable: boolean }[] {
  if (space === null) return [];
  return [...space.vmas].map((vma) => ({
    usage: vmaUsage(kernel.memory, vma),
    writable: vma.isCow && (vma.flags & VM_WRITE) !== 0,
  }));
}

/** Resident pages of 4 KiB, and huge ones of any size. */
function countPages(kernel: Kernel, process: Process): { small: number; huge: number } {
  let huge = 0;
  let hugeBytes = 0;
  for (const vma of process.space?.vmas ?? []) {
    const { anonHugePages, privateHugetlb } = vmaUsage(kernel.memory, vma);
    huge += anonHugePages / 2 ** SHIFT_2M + privateHugetlb / 2 ** vma.pageShift;
    hugeBytes += anonHugePages + privateHugetlb;
  }
  return { huge, small: ((process.space?.residentBytes ?? 0) - hugeBytes) / PAGE_BYTES };
}

function forkOnce(kernel: Kernel, parent: Process): Process {
  const child = kernel.fork(parent);
  if (typeof child === 'number') throw new RangeError("the model's RAM holds the process, but no tables for two forks");
  return child;
}

/** Forks the process two times; the costs of the first, and the common memory of three processes then. */
function forkTwice(kernel: Kernel, parent: Process): { fork: InspectedFork; twoForks: TwoForks } {
  const { counters } = kernel;
  const { forkEntriesVisited, forkEntriesCopied, framesAllocated, framesFreed } = counters;
  const child = forkOnce(kernel, parent);
  const fork = {
    entriesVisited: counters.forkEntriesVisited - forkEntriesVisited,
    entriesCopied: counters.forkEntriesCopied - forkEntriesCopied,
    tableBytes: child.space?.tableBytes ?? 0,
    spareTableBytes: spareBytes(child),
  };
  forkOnce(kernel, parent);
  const added = counters.framesAllocated - framesAllocated - (counters.framesFreed - framesFreed);
  let sharedBytes = 0;
  let copiedIfWritten = 0;
  for (const { usage, writable } of usageOf(kernel, child)) {
    const shared = usage.sharedClean + usage.sharedDirty + usage.sharedHugetlb;
    sharedBytes += shared;
    if (writable) copiedIfWritten += shared;
  }
  const sharedWhenTouched = (parent.space?.residentBytes ?? 0) - sharedBytes;
  return { fork, twoForks: { sharedBytes, sharedWhenTouched, addedBytes: added * PAGE_BYTES, copiedIfWritten } };
}
