/** A protected-mode machine with segments of many kinds, over 32-bit paging: what `pagewalk segment` shows at once. */

import { formatHex } from '../../hw/address.js';
import { PTE_P, PTE_RW, PTE_US } from '../../hw/paging/x86-format.js';
import { CR0_PE, CR0_PG, CR0_WP, CR4_PSE } from '../../hw/registers.js';
import { CALL_GATE_32, LDT, packCallGate, packSegment } from '../../hw/segmentation/descriptor.js';
import type { SegmentFields } from '../../hw/segmentation/descriptor.js';
import { parseState, STATE_VERSION } from './machine-state.js';
import type { MachineState, MachineStateInput } from './machine-state.js';
import { hexOf, PageTableWriter } from './page-tables.js';

/** Types of code and data segments. */
const READ_ONLY = 0;
const WRITABLE = 2;
const EXPAND_DOWN = 6;
const READABLE_CODE = 10;
const CONFORMING_CODE = 14;

const GDT_BASE = 0x8000;
const LDT_BASE = 0x9000;
const DATA_BASE = 0x40_0000;

const FLAT: SegmentFields = {
  base: 0,
  limit: 0xfffff,
  type: WRITABLE,
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
  { fields: { ...SMALL, type: READ_ONLY }, about: 'the same, read-only' },
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

/** A selector of the demonstration and what it names, for help and pages. */
export const DEMO_SELECTORS: readonly { readonly selector: number; readonly about: string }[] = [
  ...SEGMENTS.map(({ about, fields }, i) => ({ selector: ((i + 1) << 3) | ((fields.privilege ?? 3) & 3), about })),
  { selector: (GATE_INDEX << 3) | 3, about: 'a call gate to the code of the program' },
  { selector: 4 | 3, about: 'the first entry of the LDT: 4 KiB of data' },
];

type StoredInput = NonNullable<MachineStateInput['memory']>[number];

function stored(at: number, { hi, lo }: { readonly hi: number; readonly lo: number }): StoredInput {
  return { at: formatHex(0, at), value: formatHex(hi, lo), bytes: 8 };
}

function descriptors(): StoredInput[] {
  const gate = packCallGate({
    selector: 3 << 3,
    offset: 0x40_0100,
    parameters: 0,
    type: CALL_GATE_32,
    privilege: 3,
    present: true,
  });
  const local = packSegment({ ...FLAT, base: DATA_BASE + 0x1000, limit: 0xfff, granular: false });
  return [
    ...SEGMENTS.map(({ fields }, i) => stored(GDT_BASE + 8 * (i + 1), packSegment({ ...FLAT, ...fields }))),
    stored(GDT_BASE + 8 * GATE_INDEX, gate),
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

/** The demonstration as a state file says it; the program that runs has CPL 3 unless `cpl` is another. */
export function segmentDemoInput(cpl = 3): MachineStateInput {
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
      gdt: { base: formatHex(0, GDT_BASE), limit: 8 * (GATE_INDEX + 1) - 1 },
      ldt: formatHex(0, LDT_INDEX << 3),
    },
    memory: [...writer.memory, ...descriptors()],
  };
}

export function segmentDemo(cpl = 3): MachineState {
  return parseState(segmentDemoInput(cpl));
}
