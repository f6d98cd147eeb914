/** The cost of fork: a real process in the model is forked, and parent and child write to their shared pages. */

import { checkChoice, checkOptions, LIST, NUMBER, TRUTH } from '../../hw/base/arguments.js';
import { PAGE_BYTES, PAGE_SHIFT, pageSizeName, SHIFT_1G, SHIFT_2M } from '../../hw/base/address.js';
import { Core } from '../../hw/x86/core.js';
import { Mmu } from '../../hw/x86/mmu.js';
import { parseTlb } from '../../hw/tlb/parse.js';
import { Ram } from '../../hw/memory/ram.js';
import type { KernelCounters } from '../kernel/frames/counters.js';
import { Kernel } from '../kernel/kernel.js';
import { must } from '../kernel/abi/must.js';
import type { PagePolicy, Process } from '../kernel/space/process.js';
import type { ForkPages, ForkResult, ForkRun, ForkScenario } from '../report/results/fork-result.js';
import { aarch64Levels, MACHINE_NAMES } from './machine/pages/page-kinds.js';
import type { MachineName } from './machine/pages/page-kinds.js';
import { SCHEMA_VERSION } from '../report/results/schema-version.js';

/**
 * The most resident memory of a process: afterwards parent and child may need all of it, and the tables besides, and
 * RAM ends at 16 GiB.
 */
export const MAX_RESIDENT = 7 * 2 ** 30;
/** The start of the process's memory: 1 TiB, aligned for every page size. */
const BASE = 2 ** 40;
const GIB = 2 ** 30;
/** Of RAM besides that for the process: for tables, and for huge pages of 2 MiB to lie as they must. */
const LEAST_ROOM = 2 ** 24;
/** The same for a process smaller than a huge page. V8 would collect garbage for 16 MiB more, a tenth of a start. */
const SMALL_ROOM = 2 ** 22;

/** The process to fork, and its life afterwards. */
export interface ForkOptions {
  /** Bytes resident, rounded up to whole pages; at most 7 GiB. */
  readonly resident: number;
  /** log2 of the page sizes; 14 and 16 are base pages of AArch64. */
  readonly pages: readonly number[];
  /** The machine. Default: x86. */
  readonly machine?: MachineName;
  /** Share of the memory written after the fork, from its start: 0 to 1. */
  readonly touch: number;
  /** Only the case of a child that execs at once. */
  readonly exec: boolean;
  /** Called after each scenario. */
  readonly onProgress?: (done: number, total: number) => Promise<void>;
}

/** log2 of the page sizes that a fork can be made with, by machine. */
export const FORK_SHIFTS: Readonly<Record<MachineName, readonly number[]>> = {
  x86: [12, 21, 30],
  riscv: [12, 21, 30],
  aarch64: [12, 14, 16, 21, 30],
};
const REQUIRED = { resident: NUMBER, pages: LIST, touch: NUMBER, exec: TRUTH };
/** log2 of the base pages other than 4 KiB. */
const GRANULES: readonly number[] = [14, 16];

/**
 * The kernel counts what it invalidates, and not what a TLB held of it. A small TLB is emptied sooner at each switch
 * of processes.
 */
const TLB = '16x4';

/** Makes kernels, each on a processor of its own. Those of other machines than x86 are loaded late: a start takes less. */
type Boot = (ram: Ram, cleanRam: boolean) => Kernel;

async function bootOn(machine: MachineName): Promise<Boot> {
  const tlb = parseTlb(TLB);
  if (machine === 'x86') return (ram, cleanRam) => new Kernel({ processor: new Core(new Mmu({ ram, tlb })), cleanRam });
  const { LogicalProcessor } = await import('../../hw/translate/logical-processor.js');
  if (machine === 'riscv') {
    const { Hart } = await import('../../hw/riscv/hart.js');
    return (ram, cleanRam) => new Kernel({ processor: new LogicalProcessor(new Hart({ ram, tlb })), cleanRam });
  }
  const { Pe } = await import('../../hw/aarch64/pe.js');
  return (ram, cleanRam) => new Kernel({ processor: new LogicalProcessor(new Pe({ ram, tlb })), cleanRam });
}

/**
 * Bytes of the tables for `pages` base pages of `2^granule` bytes side by side, from the start of a root's entry on. Fork
 * makes as many for the child.
 */
export function granuleTableBytes(pages: number, granule: number): number {
  const levels = aarch64Levels({ granule });
  const tables = Array.from({ length: levels }, (_, level) => Math.ceil(pages / 2 ** ((granule - 3) * (level + 1))));
  return tables.reduce((sum, count) => sum + count) * 2 ** granule;
}

/**
 * A machine with one process, forked again and again.
 *
 * The kernel has base pages of 4 KiB. Larger ones are the same work for fewer pages, and the kernel counts pages: so it
 * forks as many of 4 KiB, and bytes are counted in pages of the true size.
 */
class ForkMachine {
  readonly kernel: Kernel;
  /** Bytes of a base page, over 4 KiB. */
  readonly scale: number;
  readonly #granule: number;
  readonly #pages: PagePolicy;
  readonly #resident: number;
  #parent: Process | null = null;
  /** Page tables of the parent in its proper state. */
  #tables = 0;

  constructor(kernel: Kernel, shift: number, resident: number) {
    this.kernel = kernel;
    this.#granule = GRANULES.includes(shift) ? shift : PAGE_SHIFT;
    this.scale = 2 ** (this.#granule - PAGE_SHIFT);
    this.#pages = shift === SHIFT_2M ? '2M' : shift === SHIFT_1G ? '1G' : '4K';
    this.#resident = this.inKernel(resident);
  }

  /** Bytes of memory as the kernel has it: a page of 4 KiB for each base page. */
  inKernel(bytes: number): number {
    return Math.ceil(bytes / (PAGE_BYTES * this.scale)) * PAGE_BYTES;
  }

  /** Bytes of the tables of a process like the parent. */
  tableBytes({ space }: Process): number {
    return this.scale === 1 ? (space?.tableBytes ?? 0) : granuleTableBytes(this.#resident / PAGE_BYTES, this.#granule);
  }

  /**
   * A process with all its memory resident and written before, in pages of the machine's size, running. Writes after
   * an earlier fork may have split huge pages; then it is a new one.
   */
  get parent(): Process {
    const { kernel } = this;
    if (this.#parent !== null && this.#parent.space?.tables !== this.#tables) {
      kernel.exit(this.#parent);
      this.#parent = null;
    }
    this.#parent ??= this.#build();
    // It runs, so the TLB belongs to it when it forks.
    must(kernel.load(this.#parent, BASE, 8));
    return this.#parent;
  }

  #build(): Process {
    const process = this.kernel.spawn({ pages: this.#pages });
    must(this.kernel.mapRegion(process, BASE, this.#resident));
    for (let offset = 0; offset < this.#resident; offset += PAGE_BYTES) {
      must(this.kernel.populate(process, BASE + offset));
    }
    this.#tables = process.space?.tables ?? 0;
    return process;
  }

  /** The process writes a word of every 4 KiB of the first `bytes` of its memory. */
  write(process: Process, bytes: number): void {
    for (let offset = 0; offset < bytes; offset += PAGE_BYTES) must(this.kernel.store(process, BASE + offset, 8, 1));
  }
}

/** The deeds of parent and child after the fork, by name of the scenario: `some` bytes are written, or `all`. */
type Deeds = (machine: ForkMachine, parent: Process, child: Process, some: number, all: number) => void;

const DEEDS: Readonly<Record<ForkScenario['name'], Deeds>> = {
  child: (machine, _parent, child, some) => {
    machine.write(child, some);
  },
  parent: (machine, parent, _child, some) => {
    machine.write(parent, some);
  },
  both: (machine, parent, child, some) => {
    machine.write(child, some);
    machine.write(parent, some);
  },
  best: (machine, parent, child, some) => {
    must(machine.kernel.exec(child));
    machine.write(parent, some);
  },
  worst: (machine, parent, child, _some, all) => {
    machine.write(child, all);
    machine.write(parent, all);
  },
};

type ForkItself = Omit<ForkRun, 'pages' | 'cowFaults' | 'bytesCopied' | 'scenarios'>;

type Counts = Readonly<Record<keyof KernelCounters, number>>;

/** A copy of the counters as they stand. */
function countsOf(counters: KernelCounters): Counts {
  return Object.assign({}, counters);
}

function difference(after: Counts, before: Counts): Counts {
  const result: Record<keyof KernelCounters, number> = { ...after };
  for (const name of Object.keys(result) as (keyof KernelCounters)[]) result[name] -= before[name];
  return result;
}

function forkOnce(
  machine: ForkMachine,
  name: ForkScenario['name'],
  some: number,
  all: number,
): [ForkItself, ForkScenario] {
  const { parent, kernel } = machine;
  const before = countsOf(kernel.counters);
  const child = must(kernel.fork(parent));
  const forked = countsOf(kernel.counters);
  const fork = difference(forked, before);
  const itself = {
    entriesVisited: fork.forkEntriesVisited,
    entriesCopied: fork.forkEntriesCopied,
    tableBytes: machine.tableBytes(child),
    spareTableBytes: (child.space?.deposit.length ?? 0) * PAGE_BYTES,
    invalidations: fork.invlpg,
    tlbFlushes: fork.fullFlushes,
  };
  DEEDS[name](machine, parent, child, machine.inKernel(some), machine.inKernel(all));
  const after = difference(kernel.counters, forked);
  kernel.exit(child);
  const scenario = {
    name,
    cowFaults: after.cowFaults + after.reuseFaults,
    reused: after.reuseFaults,
    bytesCopied: after.bytesCopied * machine.scale,
    invalidations: after.invlpg,
    tlbFlushes: after.fullFlushes + after.switches,
  };
  return [itself, scenario];
}

/**
 * Room for parent and child apart, as many tables as 4 KiB pages need, and the first page of the largest size, never whole.
 * A kernel keeps books of every frame: less than 1 GiB has no page of that size, and needs no room for one.
 */
function ramFor(resident: number): Ram {
  const small = resident < 2 ** SHIFT_2M ? SMALL_ROOM : LEAST_ROOM;
  const step = resident < GIB ? small : GIB;
  return new Ram({ bytes: Math.ceil((2 * resident * (1 + 1 / 64)) / step + 1) * step });
}

/**
 * Forks a process of `options.resident` bytes once a page size and scenario.
 *
 * @throws RangeError when the host cannot give the RAM, or for pages or a machine that there are not; TypeError for
 *   required options that are missing or of another kind
 */
export async function forkCost(options: ForkOptions): Promise<ForkResult> {
  checkOptions('forkCost: options', options, REQUIRED);
  const { machine: name = 'x86' } = options;
  checkChoice('machine', name, MACHINE_NAMES);
  for (const shift of options.pages) checkChoice('pages', shift, FORK_SHIFTS[name]);
  const names: ForkScenario['name'][] = options.exec ? ['best'] : ['child', 'parent', 'both', 'best', 'worst'];
  const all = Math.ceil(options.resident / PAGE_BYTES) * PAGE_BYTES;
  const some = Math.ceil((all / PAGE_BYTES) * options.touch) * PAGE_BYTES;
  // One RAM for all page sizes: the host commits it once.
  const boot = await bootOn(name);
  const ram = ramFor(all);
  const runs: ForkRun[] = [];
  for (const shift of options.pages) {
    const machine = new ForkMachine(boot(ram, runs.length === 0), shift, all);
    const outcomes: [ForkItself, ForkScenario][] = [];
    for (const scenario of names) {
      outcomes.push(forkOnce(machine, scenario, some, all));
      await options.onProgress?.(runs.length * names.length + outcomes.length, options.pages.length * names.length);
    }
    const [[itself, { cowFaults, bytesCopied }]] = outcomes;
    const scenarios = outcomes.map(([, scenario]) => scenario);
    runs.push({ pages: pageSizeName(shift) as ForkPages, ...itself, cowFaults, bytesCopied, scenarios });
  }
  return {
    schemaVersion: SCHEMA_VERSION,
    command: 'fork',
    machine: name,
    residentBytes: options.resident,
    touchedShare: options.touch,
    exec: options.exec,
    runs,
  };
}
