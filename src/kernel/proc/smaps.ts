/** /proc/PID/smaps and /proc/PID/maps: the cost of each VMA, as people know it. Source: Linux manual pages, proc_pid_smaps(5). */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import type { AddressSpace, Vma } from '../space/model.js';
import { FRAME_ANON, FRAME_DIRTY, FRAME_REFERENCED, FRAME_SWAPBACKED } from '../frames/frames.js';
import { hugeAllowed } from '../pages/huge.js';
import { hugeFrame } from '../pages/mapping.js';
import { HUGE_BYTES } from '../space/memory.js';
import type { Memory } from '../space/memory.js';
import * as vm from '../abi/vma-flags.js';

/** Linux keeps Pss in bytes with this many further bits: small shares are not lost. */
const PSS_SCALE = 4096;

/** Sums over the pages of a VMA, in bytes. */
export class VmaUsage {
  rss = 0;
  /** Each page divided by the number of its mappings; bytes times 4096, see {@link pssKib}. */
  pssScaled = 0;
  pssDirtyScaled = 0;
  sharedClean = 0;
  sharedDirty = 0;
  privateClean = 0;
  privateDirty = 0;
  referenced = 0;
  anonymous = 0;
  lazyFree = 0;
  anonHugePages = 0;
  /** Of shared memory, by huge entries. */
  shmemPmdMapped = 0;
  sharedHugetlb = 0;
  privateHugetlb = 0;
  isLocked = false;

  /** Proportional set size in KiB, rounded down as smaps prints it. */
  get pssKib(): number {
    return Math.floor(this.pssScaled / PSS_SCALE / 1024);
  }

  /** {@link pssKib} of a locked VMA, else 0. */
  get lockedKib(): number {
    return this.isLocked ? this.pssKib : 0;
  }

  /** Adds a page of `bytes`, mapped by `mappings` entries. */
  add(bytes: number, mappings: number, dirty: boolean): void {
    const share = Math.floor((bytes * PSS_SCALE) / Math.max(1, mappings));
    this.pssScaled += share;
    if (dirty) this.pssDirtyScaled += share;
    if (mappings > 1) {
      if (dirty) this.sharedDirty += bytes;
      else this.sharedClean += bytes;
    } else if (dirty) this.privateDirty += bytes;
    else this.privateClean += bytes;
  }
}

/** Counts the pages of one VMA. */
export function vmaUsage(memory: Memory, vma: Vma): VmaUsage {
  const { entries, tables } = memory;
  const usage = new VmaUsage();
  usage.isLocked = (vma.flags & vm.VM_LOCKED) !== 0;
  let from = vma.start;
  while (tables.next(vma.space, from, vma.end)) {
    const { at, shift, start, end } = tables;
    from = end;
    if (!tables.isTable(at)) {
      countHuge(memory, vma, usage, at, shift);
      continue;
    }
    let entry = tables.entryIn(at, start);
    for (let address = start; address < end; address += PAGE_BYTES, entry += 2) {
      const low = entries.words[entry];
      if (!entries.isCounted(low)) continue;
      const frame = entries.frameAt(entry);
      countKind(memory, usage, frame, PAGE_BYTES, low);
      countShare(memory, usage, frame, low);
    }
  }
  return usage;
}

function countHuge(memory: Memory, vma: Vma, usage: VmaUsage, at: number, shift: number): void {
  const { entries, frames, tables } = memory;
  const low = entries.words[at];
  if (entries.isSpecial(low)) return;
  const head = hugeFrame(tables.frameAt(at));
  if ((vma.flags & vm.VM_HUGETLB) !== 0) {
    if (frames.mappingsOf(head) > 1) usage.sharedHugetlb += 2 ** shift;
    else usage.privateHugetlb += 2 ** shift;
    return;
  }
  if (vma.isAnonymous) usage.anonHugePages += HUGE_BYTES;
  else usage.shmemPmdMapped += HUGE_BYTES;
  countKind(memory, usage, head, HUGE_BYTES, low);
  for (let frame = head; frame < head + HUGE_BYTES / PAGE_BYTES; frame++) countShare(memory, usage, frame, low);
}

function countKind(memory: Memory, usage: VmaUsage, frame: number, bytes: number, low: number): void {
  const { frames } = memory;
  const flags = frames.flags[frames.headOf(frame)];
  usage.rss += bytes;
  if (memory.entries.isAccessed(low) || (flags & FRAME_REFERENCED) !== 0) usage.referenced += bytes;
  if ((flags & FRAME_ANON) === 0) return;
  usage.anonymous += bytes;
  if ((flags & (FRAME_SWAPBACKED | FRAME_DIRTY)) === 0 && !memory.entries.isDirty(low)) usage.lazyFree += bytes;
}

function countShare(memory: Memory, usage: VmaUsage, frame: number, low: number): void {
  const { frames } = memory;
  const dirty = memory.entries.isDirty(low) || (frames.flags[frames.headOf(frame)] & FRAME_DIRTY) !== 0;
  usage.add(PAGE_BYTES, frames.mappingsOf(frame), dirty);
}

/** `rw-p` and the like: the last letter is s for MAP_SHARED. */
export function permissions(vma: Vma): string {
  const letter = (flag: number, name: string): string => ((vma.flags & flag) !== 0 ? name : '-');
  const sharing = (vma.flags & vm.VM_MAYSHARE) !== 0 ? 's' : 'p';
  return letter(vm.VM_READ, 'r') + letter(vm.VM_WRITE, 'w') + letter(vm.VM_EXEC, 'x') + sharing;
}

/** Two letters for each flag, in the order of smaps. */
const FLAG_NAMES: readonly (readonly [number, string])[] = [
  [vm.VM_READ, 'rd'],
  [vm.VM_WRITE, 'wr'],
  [vm.VM_EXEC, 'ex'],
  [vm.VM_SHARED, 'sh'],
  [vm.VM_MAYREAD, 'mr'],
  [vm.VM_MAYWRITE, 'mw'],
  [vm.VM_MAYEXEC, 'me'],
  [vm.VM_MAYSHARE, 'ms'],
  [vm.VM_GROWSDOWN, 'gd'],
  [vm.VM_MAYBE_GUARD, 'gu'],
  [vm.VM_LOCKED, 'lo'],
  [vm.VM_SEQ_READ, 'sr'],
  [vm.VM_RAND_READ, 'rr'],
  [vm.VM_DONTCOPY, 'dc'],
  [vm.VM_LOCKONFAULT, 'lf'],
  [vm.VM_ACCOUNT, 'ac'],
  [vm.VM_NORESERVE, 'nr'],
  [vm.VM_HUGETLB, 'ht'],
  [vm.VM_WIPEONFORK, 'wf'],
  [vm.VM_DONTDUMP, 'dd'],
  [vm.VM_SOFTDIRTY, 'sd'],
  [vm.VM_HUGEPAGE, 'hg'],
  [vm.VM_NOHUGEPAGE, 'nh'],
];

/** The names of the VMA's flags: `['rd', 'wr', …]`. */
export function vmFlagNames(vma: Vma): string[] {
  return FLAG_NAMES.filter(([flag]) => (vma.flags & flag) !== 0).map(([, name]) => name);
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

function nameOf(space: AddressSpace, vma: Vma): string {
  if (vma.file !== null) return vma.file.object.name;
  if (space.brkStart >= 0 && vma.start < space.brkEnd && vma.end > space.brkStart) return '[heap]';
  return (vma.flags & vm.VM_GROWSDOWN) !== 0 ? '[stack]' : '';
}

/** The line of /proc/PID/maps for one VMA. */
function mapsLine(space: AddressSpace, vma: Vma): string {
  const range = `${hex(vma.start, 8)}-${hex(vma.end, 8)}`;
  const offset = vma.file === null ? 0 : vma.pgoff * PAGE_BYTES;
  const inode = vma.file === null ? 0 : vma.file.object.id;
  const line = `${range} ${permissions(vma)} ${hex(offset, 8)} 00:00 ${inode}`;
  const name = nameOf(space, vma);
  return name === '' ? `${line} ` : `${line.padEnd(72)} ${name}`;
}

/** The text of /proc/PID/maps. */
export function mapsText(space: AddressSpace): string {
  return [...space.vmas].map((vma) => `${mapsLine(space, vma)}\n`).join('');
}

/** The text of /proc/PID/smaps. */
export function smapsText(memory: Memory, space: AddressSpace): string {
  return [...space.vmas].map((vma) => smapsEntry(memory, space, vma)).join('');
}

function smapsEntry(memory: Memory, space: AddressSpace, vma: Vma): string {
  const usage = vmaUsage(memory, vma);
  const pageKib = 2 ** vma.pageShift / 1024;
  const kib: [string, number][] = [
    ['Size', (vma.end - vma.start) / 1024],
    ['KernelPageSize', pageKib],
    ['MMUPageSize', pageKib],
    ['Rss', usage.rss / 1024],
    ['Pss', usage.pssKib],
    ['Pss_Dirty', Math.floor(usage.pssDirtyScaled / PSS_SCALE / 1024)],
    ['Shared_Clean', usage.sharedClean / 1024],
    ['Shared_Dirty', usage.sharedDirty / 1024],
    ['Private_Clean', usage.privateClean / 1024],
    ['Private_Dirty', usage.privateDirty / 1024],
    ['Referenced', usage.referenced / 1024],
    ['Anonymous', usage.anonymous / 1024],
    ['KSM', 0],
    ['LazyFree', usage.lazyFree / 1024],
    ['AnonHugePages', usage.anonHugePages / 1024],
    ['ShmemPmdMapped', usage.shmemPmdMapped / 1024],
    ['FilePmdMapped', 0],
    ['Shared_Hugetlb', usage.sharedHugetlb / 1024],
    ['Private_Hugetlb', usage.privateHugetlb / 1024],
    ['Swap', 0],
    ['SwapPss', 0],
    ['Locked', usage.lockedKib],
  ];
  const lines = kib.map(([name, value]) => `${`${name}:`.padEnd(16)}${String(value).padStart(8)} kB`);
  const eligible = hugeAllowed(vma, Math.ceil(vma.start / HUGE_BYTES) * HUGE_BYTES) ? 1 : 0;
  lines.push(`${'THPeligible:'.padEnd(16)}${String(eligible).padStart(8)}`);
  lines.push(`VmFlags: ${vmFlagNames(vma).join(' ')} `);
  return `${[mapsLine(space, vma), ...lines].join('\n')}\n`;
}
