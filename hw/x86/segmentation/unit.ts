/**
 * The segmentation unit: its registers, and the path of an access from a logical address to memory.
 *
 * Instructions that load segments are functions over this unit, in the files beside it: load.ts (MOV), far-transfer.ts
 * (JMP, CALL), call-gate.ts, table-registers.ts (LGDT, LLDT, LTR), query.ts (LAR, LSL, VERR, VERW). They check everything
 * first and change registers last: a fault leaves the unit as it was.
 */

import { highWordAfter } from '../../base/address.js';
import { FETCH, IMPLICIT, READ, USER, WRITE } from '../../base/access.js';
import { checkKind, checkSize, objectWith } from '../../base/arguments.js';
import { FaultRecord, OK } from '../../base/fault.js';
import { GENERAL_PROTECTION } from '../exception.js';
import { CR0_PE, EFER_LMA } from '../registers.js';
import { ACCESSED, namesLdt } from './descriptor.js';
import { CS, DS, ES, FS, GS, SegmentRegister, SS, TableRegister } from './register.js';
import type { LinearMemory } from './linear-memory.js';
import { readWrapped, writeWrapped } from './wrap.js';

/** The mode; segments work by it. Source: SDM vol. 3A, "Modes of Operation". */
export type SegmentationMode = 'real' | 'virtual-8086' | 'protected' | 'compatibility' | '64-bit';

/** A descriptor as read from a table, and its place. */
export class DescriptorCopy {
  hi = 0;
  lo = 0;
  /** The second half of a 16-byte descriptor. */
  upperHi = 0;
  upperLo = 0;
  /** Linear address of the first byte. */
  addressHi = 0;
  addressLo = 0;
}

/** The fields of a call gate. */
interface GateEntry {
  selector: number;
  hi: number;
  lo: number;
  /** Slots to copy from the caller's stack. */
  parameters: number;
  /** Bytes of a slot. */
  size: 2 | 4 | 8;
}

/** {@link SegmentationUnit.readDescriptor}: the selector points past its table, and nothing was read. */
export const OUTSIDE_TABLE = 1;

const MEMORY = objectWith('isCanonical', 'an Mmu, such as new Mmu({ ram })');

/** Segment registers and descriptor tables of one processor, in front of its linear memory. */
export class SegmentationUnit {
  /** Details of the last status below 0, page faults of the memory behind included. */
  readonly fault = new FaultRecord();
  /** ES, CS, SS, DS, FS and GS, by their numbers. */
  readonly segments: readonly SegmentRegister[] = [ES, CS, SS, DS, FS, GS].map((n) => new SegmentRegister(n));
  readonly cs: SegmentRegister;
  readonly ss: SegmentRegister;
  readonly gdtr = new TableRegister();
  readonly ldtr = new TableRegister();
  readonly tr = new TableRegister();
  /** Current privilege level, 0 to 3. */
  cpl = 0;
  /** RFLAGS.VM; see {@link SegmentationUnit.enterVirtual8086}. */
  vm = false;
  /** RIP and RSP. Far transfers replace them; between those the runner of instructions keeps them up to date. */
  ipHi = 0;
  ipLo = 0;
  spHi = 0;
  spLo = 0;
  /** Value of the last LAR or LSL with a visible descriptor. */
  result = 0;
  /** The descriptor read by an instruction in progress. @internal */
  readonly descriptor = new DescriptorCopy();
  /** The descriptor of the code it goes to. @internal */
  readonly target = new DescriptorCopy();
  /** The descriptor of an inner level's stack. @internal */
  readonly innerDescriptor = new DescriptorCopy();
  /** The stack itself. @internal */
  readonly innerStack = new SegmentRegister(SS);
  /** Its pointer. @internal */
  readonly innerPointer = { hi: 0, lo: 0 };
  /** A gate's entry point. @internal */
  readonly entry: GateEntry = { selector: 0, hi: 0, lo: 0, parameters: 0, size: 4 };
  /** Linear address of the last access to pass the segment checks. */
  linearHi = 0;
  linearLo = 0;

  /** @throws TypeError for anything but an Mmu */
  constructor(readonly memory: LinearMemory) {
    checkKind('SegmentationUnit: memory', memory, MEMORY);
    this.cs = this.segments[CS];
    this.ss = this.segments[SS];
    // After reset the IVT lies at 0; LGDT sets a table before protected mode is switched on.
    this.gdtr.set(0, 0, 0, 0xffff);
  }

  /** IA-32e mode is active (EFER.LMA), be it 64-bit or compatibility mode. */
  get longModeActive(): boolean {
    return (this.memory.efer & EFER_LMA) !== 0;
  }

  /** The mode by the registers. */
  get mode(): SegmentationMode {
    if ((this.memory.cr0 & CR0_PE) === 0) return 'real';
    if (this.vm) return 'virtual-8086';
    if (!this.longModeActive) return 'protected';
    return this.cs.isLong ? '64-bit' : 'compatibility';
  }

  /** Real-address or virtual-8086 mode: a segment is selector x 16. */
  get is8086(): boolean {
    return (this.memory.cr0 & CR0_PE) === 0 || this.vm;
  }

  /** 64-bit mode: CS has L = 1, and IA-32e mode is active. */
  get is64Bit(): boolean {
    return this.longModeActive && this.cs.isLong;
  }

  /** Raises a fault with a selector as its error code: bits 15:2, the EXT bit clear. SDM vol. 3A, "Error Code". */
  refuse(status: number, selector: number): number {
    return this.fault.raise(status, selector & 0xfffc, 0, 0);
  }

  /** Takes over a fault of the memory behind. */
  passOn(status: number): number {
    return this.fault.raiseAgain(status, this.memory.fault);
  }

  /**
   * Checks an access through `register` and leaves its linear address in `linearHi`, `linearLo`.
   *
   * Outside 64-bit mode type and limit are checked and base + offset wraps at 2^32; in 64-bit mode only FS and GS add a
   * base, and whether the sum is canonical is the memory's to say. An operand that runs past offset 2^32 - 1 is refused:
   * with the limit at its largest, processors differ.
   * Source: SDM vol. 3A, "Limit Checking", "Type Checking" and "Segmentation in 64-Bit Mode".
   * @returns OK, or #GP(0), or #SS(0) through SS.
   */
  toLinear(register: SegmentRegister, offsetHi: number, offsetLo: number, size: number, access: number): number {
    if (this.is64Bit) {
      const based = register.keepsBaseIn64;
      this.linearLo = based ? (register.baseLo + offsetLo) | 0 : offsetLo;
      this.linearHi = based
        ? (highWordAfter(register.baseHi, register.baseLo, offsetLo >>> 0) + offsetHi) | 0
        : offsetHi;
      return OK;
    }
    this.linearHi = 0;
    this.linearLo = (register.baseLo + offsetLo) | 0;
    if (register.allows(access) && register.covers(offsetLo, size)) return OK;
    return this.fault.raise(register.faultStatus, 0, 0, this.linearLo);
  }

  /** A status of the memory, as an access through `register` sees it: non-canonical through SS is #SS(0). */
  settle(register: SegmentRegister, status: number): number {
    if (status >= 0) return status;
    return this.passOn(status === GENERAL_PROTECTION ? register.faultStatus : status);
  }

  /** The access bits of the current privilege level: {@link USER} at CPL 3. */
  get levelBits(): number {
    return this.cpl === 3 ? USER : 0;
  }

  /** Whether the operand just located runs past 4 GiB in compatibility mode; outside IA-32e mode the memory wraps. */
  #straddles(size: number): boolean {
    return (this.linearLo >>> 0) + size > 2 ** 32 && this.longModeActive && !this.cs.isLong;
  }

  /** Reads `size` bytes (1, 2, 4 or 8) at segment:offset; the value is then in `memory.valueLo` and `valueHi`. */
  read(segment: number, offsetHi: number, offsetLo: number, size: number): number {
    const register = this.segments[segment];
    checkSize(size);
    const status = this.toLinear(register, offsetHi, offsetLo, size, READ);
    if (status < 0) return status;
    const { memory, linearHi, linearLo, levelBits } = this;
    if (this.#straddles(size)) return this.settle(register, readWrapped(memory, linearLo, size, levelBits));
    return this.settle(register, memory.read(linearHi, linearLo, size, levelBits));
  }

  /** Writes `size` bytes (1, 2, 4 or 8) at segment:offset, or faults with nothing written. */
  write(segment: number, offsetHi: number, offsetLo: number, size: number, valueHi: number, valueLo: number): number {
    const register = this.segments[segment];
    checkSize(size);
    const status = this.toLinear(register, offsetHi, offsetLo, size, WRITE);
    if (status < 0) return status;
    const access = WRITE | this.levelBits;
    const { memory, linearHi, linearLo } = this;
    return this.settle(
      register,
      this.#straddles(size)
        ? writeWrapped(memory, linearLo, size, valueHi, valueLo, access)
        : memory.write(linearHi, linearLo, size, valueHi, valueLo, access),
    );
  }

  /** Fetches an instruction of `size` bytes at CS:offset. */
  fetch(offsetHi: number, offsetLo: number, size: number): number {
    checkSize(size);
    const status = this.toLinear(this.cs, offsetHi, offsetLo, size, FETCH);
    if (status < 0) return status;
    const { memory, linearHi, linearLo } = this;
    const access = FETCH | this.levelBits;
    if (this.#straddles(size)) return this.settle(this.cs, readWrapped(memory, linearLo, size, access));
    return this.settle(this.cs, memory.fetch(linearHi, linearLo, size, access));
  }

  /**
   * Sets RFLAGS.VM, as IRET does at CPL 0: CPL becomes 3 and every segment selector x 16.
   * `selectors` are those of ES, CS, SS, DS, FS and GS, in this order.
   */
  enterVirtual8086(selectors: readonly number[]): void {
    this.vm = true;
    this.cpl = 3;
    for (const register of this.segments) register.load8086(selectors[register.number]);
  }

  /** Reads a table or a TSS at a linear address, as the processor itself: an implicit supervisor access. */
  readSystem(hi: number, lo: number, size: number): number {
    const status = this.memory.read(hi, lo, size, READ | IMPLICIT);
    return status < 0 ? this.passOn(status) : OK;
  }

  /** Writes a byte of a descriptor, as the processor itself. */
  private writeSystem(hi: number, lo: number, value: number): number {
    const status = this.memory.write(hi, lo, 1, 0, value, WRITE | IMPLICIT);
    return status < 0 ? this.passOn(status) : OK;
  }

  /** Bytes `offset` after the base of a table, into `copy`'s address. Outside IA-32e mode it wraps at 2^32. */
  #locate(table: TableRegister, offset: number, copy: DescriptorCopy): void {
    copy.addressHi = this.longModeActive ? highWordAfter(table.baseHi, table.baseLo, offset) : 0;
    copy.addressLo = (table.baseLo + offset) | 0;
  }

  /**
   * Reads the descriptor named by `selector`, 8 bytes or 16, into `copy`.
   * @returns OK, {@link OUTSIDE_TABLE}, or the fault in reading the table.
   * @internal
   */
  readDescriptor(selector: number, bytes: 8 | 16, copy: DescriptorCopy): number {
    const table = namesLdt(selector) ? this.ldtr : this.gdtr;
    const offset = selector & 0xfff8;
    if (offset + bytes - 1 > table.limit) return OUTSIDE_TABLE;
    this.#locate(table, offset, copy);
    const status = this.readSystem(copy.addressHi, copy.addressLo, 8);
    if (status < 0) return status;
    copy.hi = this.memory.valueHi;
    copy.lo = this.memory.valueLo;
    if (bytes === 16) {
      const upperHi = highWordAfter(copy.addressHi, copy.addressLo, 8);
      const upperStatus = this.readSystem(upperHi, (copy.addressLo + 8) | 0, 8);
      if (upperStatus < 0) return upperStatus;
      copy.upperHi = this.memory.valueHi;
      copy.upperLo = this.memory.valueLo;
    }
    return OK;
  }

  /** Sets bits of the type byte of a descriptor, in memory and in `copy`, unless they are set. @internal */
  mark(copy: DescriptorCopy, bits: number): number {
    if ((copy.hi & bits) === bits) return OK;
    const typeByte = ((copy.hi | bits) >>> 8) & 0xff;
    const status = this.writeSystem(
      highWordAfter(copy.addressHi, copy.addressLo, 5),
      (copy.addressLo + 5) | 0,
      typeByte,
    );
    if (status < 0) return status;
    copy.hi |= bits;
    return OK;
  }

  /** Sets the accessed bit, as loading a segment register does. Source: SDM vol. 3A, "Code- and Data-Segment Descriptor Types". @internal */
  markAccessed(copy: DescriptorCopy): number {
    return this.mark(copy, ACCESSED);
  }
}
