import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FETCH, READ, WRITE } from '../../../../hw/base/access.js';
import { BUS_ERROR, OK, PAGE_FAULT } from '../../../../hw/base/fault.js';
import { GENERAL_PROTECTION, INVALID_TSS, SEGMENT_NOT_PRESENT, STACK_FAULT } from '../../../../hw/x86/exception.js';
import { farCall, farJump } from '../../../../hw/x86/segmentation/far-transfer.js';
import { loadSegment } from '../../../../hw/x86/segmentation/load.js';
import {
  CALL_GATE_16,
  CALL_GATE_32,
  packCallGate,
  packSegment,
  TSS_16_BUSY,
  TSS_32_BUSY,
} from '../../../../hw/x86/segmentation/descriptor.js';
import { CS, DS, SS } from '../../../../hw/x86/segmentation/register.js';
import { buildMachine } from '../../../../src/explain/machine.js';
import type { ExplainedMachine } from '../../../../src/explain/machine.js';
import { parseState } from '../../../../src/explain/machine-state.js';
import { hexOf } from '../../../../src/explain/table-writer.js';
import { PageTableWriter } from '../../../../src/explain/walk/page-tables.js';
import { segmentDemo } from '../../../../src/explain/segment/segment-demo.js';
import { explainSegment } from '../../../../src/explain/segment/segment.js';
import type { SegmentAccess, SegmentResult } from '../../../../src/explain/segment/segment-result.js';
import { runs } from '../../../runs.js';

interface Ask {
  readonly selector: number;
  readonly offset: number;
  readonly access?: SegmentAccess;
  readonly register?: number;
  readonly cpl?: number;
  readonly size?: number;
}

function ask({ selector, offset, access = 'read', register = DS, cpl = 3, size = 4 }: Ask): SegmentResult {
  const machine = buildMachine(segmentDemo(cpl));
  return explainSegment(machine, { selector, hi: 0, lo: offset, access, register, size });
}

function ending({ outcome }: SegmentResult): string {
  return outcome.kind === 'mapped' ? outcome.physical : `${outcome.name.split(' ')[0]} ${outcome.errorCode ?? '-'}`;
}

test.each<[string, Ask, string]>([
  ['data that is mapped', { selector: 0x2b, offset: 0x10, access: 'write' }, '0x100010'],
  ['the last bytes', { selector: 0x2b, offset: 0x1ffc }, '0x102ffc'],
  ['one byte past the limit', { selector: 0x2b, offset: 0x1ffd }, '#GP 0'],
  ['a write to read-only data', { selector: 0x33, offset: 0, access: 'write' }, '#GP 0'],
  ['a segment that is not present', { selector: 0x43, offset: 0 }, '#NP 64'],
  ['a more privileged segment', { selector: 0x10, offset: 0 }, '#GP 16'],
  ['a selector past the table', { selector: 0x73, offset: 0 }, '#GP 112'],
  ['an expand-down stack below its limit', { selector: 0x3b, offset: 0x1000, register: SS }, '#SS 0'],
  ['an expand-down stack above its limit', { selector: 0x3b, offset: 0x2000, register: SS }, '0x104000'],
  ['a null selector, used', { selector: 3, offset: 0 }, '#GP 0'],
  ['a null selector in SS', { selector: 3, offset: 0, register: SS }, '#GP 0'],
  ['the LDT', { selector: 7, offset: 4 }, '0x102004'],
  ['linear memory that paging does not map', { selector: 0x23, offset: 0x800000 }, '#PF 4'],
  ['a jump through a call gate', { selector: 0x5b, offset: 0, access: 'fetch' }, '0x100100'],
  ['a jump into the kernel', { selector: 0x8, offset: 0, access: 'fetch' }, '#GP 8'],
  ['conforming code of the kernel', { selector: 0x48, offset: 0x400000, access: 'fetch' }, '0x100000'],
  ['a jump through a gate into the kernel', { selector: 0x63, offset: 0, access: 'fetch' }, '#GP 8'],
  ['a call through it', { selector: 0x63, offset: 0, access: 'call' }, '0xc000'],
  ['a call to the level it comes from', { selector: 0x5b, offset: 0, access: 'call' }, '0x100100'],
  ['a call that goes straight to the kernel', { selector: 0x8, offset: 0, access: 'call' }, '#GP 8'],
  ['a read whose last byte is not mapped', { selector: 0x23, offset: 0x403ffd }, '#PF 4'],
  ['data of the kernel itself', { selector: 0x10, offset: 0x8000, cpl: 0 }, '0x8000'],
])('%s', (_, question, expected) => {
  expect(ending(ask(question))).toBe(expected);
});

test('the checks after the one that failed are not made', () => {
  const { checks, linear, walk } = ask({ selector: 0x43, offset: 0 });
  expect(checks.map(({ passed }) => passed)).toEqual([true, true, true, false, null, null]);
  expect(checks[3].failure).toBe('#NP(0x40)');
  expect([linear, walk]).toEqual([null, null]);
});

test('the descriptor is shown as it was before the load marked it accessed', () => {
  const { descriptors } = ask({ selector: 0x2b, offset: 0 });
  expect(descriptors).toHaveLength(1);
  expect(descriptors[0]).toMatchObject({ address: '0x8028', raw: '0x0040f24000001fff' });
  expect(descriptors[0].fields.find(({ name }) => name === 'A')?.value).toBe(0);
});

test('a call gate shows itself and where it leads', () => {
  const { descriptors } = ask({ selector: 0x5b, offset: 0, access: 'fetch' });
  expect(descriptors.map(({ format }) => format)).toEqual(['call gate', 'segment descriptor']);
});

test('a call to an inner level is explained in the order of CALL, up to the stack that it leaves', () => {
  const { checks, transfer, descriptors } = ask({ selector: 0x63, offset: 0, access: 'call' });
  const order = [
    "gate's DPL",
    'gate is present',
    'code segment',
    "code's DPL",
    'SS0 and ESP0',
    'SS0 is data',
    'may be written',
  ];
  const places = order.map((words) => checks.findIndex(({ rule }) => rule.includes(words)));
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(places[0]).toBeGreaterThan(0);
  expect(descriptors).toHaveLength(3);
  expect(transfer).toMatchObject({ cpl: 0, cs: '0x8', ip: '0xc000', ss: '0x10', sp: '0xefe8' });
  expect(transfer!.pushed.map(({ what, value }) => `${what} ${value}`)).toEqual([
    'SS 0x23',
    'ESP 0x403f00',
    'parameter 2 0x40',
    'parameter 1 0x400010',
    'CS 0x1b',
    'EIP 0x400200',
  ]);
});

test('a limit is checked against all bytes, and those that lie outside are counted', () => {
  const { checks } = ask({ selector: 0x2b, offset: 0x1ffb, size: 8 });
  const failed = checks.find(({ passed }) => passed === false);
  expect(failed?.rule).toBe('all 8 bytes, 0x1ffb to 0x2002, lie inside 0x0 to 0x1fff; 5 of them do, 3 of them not');
});

test('an access that reaches into the next page walks to both', () => {
  const { walk, secondWalk } = ask({ selector: 0x2b, offset: 0xffe });
  expect([walk?.address, secondWalk?.address]).toEqual(['0x400ffe', '0x401000']);
  expect(ask({ selector: 0x2b, offset: 0xffc }).secondWalk).toBeNull();
});

/** A few descriptors of any bits at all, in a GDT and an LDT that end after them. */
const ENTRIES = 6;
const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const descriptor = fc.tuple(word, word).map(([hi, lo]) => {
  // Mostly present code and data, or call gates into these tables.
  return { hi, lo: (hi & 0x1000) === 0 ? (((lo >>> 16) % 64) << 16) | (lo & 0xffff) : lo };
});

interface Drawn {
  readonly table: readonly { readonly hi: number; readonly lo: number }[];
  readonly long: boolean;
  readonly cpl: number;
  readonly selector: number;
  readonly offset: number;
  readonly size: number;
  readonly kind: SegmentAccess;
  readonly register: number;
  /** Words of the TSS, its last byte and its type. */
  readonly tss: readonly number[];
  readonly tssLimit: number;
  readonly tssType: number;
  readonly stackPointer: number;
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  table: fc.array(descriptor, { minLength: ENTRIES, maxLength: ENTRIES }),
  long: fc.boolean(),
  cpl: fc.nat(3),
  selector: fc.nat(8 * (ENTRIES + 1)),
  offset: fc.oneof(fc.nat(0x2_0000), word),
  size: fc.constantFrom(1, 2, 4, 8),
  kind: fc.constantFrom<SegmentAccess>('read', 'write', 'fetch', 'call', 'call'),
  register: fc.nat(5),
  tss: fc.array(fc.nat(8 * (ENTRIES + 1)), { minLength: 8, maxLength: 8 }),
  tssLimit: fc.constantFrom(5, 9, 15, 0x67),
  tssType: fc.constantFrom(TSS_16_BUSY, TSS_32_BUSY),
  stackPointer: fc.oneof(fc.nat(0x1_0000), word),
});

const GDT = 0x8000;
const LDT_BASE = 0x9000;
const TSS_BASE = 0xa000;

/** A small machine in protected mode without paging, or in 64-bit mode with the lowest 2 MiB mapped to themselves. */
function machineOf(question: Drawn): ExplainedMachine {
  const { table, long, cpl, tss, tssLimit, tssType, stackPointer } = question;
  const pages = new PageTableWriter('4l');
  pages.map(0n, 0n, 7, 21);
  const registers = long ? { cr0: '0x80000001', cr3: hexOf(pages.root), cr4: '0x20', efer: '0x100' } : { cr0: '0x1' };
  const gdt = { base: GDT, limit: 8 * ENTRIES - 1 };
  const state = { schemaVersion: 1 as const, ramBytes: 0x1_0000, tlb: 'none', registers, segments: { cpl, gdt } };
  const machine = buildMachine(parseState({ ...state, memory: long ? pages.memory : [] }));
  for (const base of [GDT, LDT_BASE]) {
    table.forEach(({ hi, lo }, index) => machine.mmu.ram.store64(0, base + 8 * index, hi, lo));
  }
  tss.forEach((value, index) => machine.mmu.ram.store32(0, TSS_BASE + 4 * index, value));
  machine.unit.ldtr.set(0x78, 0, LDT_BASE, gdt.limit);
  machine.unit.tr.set(0x70, 0, TSS_BASE, tssLimit, tssType);
  machine.unit.spLo = stackPointer;
  return machine;
}

/** What the segmentation unit does with the same machine: `reached`, or the fault. */
function verdict(question: Drawn): string {
  const { unit } = machineOf(question);
  const { selector, offset, size, kind } = question;
  const register = kind === 'fetch' || kind === 'call' ? CS : question.register;
  let status =
    kind === 'call'
      ? farCall(unit, selector, 0, offset, 4)
      : register === CS
        ? farJump(unit, selector, 0, offset, 4)
        : loadSegment(unit, register, selector);
  const at = register === CS && status >= OK ? unit.ipLo : offset;
  const atHi = register === CS && status >= OK ? unit.ipHi : 0;
  const deed = { read: READ, write: WRITE, fetch: FETCH, call: FETCH }[kind];
  if (status >= OK) status = unit.toLinear(unit.segments[register], atHi, at, size, deed);
  return status >= OK ? 'reached' : `${status} ${unit.fault.errorCode}`;
}

/** Whether the list of checks and the segmentation unit come to the same verdict. */
function agrees(question: Drawn): boolean {
  const { selector, offset, size, kind, register } = question;
  const result = explainSegment(machineOf(question), { selector, hi: 0, lo: offset, access: kind, register, size });
  const failed = result.checks.find(({ passed }) => passed === false);
  const expected = verdict(question);
  const got = failed === undefined ? 'reached' : failed.failure;
  return got === failureOf(expected) && (result.linear === null) === (expected !== 'reached');
}

test('the list of checks comes to the verdict of the segmentation unit, for descriptors of any bits', () => {
  fc.assert(fc.property(drawn, agrees), { numRuns: runs(1000) });
});

/** Mostly true. */
const likely = fc.nat(9).map((n) => n > 0);
const level = fc.nat(3);

/** A call through a gate to code, with a stack in the TSS: all of it fits often, and then one bit is turned. */
const gateCall: fc.Arbitrary<Drawn> = fc
  .record({
    base: drawn,
    code: fc.record({ privilege: level, present: likely, conforming: fc.nat(4).map((n) => n === 0) }),
    stack: fc.record({ present: likely, writable: likely, limit: fc.constantFrom(15, 40, 0x2000) }),
    gate: fc.record({
      privilege: fc.constantFrom(3, 3, 3, 2),
      present: likely,
      parameters: fc.nat(3),
      narrow: fc.nat(4),
    }),
    levels: fc.record({ stack: likely, selector: likely }),
    pointer: fc.constantFrom(4, 12, 24, 40, 0x1000, 0x1001),
    flip: fc.option(fc.record({ entry: fc.integer({ min: 1, max: 3 }), bit: fc.nat(31) })),
  })
  .map(({ base, code, stack, gate, levels, pointer, flip }) => {
    const common = { base: 0, codeOrData: true, available: false, granular: false };
    const { long } = base;
    const type = gate.narrow === 0 && !long ? CALL_GATE_16 : CALL_GATE_32;
    const table = [
      { hi: 0, lo: 0 },
      packSegment({ ...common, ...code, limit: 0xffff, type: code.conforming ? 14 : 10, long, big: !long }),
      packSegment({
        ...common,
        ...stack,
        privilege: levels.stack ? code.privilege : 3,
        type: stack.writable ? 2 : 0,
        long: false,
        big: true,
      }),
      packCallGate({ ...gate, selector: 8, offset: 0x100, type }),
      { hi: 0, lo: 0 },
      { hi: 0, lo: 0 },
    ];
    if (flip !== null) table[flip.entry] = { ...table[flip.entry], hi: table[flip.entry].hi ^ (1 << flip.bit) };
    const ss = 0x10 | (levels.selector ? code.privilege : 3);
    const narrow = base.tssType === TSS_16_BUSY;
    // SP and SS of each level: 16 bits each in a word, or 32 bits and a word.
    const pairs = Array.from({ length: 3 }, () =>
      narrow && !long ? [(ss << 16) | pointer] : [pointer, long ? 0 : ss],
    ).flat();
    const bytes = pairs.flatMap((value) => [value & 0xffff, value >>> 16]);
    const halves = narrow && !long ? [0, ...bytes] : [0, 0, ...bytes];
    const tss = Array.from({ length: 8 }, (_, i) => (halves[2 * i] ?? 0) | ((halves[2 * i + 1] ?? 0) << 16));
    return { ...base, table, tss, selector: 0x18 | 3, kind: 'call', tssLimit: 0x67 };
  });

test('so it does for calls through gates, where most of it fits', () => {
  let inner = 0;
  const property = fc.property(gateCall, (question) => {
    const { transfer } = explainSegment(machineOf(question), { ...question, hi: 0, lo: 0, access: 'call' });
    if (transfer?.pushed.some(({ what }) => what === 'SS') === true) inner++;
    return agrees(question);
  });
  fc.assert(property, { numRuns: runs(1000) });
  // About one in 25 gets to an inner stack.
  expect(inner).toBeGreaterThan(runs(4));
});

const NAMES: Readonly<Record<string, string>> = {
  [INVALID_TSS]: '#TS',
  [SEGMENT_NOT_PRESENT]: '#NP',
  [STACK_FAULT]: '#SS',
  [GENERAL_PROTECTION]: '#GP',
  [PAGE_FAULT]: '#PF',
  [BUS_ERROR]: 'bus',
};

function failureOf(expected: string): string {
  if (expected === 'reached') return expected;
  const [status, code] = expected.split(' ');
  return `${NAMES[status]}(0x${Number(code).toString(16)})`;
}
