/** A protected-mode machine with segments of many kinds, over 32-bit paging: `pagewalk segment` shows it at once. */

import { formatHex } from '../../../hw/base/address.js';
import type { Word64 } from '../../../hw/base/address.js';
import { PTE_P, PTE_RW, PTE_US } from '../../../hw/x86/format.js';
import { CR0_PE, CR0_PG, CR0_WP, CR4_PSE } from '../../../hw/x86/registers.js';
import { CALL_GATE_32, LDT, packCallGate, packSegment, TSS_32 } from '../../../hw/x86/segmentation/descriptor.js';
import type { SegmentFields } from '../../../hw/x86/segmentation/descriptor.js';
import { READABLE_CODE, READ_ONLY_DATA, WRITABLE_DATA } from '../../segments/segment-table.js';
import { completeState, type OwnState } from '../own-state.js';
import { STATE_VERSION } from '../state-form.js';
import type { MachineState, MachineStateInput } from '../machine-state.js';
import { hexOf } from '../table-writer.js';
import { PageTableWriter } from '../walk/page-tables.js';

/** Types of code and data segments besides those of the kernel of src/segments. */
const EXPAND_DOWN = 6;
const CONFORMING_CODE = 14;

const GDT_BASE = 0x8000;
const LDT_BASE = 0x9000;
const DATA_BASE = 0x40_0000;
/** The kernel's entry point, the top of its stack, and the TSS with that stack. */
const KERNEL_ENTRY = 0xc000;
const KERNEL_STACK = 0xf000;
const TSS_BASE = 0xa000;
const TSS_LIMIT = 0x67;
/** Address of the two parameters of a call, pushed by the program. */
const STACK_POINTER = DATA_BASE + 0x3f00;
const STACK_FRAME = 0x10_6000;

const FLAT: SegmentFields = {
  base: 0,
  limit: 0xfffff,
  type: WRITABLE_DATA,
  codeOrData: true,
  privilege: 3,
  present: true,
  available: false,
  long: false,
  big: true,
  granular: true,
};
/** 8 KiB of user data, counted in bytes. */
const SMALL: Partial<SegmentFields> = { base: DATA_BASE, limit: 0x1fff, granular: false };

interface DemoSegment {
  readonly fields: Partial<SegmentFields>;
  readonly about: string;
}

/** Entries of the GDT from 1 up. */
const SEGMENTS: readonly DemoSegment[] = [
  { fields: { type: READABLE_CODE, privilege: 0 }, about: 'code of the kernel' },
  { fields: { privilege: 0 }, about: 'data of the kernel' },
  { fields: { type: READABLE_CODE }, about: 'code of the program' },
  { fields: {}, about: 'data of the program, all 4 GiB' },
  { fields: SMALL, about: '8 KiB of data at 0x400000' },
  { fields: { ...SMALL, type: READ_ONLY_DATA }, about: 'the same, read-only' },
  { fields: { ...SMALL, type: EXPAND_DOWN }, about: 'a stack that grows down to 0x2000' },
  { fields: { ...SMALL, present: false }, about: 'a segment that is swapped out' },
  { fields: { type: CONFORMING_CODE, privilege: 0 }, about: 'conforming code' },
  {
    fields: { base: LDT_BASE, limit: 7, type: LDT, codeOrData: false, privilege: 0, granular: false, big: false },
    about: 'the LDT',
  },
];
const LDT_INDEX = 10;
const GATE_INDEX = 11;
const KERNEL_GATE_INDEX = 12;
const TSS_INDEX = 13;
const KERNEL_DATA = 2 << 3;

/** A selector of the demonstration and its meaning in words, for help and pages. */
export const DEMO_SELECTORS: readonly { readonly selector: number; readonly about: string }[] = [
  ...SEGMENTS.map(({ about, fields }, i) => ({ selector: ((i + 1) << 3) | ((fields.privilege ?? 3) & 3), about })),
  { selector: (GATE_INDEX << 3) | 3, about: 'a call gate to the code of the program' },
  { selector: (KERNEL_GATE_INDEX << 3) | 3, about: 'a call gate into the kernel' },
  { selector: 4 | 3, about: 'the first entry of the LDT: 4 KiB of data' },
];

type StoredInput = NonNullable<MachineStateInput['memory']>[number];

function stored(at: number, { hi, lo }: Word64): StoredInput {
  return { at: formatHex(0, at), value: formatHex(hi, lo), bytes: 8 };
}

/** A gate for everybody. */
function gate(selector: number, offset: number, parameters: number): Word64 {
  return packCallGate({ selector, offset, parameters, type: CALL_GATE_32, privilege: 3, present: true });
}

function descriptors(): StoredInput[] {
  const task = { base: TSS_BASE, limit: TSS_LIMIT, type: TSS_32, codeOrData: false, privilege: 0, granular: false };
  const local = packSegment({ ...FLAT, base: DATA_BASE + 0x1000, limit: 0xfff, granular: false });
  return [
    ...SEGMENTS.map(({ fields }, i) => stored(GDT_BASE + 8 * (i + 1), packSegment({ ...FLAT, ...fields }))),
    stored(GDT_BASE + 8 * GATE_INDEX, gate(3 << 3, 0x40_0100, 0)),
    stored(GDT_BASE + 8 * KERNEL_GATE_INDEX, gate(1 << 3, KERNEL_ENTRY, 2)),
    stored(GDT_BASE + 8 * TSS_INDEX, packSegment({ ...FLAT, ...task, big: false })),
    // ESP0 and SS0.
    stored(TSS_BASE + 4, { hi: KERNEL_DATA, lo: KERNEL_STACK }),
    // The parameters: an address and a length.
    stored(STACK_FRAME + (STACK_POINTER & 0xfff), { hi: 0x40, lo: DATA_BASE + 0x10 }),
    stored(LDT_BASE, local),
  ];
}

/** The kernel's first 64 KiB are mapped to themselves; the program's 16 KiB at 0x400000 lie elsewhere. */
function tables(): PageTableWriter {
  const writer = new PageTableWriter('32');
  for (let page = 0n; page < 16n; page++) writer.map(page << 12n, page << 12n, PTE_P | PTE_RW);
  for (let page = 0n; page < 4n; page++) {
    writer.map(BigInt(DATA_BASE) + (page << 12n), 0x10_0000n + (page << 13n), PTE_P | PTE_RW | PTE_US);
  }
  return writer;
}

/** CS and SS of the kernel or the program; the demonstration has no segments of levels 1 and 2. */
const RUNNING: Readonly<Record<number, { code: string; stack: string } | undefined>> = {
  0: { code: '0x8', stack: '0x10' },
  3: { code: '0x1b', stack: '0x23' },
};

/** The demonstration as a state file; the running program has CPL 3 unless `cpl` is another. */
export function segmentDemoInput(cpl = 3): OwnState {
  const writer = tables();
  return {
    schemaVersion: STATE_VERSION,
    about: 'a program with segments of many kinds',
    registers: {
      cr0: formatHex(0, CR0_PE | CR0_WP | CR0_PG),
      cr3: hexOf(writer.root),
      cr4: formatHex(0, CR4_PSE),
    },
    segments: {
      cpl,
      gdt: { base: formatHex(0, GDT_BASE), limit: 8 * (TSS_INDEX + 1) - 1 },
      ldt: formatHex(0, LDT_INDEX << 3),
      task: formatHex(0, TSS_INDEX << 3),
      ...RUNNING[cpl],
      instructionPointer: formatHex(0, DATA_BASE + 0x200),
      stackPointer: formatHex(0, STACK_POINTER),
    },
    memory: [...writer.memory, ...descriptors()],
  };
}

export function segmentDemo(cpl = 3): MachineState {
  return completeState(segmentDemoInput(cpl));
}
