/**
 * A logical processor for segmented programs: instructions with a selector and an offset.
 *
 * A load or store is the pair `MOV sreg, selector` and `MOV sreg:[offset]`; the first is left out while the register
 * holds the selector already, so a change of a descriptor in memory counts only after a reload. An instruction that
 * faults is made again from the start when the handler says so.
 */

import { FETCH, READ, WRITE } from '../../base/access.js';
import { Core } from '../core.js';
import { OK } from '../../base/fault.js';
import type { FaultRecord } from '../../base/fault.js';
import type { Mmu } from '../mmu.js';
import { ACCESSED, requestedLevel } from './descriptor.js';
import { farCall, farJump } from './far-transfer.js';
import { loadSegment } from './load.js';
import { CS, DS, SEGMENT_NAMES, SegmentRegister, SS } from './register.js';
import { DescriptorCopy, OUTSIDE_TABLE, SegmentationUnit } from './unit.js';

/** Instructions beside {@link READ}, {@link WRITE} and {@link FETCH}: far CALL through a pointer in memory, far RET. */
export const CALL = 8;
export const RETURN = 9;

/** {@link SegmentedCore.targetSelector} until there is one; no 16-bit selector. */
const NO_TARGET = -1;

/** Bytes pushed by a 32-bit far CALL: CS in a doubleword, and EIP. */
export const FAR_FRAME = 8;

export class SegmentedCore extends Core {
  readonly unit: SegmentationUnit;
  /**
   * The instruction in progress, as a kernel decodes it at CS:EIP: its kind ({@link READ},
   * {@link WRITE}, {@link FETCH}, {@link CALL}, {@link RETURN}), through which register, selector and offset.
   */
  instruction: number = READ;
  segment = DS;
  selector = 0;
  offset = 0;
  size = 0;
  /** The target of a CALL or RET, once its pointer has been read; {@link NO_TARGET} before. */
  targetSelector = NO_TARGET;
  targetOffset = 0;
  /** The selector for SS after CALL and RET. */
  stackSelector = 0;
  /** Segment registers loaded since the core was made. */
  segmentLoads = 0;
  #valueLo = 0;
  #valueHi = 0;
  /** The selector for CS before the next instruction, because a reload of it faulted; 0 for none. */
  #codeWanted = 0;

  constructor(mmu: Mmu) {
    super(mmu);
    this.unit = new SegmentationUnit(mmu);
  }

  /** Loads 1, 2, 4 or 8 bytes into `mmu.valueLo` and `valueHi`. @returns OK, or the status of a fault not handled. */
  loadFrom(segment: number, selector: number, offset: number, size: number): number {
    return this.#execute(READ, segment, selector, offset, size);
  }

  /** Stores 1, 2, 4 or 8 bytes of two words, all or nothing. @returns OK, or the status of a fault not handled. */
  storeTo(segment: number, selector: number, offset: number, size: number, valueHi: number, valueLo: number): number {
    this.#valueHi = valueHi;
    this.#valueLo = valueLo;
    return this.#execute(WRITE, segment, selector, offset, size);
  }

  /** Jumps to `selector:offset` and fetches `size` bytes there. @returns OK, or the status of a fault not handled. */
  fetchFrom(selector: number, offset: number, size: number): number {
    return this.#execute(FETCH, CS, selector, offset, size);
  }

  /** CALL m16:32: the far pointer (offset, then selector) lies at `selector:offset` through DS. */
  callThrough(selector: number, offset: number): number {
    return this.#execute(CALL, DS, selector, offset, 4);
  }

  /** RETF to code of the same level. Source: Intel SDM vol. 2, "RET—Return From Procedure". */
  farReturn(): number {
    return this.#execute(RETURN, SS, this.stackSelector, this.unit.spLo, FAR_FRAME);
  }

  /** Goes on at `selector:offset`, as IRET to a program does. @returns OK, or the status of the fault. */
  enterAt(selector: number, offset: number): number {
    const { unit } = this;
    const { cpl } = unit;
    unit.cpl = requestedLevel(selector);
    const status = farJump(unit, selector, 0, offset, 4);
    unit.cpl = cpl;
    if (status < 0) return status;
    this.segmentLoads++;
    this.#codeWanted = 0;
    return OK;
  }

  /** Points the stack of the CALLs and RETs to come at `selector:pointer`; SS is loaded with the first of them. */
  setStack(selector: number, pointer: number): void {
    this.stackSelector = selector;
    this.unit.spLo = pointer;
  }

  /**
   * Reloads the registers with `selector`, as a kernel does on its way back to the program (POP DS, or IRET for CS
   * and SS). A register is left empty if its load would fault: its next use, for CS the next instruction, makes the
   * load, and the fault.
   * @returns how many registers held it
   */
  reload(selector: number): number {
    const { unit } = this;
    const { cpl, ipLo } = unit;
    let count = 0;
    unit.cpl = requestedLevel(selector);
    for (const register of unit.segments) {
      if (register.selector !== selector) continue;
      count++;
      register.loadNull(0);
      const status = this.#hold(register.number, selector);
      if (register.number === CS && status < 0) this.#codeWanted = selector;
    }
    unit.cpl = cpl;
    unit.ipLo = ipLo;
    return count;
  }

  /** Empties all segment registers, as a kernel does before another program runs. */
  forgetSegments(): void {
    for (const register of this.unit.segments) register.loadNull(0);
    this.#codeWanted = 0;
  }

  /** Registers with another hidden part than their descriptor says now, in words: for audits, not for programs. */
  staleRegisters(): string[] {
    const fresh = new SegmentRegister(DS);
    const copy = new DescriptorCopy();
    return this.unit.segments.flatMap((register) => {
      if (!register.usable || register.selector === 0) return [];
      const name = SEGMENT_NAMES[register.number];
      const found = this.unit.readDescriptor(register.selector, 8, copy);
      if (found === OUTSIDE_TABLE || found < 0) return [`${name} holds a descriptor that its table no longer has`];
      fresh.load(register.selector, copy.hi | ACCESSED, copy.lo);
      const same =
        fresh.baseLo === register.baseLo &&
        fresh.first === register.first &&
        fresh.last === register.last &&
        (fresh.attributes | ACCESSED) === (register.attributes | ACCESSED);
      return same ? [] : [`${name} holds an old descriptor of selector ${register.selector}`];
    });
  }

  protected override deliver(tries: number, fault: FaultRecord): number {
    const { unit } = this;
    const { cpl } = unit;
    unit.cpl = 0;
    const end = super.deliver(tries, fault);
    unit.cpl = cpl;
    return end;
  }

  #execute(instruction: number, segment: number, selector: number, offset: number, size: number): number {
    this.instruction = instruction;
    this.segment = segment;
    this.selector = selector;
    this.offset = offset;
    this.size = size;
    this.unit.cpl = this.cpl;
    for (let tries = 0; ; tries++) {
      const status = this.#attempt();
      if (status >= 0) return status;
      const end = this.deliver(tries, this.unit.fault);
      if (end < 0) return end;
    }
  }

  #attempt(): number {
    const { unit, segment, offset, size } = this;
    this.targetSelector = NO_TARGET;
    const fetched = this.#codeWanted === 0 ? OK : this.enterAt(this.#codeWanted, unit.ipLo);
    if (fetched < 0) return fetched;
    const held = this.#hold(segment, this.selector);
    if (held < 0) return held;
    if (this.instruction === RETURN) return this.#return();
    if (this.instruction === WRITE) return unit.write(segment, 0, offset, size, this.#valueHi, this.#valueLo);
    if (this.instruction === FETCH) return unit.fetch(0, offset, size);
    if (this.instruction === READ) return unit.read(segment, 0, offset, size);
    return this.#call();
  }

  /** Makes `segment` hold `selector`: a load, unless it does. CS is loaded by a far jump. */
  #hold(segment: number, selector: number): number {
    const { unit } = this;
    if (unit.segments[segment].selector === selector) return OK;
    const entry = this.instruction === FETCH ? this.offset : 0;
    const status = segment === CS ? farJump(unit, selector, 0, entry, 4) : loadSegment(unit, segment, selector);
    if (status >= 0) this.segmentLoads++;
    return status;
  }

  #call(): number {
    const { unit } = this;
    const pointer = this.#readPointer(DS, this.offset);
    if (pointer < 0) return pointer;
    const held = this.#hold(SS, this.stackSelector);
    if (held < 0) return held;
    const status = farCall(unit, this.targetSelector, 0, this.targetOffset, 4);
    if (status >= 0) this.segmentLoads++;
    return status;
  }

  #return(): number {
    const { unit } = this;
    const pointer = this.#readPointer(SS, unit.spLo);
    if (pointer < 0) return pointer;
    const status = farJump(unit, this.targetSelector, 0, this.targetOffset, 4);
    if (status < 0) return status;
    this.segmentLoads++;
    unit.spLo = (unit.spLo + FAR_FRAME) | 0;
    return OK;
  }

  /** Reads a far pointer into `targetOffset` and `targetSelector`. */
  #readPointer(segment: number, offset: number): number {
    const { unit } = this;
    let status = unit.read(segment, 0, offset, 4);
    if (status < 0) return status;
    this.targetOffset = unit.memory.valueLo;
    status = unit.read(segment, 0, (offset + 4) | 0, 2);
    this.targetSelector = unit.memory.valueLo & 0xffff;
    return status;
  }
}
