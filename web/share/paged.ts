/** The story under paging: the kernel of src/kernel on a machine of its own. */

import { addressOfFrame, highWordOfFrame, lowWordOfFrame, PAGE_BYTES, toHex } from '../../hw/base/address.js';
import { Core } from '../../hw/x86/core.js';
import { Mmu } from '../../hw/x86/mmu.js';
import { PTE_A, PTE_D, PTE_P, PTE_RW } from '../../hw/x86/format.js';
import { Ram } from '../../hw/memory/ram.js';
import { errnoName } from '../../src/kernel/abi/errno.js';
import type { OpenFile } from '../../src/kernel/space/model.js';
import * as f from '../../src/kernel/abi/flags.js';
import { FRAME_ANON } from '../../src/kernel/frames/frames.js';
import { Kernel } from '../../src/kernel/kernel.js';
import type { Process } from '../../src/kernel/space/process.js';
import { countOf } from '../../src/report/output/units.js';
import { type Piece, type ProcessDrawing, PROGRAM, type SharedRegion, type Row, ShareMachine } from './machine.js';

const RAM_BYTES = 4 * 2 ** 20;
/** The addresses of the regions, by their place in {@link PROGRAM}: as a small program has them. */
const STARTS = [0x40_1000, 0x60_1000, 0x7fff_f000, 0x7f00_0000];

function addressOf(region: SharedRegion, page: number): number {
  return STARTS[PROGRAM.indexOf(region)] + page * PAGE_BYTES;
}

export class PagedShare extends ShareMachine<Process> {
  readonly kernel = new Kernel({ processor: new Core(new Mmu({ ram: new Ram({ bytes: RAM_BYTES }) })) });
  readonly #program: OpenFile;

  constructor() {
    super();
    const { files } = this.kernel;
    this.#program = files.open('program', 'disk');
    files.write(this.#program, 0, new Uint8Array(PAGE_BYTES).fill(0xc3));
  }

  protected override get running(): ReadonlyMap<number, Process> {
    return this.kernel.processes;
  }

  protected override spawn(): Process | number {
    return this.kernel.trySpawn();
  }

  protected override load(process: Process): number {
    for (const region of PROGRAM) {
      const isCode = region.rights === 'r-x';
      const result = this.kernel.mmap(process, {
        address: addressOf(region, 0),
        length: region.pages * PAGE_BYTES,
        prot: f.PROT_READ | (isCode ? f.PROT_EXEC : f.PROT_WRITE),
        flags: f.MAP_FIXED | (region.shared ? f.MAP_SHARED : f.MAP_PRIVATE) | (isCode ? 0 : f.MAP_ANONYMOUS),
        file: isCode ? this.#program : null,
        offset: 0,
      });
      if (result < 0) return result;
    }
    return 0;
  }

  protected override fork(process: Process): Process | number {
    return this.kernel.fork(process);
  }

  protected override clear(process: Process): number {
    return this.kernel.exec(process);
  }

  protected override exit(process: Process): void {
    this.kernel.exit(process);
  }

  protected override read(process: Process, region: SharedRegion, page: number): number {
    return this.kernel.load(process, addressOf(region, page), 1);
  }

  protected override write(process: Process, region: SharedRegion, page: number, byte: number): number {
    return this.kernel.store(process, addressOf(region, page), 1, byte);
  }

  protected override totals(): Readonly<Record<string, number>> {
    const { counters, processes } = this.kernel;
    let tables = 0;
    for (const { space } of processes.values()) tables += space?.tables ?? 0;
    return {
      faults: counters.minorFaults + counters.majorFaults + counters.failedFaults,
      copies: counters.cowFaults,
      're-uses': counters.reuseFaults,
      'bytes copied': counters.bytesCopied,
      'entries copied by fork': counters.forkEntriesCopied,
      'page tables': tables,
      'TLB pages dropped': counters.invlpg,
      'TLB flushes': counters.fullFlushes + counters.switches,
    };
  }

  protected override explain(before: Readonly<Record<string, number>>): string {
    const now = this.totals();
    const rose = (name: string): boolean => now[name] > before[name];
    if (rose('copies')) return 'page fault, and the kernel copies the page, because others have it too';
    if (rose('re-uses'))
      return 'page fault, but nobody else has the page: it becomes writable in place, nothing is copied';
    return rose('faults') ? 'page fault, and the kernel brings the page' : 'no fault';
  }

  protected override nameOf(result: number): string {
    return errnoName(result);
  }

  override get processes(): readonly ProcessDrawing[] {
    return [...this.kernel.processes.values()].map((process) => {
      const { tables = 0, root = 0 } = process.space ?? {};
      return {
        pid: process.pid,
        parent: process.parent?.pid ?? null,
        tables: `${countOf(tables, 'page table')}, ${(tables * PAGE_BYTES) / 1024} KiB; CR3 ${toHex(addressOfFrame(root))}`,
        rows: PROGRAM.flatMap((region) =>
          Array.from({ length: region.pages }, (_, page) => this.#row(process, region, page)),
        ),
      };
    });
  }

  #row({ space }: Process, region: SharedRegion, page: number): Row {
    const address = addressOf(region, page);
    const { tables } = this.kernel.memory;
    const at = space === null ? -1 : tables.find(space, address, 12);
    const low = at < 0 ? 0 : tables.words[at];
    const row = { region, page, place: toHex(address) };
    if ((low & PTE_P) === 0) {
      return { ...row, entry: at < 0 ? 'no page table' : 'PTE: P = 0', state: 'absent', to: null };
    }
    const flags = [
      ['P', PTE_P],
      ['R/W', PTE_RW],
      ['A', PTE_A],
      ['D', PTE_D],
    ] as const;
    const set = flags.filter(([, bit]) => (low & bit) !== 0).map(([name]) => name);
    const writable = (low & PTE_RW) !== 0;
    const mayWrite = region.rights === 'rw-' && !region.shared;
    return {
      ...row,
      entry: `PTE: ${set.join(' ')}`,
      state: writable ? 'writable' : mayWrite ? 'copy on write' : 'read-only',
      to: String(tables.frameAt(at)),
    };
  }

  /** The frames mapped by any process. */
  override get memory(): readonly Piece[] {
    const { memory } = this.kernel;
    const named = this.processes.flatMap(({ rows }) => rows.flatMap(({ to }) => (to === null ? [] : [Number(to)])));
    return [...new Set(named)]
      .sort((a, b) => a - b)
      .map((frame) => ({
        id: String(frame),
        title: `frame ${toHex(frame)}`,
        about: this.#kindOf(frame),
        count: memory.isZeroFrame(frame)
          ? named.filter((one) => one === frame).length
          : memory.frames.mappingsOf(frame),
        byte: memory.ram.load8(highWordOfFrame(frame), lowWordOfFrame(frame)),
      }));
  }

  #kindOf(frame: number): string {
    const { memory } = this.kernel;
    if (memory.isZeroFrame(frame)) return 'the zero page';
    if ((memory.frames.flags[frame] & FRAME_ANON) !== 0) return 'private';
    return memory.objects.get(memory.frames.owner[frame])?.kind === 'disk' ? 'of the program file' : 'shared memory';
  }
}
