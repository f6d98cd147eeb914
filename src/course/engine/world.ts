/**
 * The machine of one program, and the frames and slots of the student's kernel. All that a handler does to them is a
 * named action with plain numbers: so it can be written down in one process, and done again in another.
 */

import { highWord, lowWord, Ram, READ, toHex, toNumber, USER, WRITE } from '../../../hw/index.js';
import type { JournaledStore } from '../../../hw/index.js';
import type { CourseKernel, CourseProcess, Sv39Processor, X86Processor } from './student.js';
import { FindingError } from './finding.js';
import { buildHardware, entryAddress } from './machines.js';
import type { CourseMachineName, Hardware } from './machines.js';
import { Stock } from './stock.js';

/** What the engine calls handlers with: the names of both processors, and those of one behind them. */
export type AnyProcessor = X86Processor & Sv39Processor;

/** A machine's size and habits. */
export interface WorldOptions {
  readonly machine: CourseMachineName;
  readonly frames: number;
  /** None when absent. */
  readonly slots?: number;
  /** A TLB, in checking mode. */
  readonly tlb?: boolean;
  /** The processor walks ahead: just after an invalidation it may load the translation again. */
  readonly walksAhead?: boolean;
}

/** The actions of one call before it is given up: a right handler needs some thousand. */
const MOST_ACTIONS = 50_000;
/** Fills every frame and slot that is new, or given back: in a table it looks like an entry. */
const GARBAGE = 0x2b5b_5b5b;
/** The same as an entry of 8 bytes: within 53 bits. */
const GARBAGE_HIGH = 0x5b5b;
export const GARBAGE_ENTRY = toNumber(GARBAGE_HIGH, GARBAGE);

/** One machine, as the engine and the student's functions have it. */
export class World {
  readonly ram: Ram;
  readonly hardware: Hardware;
  readonly frames: Stock;
  readonly slots: Stock;
  readonly kernel: CourseKernel<AnyProcessor>;
  readonly processes: CourseProcess[] = [];
  /** Set by the engine: the function to ask when no frame is free. */
  evict: (() => void) | null = null;
  /** Frames allocated since the engine set it to 0. */
  allocations = 0;
  /** The first misuse: a handler may catch its error. */
  misuse: FindingError | null = null;
  /** Whether `evict` is at work. */
  evicting = false;
  /** The frame of an empty root, for the processor without a process; no student's. */
  readonly idleRoot = 1;
  private readonly disk: Int32Array;
  private readonly walksAhead: boolean;
  /** Actions since the engine called. */
  actions = 0;
  /** Pages accessed lately, for the walks ahead. */
  private readonly recent: number[] = [];

  constructor({ machine, frames, slots = 0, tlb = false, walksAhead = false }: WorldOptions) {
    this.ram = new Ram({ bytes: frames * 4096 });
    this.ram.keepJournal();
    this.hardware = buildHardware(machine, this.ram, tlb);
    this.hardware.writeRoot(this.idleRoot);
    this.frames = new Stock('frame', 2, frames);
    this.slots = new Stock('slot', 0, slots);
    this.disk = new Int32Array(slots * 1024).fill(GARBAGE);
    this.walksAhead = walksAhead;
    this.kernel = this.buildKernel(frames, slots);
  }

  /** The names in the journal of stores: which function, in which operation. */
  get label(): string {
    return this.ram.storeLabel;
  }
  set label(text: string) {
    this.ram.storeLabel = text;
  }

  /** The entry at a physical address, as the engine looks at it. */
  entryAt(address: number): number {
    const { words } = this.ram;
    return toNumber(words[address / 4 + 1], words[address / 4]);
  }

  /** The last store of an entry. */
  storeTo(address: number): JournaledStore | undefined {
    return this.ram.lastStore(address / 4);
  }

  /** The last-level entry of an address by the tables below `root`: its address, or -1 without such a table. */
  lastEntry(root: number, address: number): number {
    const { words } = this.hardware;
    let table = root;
    for (let level = words.levels - 1; level > 0; level--) {
      const entry = this.entryAt(entryAddress(table, address, level));
      if (!words.isPresent(entry) || !this.ram.hasFrame(words.frameOf(entry))) return -1;
      table = words.frameOf(entry);
    }
    return entryAddress(table, address, 0);
  }

  /**
   * One byte read or written in user mode: its status; a byte read is in `byteRead` then.
   * @param value the byte to write, or undefined
   */
  access(address: number, value?: number): number {
    const { mmu } = this.hardware;
    const [hi, lo] = [highWord(address), lowWord(address)];
    return value === undefined ? mmu.read(hi, lo, 1, READ | USER) : mmu.write(hi, lo, 1, 0, value, WRITE | USER);
  }

  get byteRead(): number {
    return this.hardware.mmu.valueLo & 0xff;
  }

  /** Notes an access, for the walks ahead. */
  accessed(address: number): void {
    const page = address - (address % 4096);
    if (!this.recent.includes(page)) this.recent.push(page);
  }

  private buildKernel(frames: number, slots: number): CourseKernel<AnyProcessor> {
    const { registers, instructions } = this.hardware;
    const machine = {
      frames,
      ...this.named({
        load: (address) => this.load(address),
        store: (address, entry) => {
          this.store(address, entry);
        },
        zeroFrame: (frame) => {
          this.ram.zeroFrames(this.owned(frame));
        },
        copyFrame: (from, to) => {
          this.ram.copyFrame(this.owned(from), this.owned(to));
        },
        writeSlot: (slot, frame) => {
          this.writeSlot(slot, frame);
        },
        readSlot: (slot, frame) => {
          this.readSlot(slot, frame);
        },
        ...instructions,
      }),
    };
    for (const [name, read] of Object.entries(registers)) Object.defineProperty(machine, name, { get: read });
    return {
      machine: machine as unknown as AnyProcessor,
      processes: this.processes,
      ...(this.named({
        allocate: () => this.allocate(),
        free: (frame) => {
          this.free(frame);
        },
        allocateSlot: () => this.allocateSlot(),
        freeSlot: (slot) => {
          this.slots.give(slot, this.label);
          this.disk.fill(GARBAGE, slot * 1024, (slot + 1) * 1024);
        },
      }) as unknown as Pick<CourseKernel, 'allocate' | 'free' | 'allocateSlot' | 'freeSlot'>),
      frameUsers: new Int32Array(frames),
      slotUsers: new Int32Array(slots),
      own: {},
    };
  }

  /** Actions with their arguments checked, counted, and their first misuse kept. */
  private named(actions: Readonly<Record<string, (...operands: number[]) => unknown>>): Record<string, unknown> {
    const checked = Object.entries(actions).map(([name, act]) => [
      name,
      (...operands: unknown[]) => {
        if (++this.actions > MOST_ACTIONS) {
          throw this.kept(
            new FindingError('no end', `it makes no end: ${MOST_ACTIONS} loads, stores and the like in one call`),
          );
        }
        for (const value of operands.length < act.length ? [undefined] : operands) {
          if (Number.isSafeInteger(value) && Number(value) >= 0) continue;
          // SFENCE.VMA alone goes without operands.
          if (value === undefined && act.length === 0) continue;
          const why = 'addresses, frames and entries are whole numbers from 0 up, no BigInt';
          throw this.kept(new FindingError('misuse', `${name}(${operands.map(String).join(', ')}): ${why}`));
        }
        try {
          const value = act(...(operands as number[]));
          this.walkAhead(name, operands as number[]);
          return value;
        } catch (error) {
          throw error instanceof FindingError ? this.kept(error) : error;
        }
      },
    ]);
    return Object.fromEntries(checked) as Record<string, unknown>;
  }

  /** A misuse, with the call that made it; the first one is kept. */
  private kept(error: FindingError): FindingError {
    const { kind, message, isPlaced } = error;
    const found = isPlaced ? error : new FindingError(kind, `${this.label}: ${message}`, true);
    this.misuse ??= found;
    return found;
  }

  /** A frame allocated by somebody. */
  private owned(frame: number): number {
    this.frames.check(frame, 'used');
    return frame;
  }

  private entryIn(address: number): number {
    if (address % 8 !== 0) throw new FindingError('misuse', `an entry at ${toHex(address)}: not a multiple of 8`);
    if (this.ram.has(highWord(address), lowWord(address), 8)) return address;
    if (Math.floor(address / 4096) !== this.hardware.words.frameOf(GARBAGE_ENTRY)) {
      throw new FindingError('misuse', `no RAM at ${toHex(address)}`);
    }
    const why = `${toHex(GARBAGE_ENTRY)} was taken for an entry: that is what a new frame holds until it is cleared`;
    throw new FindingError('bad table', `no RAM at ${toHex(address)}; ${why}`);
  }

  private load(address: number): number {
    return this.entryAt(this.entryIn(address));
  }

  private store(address: number, entry: number): void {
    const { words } = this.hardware;
    this.owned(Math.floor(this.entryIn(address) / 4096));
    const before = this.entryAt(address);
    if (this.evicting && words.isPresent(before) && !words.isPresent(entry) && (before & words.accessed) !== 0) {
      const what = `the entry at ${toHex(address)} was emptied with its accessed bit set (${toHex(before)})`;
      this.kept(
        new FindingError('used page evicted', `evict took a page used since the clock's hand came by: ${what}`),
      );
    }
    this.ram.store64(highWord(address), lowWord(address), highWord(entry), lowWord(entry));
  }

  private allocate(): number {
    this.allocations++;
    let frame = this.frames.take(this.label);
    if (frame < 0 && this.evict !== null && !this.evicting) {
      this.evicting = true;
      this.evict();
      this.evicting = false;
      frame = this.frames.take(this.label);
    }
    if (frame < 0) throw new FindingError('misuse', `allocate(): all ${this.frames.takenBy.size} frames are in use`);
    this.spoil(frame);
    return frame;
  }

  private free(frame: number): void {
    this.frames.give(frame, this.label);
    this.spoil(frame);
  }

  /** Fills a frame with garbage: nobody may rely on what is in there. */
  private spoil(frame: number): void {
    const { words } = this.ram;
    for (let i = frame * 1024; i < (frame + 1) * 1024; i += 2) {
      words[i] = GARBAGE;
      words[i + 1] = GARBAGE_HIGH;
    }
  }

  private allocateSlot(): number {
    const slot = this.slots.take(this.label);
    if (slot >= 0) return slot;
    const why = 'all are allocated, and there are as many as pages of all processes: some were not given back';
    throw new FindingError('leaked slot', `allocateSlot(): no slot is free: ${why}`);
  }

  private writeSlot(slot: number, frame: number): void {
    this.slots.check(slot, 'written');
    const from = this.owned(frame) * 1024;
    this.disk.set(this.ram.words.subarray(from, from + 1024), slot * 1024);
  }

  private readSlot(slot: number, frame: number): void {
    this.slots.check(slot, 'read');
    this.ram.words.set(this.disk.subarray(slot * 1024, (slot + 1) * 1024), this.owned(frame) * 1024);
  }

  /**
   * After an instruction that invalidates. A processor may cache translations at any time, also for accesses never made.
   * Source: Intel SDM vol. 3A, "Caching Translation Information"; RISC-V privileged specification, "Supervisor
   * Memory-Management Fence Instruction".
   */
  private walkAhead(name: string, [address]: readonly (number | undefined)[]): void {
    // A write of satp invalidates nothing.
    if (!this.walksAhead || name === 'writeSatp' || !Object.hasOwn(this.hardware.instructions, name)) return;
    const { mmu } = this.hardware;
    for (const page of name === 'writeCr3' || address === undefined ? this.recent : [address]) {
      mmu.translate(highWord(page), lowWord(page), READ | USER);
    }
  }
}
