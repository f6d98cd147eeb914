/** A processor and its RAM in a given state, set up as software would: stores, registers, then accesses. */

import { checkOptions, LIST, NUMBER, objectWith, TEXT } from '../../hw/base/arguments.js';
import { toBigInt } from '../../hw/base/address.js';
import { describeException } from '../../hw/x86/describe-exception.js';
import { Mmu } from '../../hw/x86/mmu.js';
import { Ram } from '../../hw/memory/ram.js';
import { makeEptp } from '../../hw/x86/nested/virtual-machines.js';
import {
  CR0_ET,
  CR0_KNOWN,
  CR0_PE,
  CR0_PG,
  CR4_LA57,
  CR4_PAE,
  CR4_PCIDE,
  EFER_LMA,
  EFER_LME,
  EFER_NXE,
} from '../../hw/x86/registers.js';
import { loadGdt, loadLdt, loadTaskRegister } from '../../hw/x86/segmentation/table-registers.js';
import { LONG } from '../../hw/x86/segmentation/descriptor.js';
import { SegmentationUnit } from '../../hw/x86/segmentation/unit.js';
import { writeRegisters } from '../../hw/x86/write-registers.js';
import { loadFlatSegments } from '../conformance/x86/x86-machine.js';
import { StateError, tlbNamed } from './state-form.js';
import { fillRam, hexOfWord, makeAccesses } from './state-setup.js';
import type { MachineState } from './machine-state.js';

/** A processor with its segmentation unit. */
export interface ExplainedMachine {
  readonly mmu: Mmu;
  readonly unit: SegmentationUnit;
}

/** Fields of every state, as parseState fills them in. */
const REQUIRED = {
  ramBytes: { ...NUMBER, words: 'a number, as parseState gives' },
  maxPhysicalBits: NUMBER,
  tlb: TEXT,
  registers: objectWith('pkru', 'an object of registers, as parseState gives'),
  memory: LIST,
  accesses: LIST,
};

/**
 * @throws StateError with the field's name, when the processor or the RAM refuses a value; TypeError for a state that
 *   did not go through parseState
 */
export function buildMachine(state: MachineState): ExplainedMachine {
  checkOptions('buildMachine: state', state, REQUIRED);
  const ram = new Ram({ bytes: state.ramBytes });
  fillRam(ram, state.memory, `; make ramBytes ${state.ramBytes} larger`);
  const mmu = new Mmu({ ram, tlb: tlbNamed(state.tlb), maxPhysicalBits: state.maxPhysicalBits });
  if (state.host === undefined) setRegisters(mmu, state.registers);
  else enterGuest(mmu, state.host, state.registers);
  const unit = new SegmentationUnit(mmu);
  loadFlatSegments(unit, 0);
  if (state.segments !== undefined) setSegments(unit, state.segments);
  makeAccesses(mmu, state.accesses, () => describeException(mmu.fault));
  return { mmu, unit };
}

function setRegisters(mmu: Mmu, wanted: MachineState['registers']): void {
  const { cr0, cr3, cr4, efer } = wanted;
  const values = { cr0: cr0.lo, cr3Hi: cr3.hi, cr3Lo: cr3.lo, cr4: cr4.lo, efer: efer.lo };
  if (writeRegisters(mmu, values) < 0) {
    const name = refusedRegister(mmu, wanted);
    const cause = name === 'cr0' ? ': PG needs PE, IA-32e mode needs PAE, and PAE paging needs good PDPTEs at CR3' : '';
    throw new StateError(`registers.${name}: the processor refuses ${hexOfWord(wanted[name])} with #GP(0)${cause}`);
  }
  mmu.writePkru(wanted.pkru.lo);
  mmu.writePkrs(wanted.pkrs.lo);
  mmu.setAc(wanted.ac);
}

/** Makes the processor a host's, and enters a guest with these registers. */
function enterGuest(mmu: Mmu, host: NonNullable<MachineState['host']>, wanted: MachineState['registers']): void {
  const { tables, root, levels, accessedDirty, modeBasedExecute, noExecute } = host;
  const cr4 = CR4_PAE | (levels === 5 ? CR4_LA57 : 0);
  writeRegisters(mmu, { cr0: CR0_PE | CR0_PG, cr3Hi: 0, cr3Lo: 0, cr4, efer: EFER_LME | (noExecute ? EFER_NXE : 0) });
  mmu.writePkru(wanted.pkru.lo);
  mmu.writePkrs(wanted.pkrs.lo);
  const long = (wanted.efer.lo & EFER_LME) !== 0 && (wanted.cr0.lo & CR0_PG) !== 0;
  const guest = {
    cr0: wanted.cr0.lo,
    cr3: toBigInt(wanted.cr3.hi, wanted.cr3.lo),
    cr4: wanted.cr4.lo,
    efer: (wanted.efer.lo & ~EFER_LMA) | (long ? EFER_LMA : 0),
    ac: wanted.ac,
  };
  const at = toBigInt(root.hi, root.lo);
  const status =
    tables === 'ept'
      ? mmu.vm.vmlaunch({ eptp: makeEptp(at, { levels, accessedDirty }), vpid: 1, modeBasedExecute, guest })
      : mmu.vm.vmrun({ nestedCr3: at, asid: 1, guest });
  if (status < 0) {
    const rule = 'PG needs PE, LME with PG needs PAE, and addresses end at maxPhysicalBits';
    throw new StateError(`registers or host.root: the processor refuses to enter this guest: ${rule}`);
  }
  // PDPTE registers of PAE are in no state: MOV to CR3 loads them as it did in the guest.
  if (mmu.writeCr3(wanted.cr3.hi, wanted.cr3.lo) < 0) {
    throw new StateError(`registers.cr3: ${hexOfWord(wanted.cr3)} ends in ${describeException(mmu.fault)}`);
  }
}

/** The first register, in the order of writing, with another value than it should have. */
function refusedRegister(mmu: Mmu, { cr0, cr4, efer }: MachineState['registers']): 'cr0' | 'cr3' | 'cr4' | 'efer' {
  if (((mmu.efer ^ efer.lo) & ~EFER_LMA) !== 0) return 'efer';
  if (((mmu.cr4 ^ cr4.lo) & ~CR4_PCIDE) !== 0) return 'cr4';
  if (((mmu.cr0 ^ cr0.lo) & CR0_KNOWN & ~CR0_ET) !== 0) return 'cr0';
  return mmu.cr4 === cr4.lo ? 'cr3' : 'cr4';
}

function setSegments(unit: SegmentationUnit, segments: NonNullable<MachineState['segments']>): void {
  const { gdt, ldt, task, cpl, code64 } = segments;
  if (loadGdt(unit, gdt.base.hi, gdt.base.lo, gdt.limit) < 0) {
    throw new StateError(`segments.gdt.base: ${hexOfWord(gdt.base)} is not canonical`);
  }
  if (ldt !== undefined && loadLdt(unit, ldt.lo) < 0) {
    throw new StateError(`segments.ldt: LLDT ${hexOfWord(ldt)} ends in ${describeException(unit.fault)}`);
  }
  if (task !== undefined && loadTaskRegister(unit, task.lo) < 0) {
    throw new StateError(`segments.task: LTR ${hexOfWord(task)} ends in ${describeException(unit.fault)}`);
  }
  loadFlatSegments(unit, cpl);
  if (!code64) unit.cs.attributes &= ~LONG;
  setPlace(unit, segments);
}

/** The program's place: a far call pushes it. */
function setPlace(unit: SegmentationUnit, segments: NonNullable<MachineState['segments']>): void {
  const { code, stack, instructionPointer, stackPointer } = segments;
  if (code !== undefined) unit.cs.selector = code.lo & 0xffff;
  if (stack !== undefined) unit.ss.selector = stack.lo & 0xffff;
  unit.ipHi = instructionPointer.hi;
  unit.ipLo = instructionPointer.lo;
  unit.spHi = stackPointer.hi;
  unit.spLo = stackPointer.lo;
}
