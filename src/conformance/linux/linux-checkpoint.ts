/** A checkpoint: the mappings of every process, in one form for the record and for the kernel's state. */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import type { FileObject, Vma } from '../../kernel/space/model.js';
import type { Kernel } from '../../kernel/kernel.js';
import type { Process } from '../../kernel/space/process.js';
import { permissions, vmaUsage, vmFlagNames } from '../../kernel/proc/smaps.js';
import type { VmaUsage } from '../../kernel/proc/smaps.js';
import { VM_HUGETLB } from '../../kernel/abi/vma-flags.js';
import { RUN } from './linux-case.js';
import type { RecordedCheckpoint } from './linux-case.js';
import { ARENA } from './linux-words.js';
import type { LinuxMachine } from './linux-machine.js';

/**
 * The compared columns of smaps: position in a recorded VMA, and the kernel's value. In pages, `pss`, `swapPss` and
 * `locked` in KiB. LazyFree is left out: it does not reproduce.
 */
const COLUMNS = {
  rss: { at: 6, of: ({ rss }) => rss / PAGE_BYTES },
  pss: { at: 7, of: ({ pssKib }) => pssKib },
  sharedClean: { at: 8, of: ({ sharedClean }) => sharedClean / PAGE_BYTES },
  sharedDirty: { at: 9, of: ({ sharedDirty }) => sharedDirty / PAGE_BYTES },
  privateClean: { at: 10, of: ({ privateClean }) => privateClean / PAGE_BYTES },
  privateDirty: { at: 11, of: ({ privateDirty }) => privateDirty / PAGE_BYTES },
  referenced: { at: 12, of: ({ referenced }) => referenced / PAGE_BYTES },
  anonymous: { at: 13, of: ({ anonymous }) => anonymous / PAGE_BYTES },
  anonHuge: { at: 15, of: ({ anonHugePages }) => anonHugePages / PAGE_BYTES },
  shmemHuge: { at: 16, of: ({ shmemPmdMapped }) => shmemPmdMapped / PAGE_BYTES },
  // There is no swap here, and no KSM.
  swap: { at: 17, of: () => 0 },
  swapPss: { at: 18, of: () => 0 },
  locked: { at: 19, of: ({ lockedKib }) => lockedKib },
  ksm: { at: 20, of: () => 0 },
  sharedHugetlb: { at: 21, of: ({ sharedHugetlb }) => sharedHugetlb / PAGE_BYTES },
  privateHugetlb: { at: 22, of: ({ privateHugetlb }) => privateHugetlb / PAGE_BYTES },
} as const satisfies Record<string, { at: number; of: (usage: VmaUsage) => number }>;

export type Column = keyof typeof COLUMNS;
export const COLUMN_NAMES = Object.keys(COLUMNS) as Column[];

/** One VMA, with its columns; null if the recorder has none, since it does not reproduce. */
export interface VmaView extends Readonly<Record<Column, number | null>> {
  readonly page: number;
  readonly pages: number;
  readonly perms: string;
  readonly offset: number;
  readonly object: string;
  readonly flags: string;
}

/** A value for each column. */
function columns(valueOf: (column: (typeof COLUMNS)[Column]) => number | null): Record<Column, number | null> {
  const values = Object.entries(COLUMNS).map(([name, column]) => [name, valueOf(column)]);
  return Object.fromEntries(values) as Record<Column, number | null>;
}

export interface ProcessView {
  readonly process: number;
  readonly vmas: readonly VmaView[];
  /** For each present page: the number of its frame in this checkpoint (or nothing) and its flags, `7xf`. */
  readonly pages: ReadonlyMap<number, string>;
}

/** The flags kept by the recorder, of all in smaps. */
const KEPT_FLAGS = new Set(['ac', 'nr', 'dc', 'wf', 'gd', 'hg', 'nh', 'lo', 'ht']);

/** Reads a recorded checkpoint. */
export function recordedViews(checkpoint: RecordedCheckpoint): ProcessView[] {
  return checkpoint.map(({ p, v, m }) => ({
    process: p,
    vmas: v.map((vma) => ({
      page: vma[0],
      pages: vma[1],
      perms: vma[2],
      offset: vma[3],
      object: vma[4],
      flags: vma[5],
      ...columns(({ at }) => (at < vma.length ? vma[at] : 0)),
    })),
    pages: expandRuns(m),
  }));
}

/** `10+2=7x` as page 10 → `7x`, page 11 → `8x`. */
function expandRuns(text: string): Map<number, string> {
  const pages = new Map<number, string>();
  for (const run of text.split(' ').filter((part) => part !== '')) {
    const [, first, count, frame, flags] = RUN.exec(run) ?? [];
    for (let i = 0; i < Number(count || 1); i++) {
      pages.set(Number(first) + i, frame === '' ? flags : `${Number(frame) + i}${flags}`);
    }
  }
  return pages;
}

/** Numbers objects and frames in their order within one checkpoint. */
class Numbering<T> {
  readonly #numbers = new Map<T, number>();

  of(thing: T): number {
    let number = this.#numbers.get(thing);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(thing, number);
    }
    return number;
  }
}

/** The kernel's state of every live process now, in the order of their numbers. */
export function currentViews(machine: LinuxMachine): ProcessView[] {
  const shared = new Numbering<FileObject>();
  const frames = new Numbering<number>();
  const numbers = [...machine.processes.keys()].sort((a, b) => a - b);
  return numbers.map((number) => {
    const process = machine.processes.get(number);
    const vmas = [...(process?.space?.vmas ?? [])];
    return {
      process: number,
      vmas: vmas.map((vma) => viewOf(machine, vma, shared)),
      pages: process === undefined ? new Map<number, string>() : presentPages(machine.kernel, process, vmas, frames),
    };
  });
}

function viewOf(machine: LinuxMachine, vma: Vma, shared: Numbering<FileObject>): VmaView {
  const usage = vmaUsage(machine.kernel.memory, vma);
  return {
    page: (vma.start - ARENA) / PAGE_BYTES,
    pages: vma.pages,
    perms: permissions(vma),
    offset: vma.file === null ? 0 : vma.pgoff,
    object: objectName(machine, vma, shared),
    flags: vmFlagNames(vma)
      .filter((name) => KEPT_FLAGS.has(name))
      .join(''),
    ...columns(({ of }) => of(usage)),
  };
}

/** `a`, `s0` for a shared anonymous object, `f0` for the object of a descriptor. */
function objectName(machine: LinuxMachine, vma: Vma, shared: Numbering<FileObject>): string {
  const object = vma.file?.object;
  if (object === undefined) return 'a';
  const descriptor = machine.files.findIndex((file) => file.object === object);
  return descriptor >= 0 ? `f${descriptor}` : `s${shared.of(object)}`;
}

function presentPages(
  kernel: Kernel,
  process: Process,
  vmas: readonly Vma[],
  frames: Numbering<number>,
): Map<number, string> {
  const pages = new Map<number, string>();
  for (const vma of vmas) {
    for (let address = vma.start; address < vma.end; address += PAGE_BYTES) {
      const entry = kernel.pagemap(process, address);
      if (entry === undefined) continue;
      const page = (address - ARENA) / PAGE_BYTES;
      if (entry.guard) pages.set(page, 'g');
      if (!entry.present) continue;
      const number = entry.zero ? 'z' : String(frames.of(entry.frame));
      const large = (vma.flags & VM_HUGETLB) !== 0 ? 'h' : 't';
      const flags = [
        entry.exclusive ? 'x' : '',
        entry.file ? 'f' : '',
        entry.huge ? large : '',
        entry.mlocked ? 'l' : '',
      ];
      pages.set(page, number + flags.join(''));
    }
  }
  return pages;
}
