import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FETCH, READ, WRITE } from '../../../hw/access.js';
import { OK } from '../../../hw/exception.js';
import { farJump } from '../../../hw/segmentation/far-transfer.js';
import { loadSegment } from '../../../hw/segmentation/load.js';
import { CS, DS, SS } from '../../../hw/segmentation/register.js';
import { buildMachine } from '../../../src/explain/machine.js';
import type { ExplainedMachine } from '../../../src/explain/machine.js';
import { parseState } from '../../../src/explain/machine-state.js';
import type { AccessKind } from '../../../src/explain/machine-state.js';
import { hexOf, PageTableWriter } from '../../../src/explain/page-tables.js';
import { segmentDemo } from '../../../src/explain/segment-demo.js';
import { explainSegment } from '../../../src/explain/segment.js';
import type { SegmentResult } from '../../../src/explain/segment-result.js';

interface Ask {
  readonly selector: number;
  readonly offset: number;
  readonly access?: AccessKind;
  readonly register?: number;
  readonly cpl?: number;
}

function ask({ selector, offset, access = 'read', register = DS, cpl = 3 }: Ask): SegmentResult {
  const machine = buildMachine(segmentDemo(cpl));
  return explainSegment(machine, { selector, hi: 0, lo: offset, access, register, size: 4 });
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
  ['a selector past the table', { selector: 0x63, offset: 0 }, '#GP 96'],
  ['an expand-down stack below its limit', { selector: 0x3b, offset: 0x1000, register: SS }, '#SS 0'],
  ['an expand-down stack above its limit', { selector: 0x3b, offset: 0x2000, register: SS }, '0x104000'],
  ['a null selector, used', { selector: 3, offset: 0 }, '#GP 0'],
  ['a null selector in SS', { selector: 3, offset: 0, register: SS }, '#GP 0'],
  ['the LDT', { selector: 7, offset: 4 }, '0x102004'],
  ['linear memory that paging does not map', { selector: 0x23, offset: 0x800000 }, '#PF 4'],
  ['a jump through a call gate', { selector: 0x5b, offset: 0, access: 'fetch' }, '0x100100'],
  ['a jump into the kernel', { selector: 0x8, offset: 0, access: 'fetch' }, '#GP 8'],
  ['conforming code of the kernel', { selector: 0x48, offset: 0x400000, access: 'fetch' }, '0x100000'],
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
  readonly kind: AccessKind;
  readonly register: number;
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  table: fc.array(descriptor, { minLength: ENTRIES, maxLength: ENTRIES }),
  long: fc.boolean(),
  cpl: fc.nat(3),
  selector: fc.nat(8 * (ENTRIES + 1)),
  offset: fc.oneof(fc.nat(0x2_0000), word),
  size: fc.constantFrom(1, 2, 4, 8),
  kind: fc.constantFrom<AccessKind>('read', 'write', 'fetch'),
  register: fc.nat(5),
});

const GDT = 0x8000;
const LDT_BASE = 0x9000;

/** A small machine in protected mode without paging, or in 64-bit mode with the lowest 2 MiB mapped to themselves. */
function machineOf({ table, long, cpl }: Drawn): ExplainedMachine {
  const pages = new PageTableWriter('4l');
  pages.map(0n, 0n, 7, 21);
  const registers = long ? { cr0: '0x80000001', cr3: hexOf(pages.root), cr4: '0x20', efer: '0x100' } : { cr0: '0x1' };
  const gdt = { base: GDT, limit: 8 * ENTRIES - 1 };
  const state = { schemaVersion: 1 as const, ramBytes: 0x1_0000, tlb: 'none', registers, segments: { cpl, gdt } };
  const machine = buildMachine(parseState({ ...state, memory: long ? pages.memory : [] }));
  for (const base of [GDT, LDT_BASE]) {
    table.forEach(({ hi, lo }, index) => machine.mmu.ram.store64(0, base + 8 * index, hi, lo));
  }
  machine.unit.ldtr.set(0x78, 0, LDT_BASE, gdt.limit);
  return machine;
}

/** What the segmentation unit does with the same machine: `reached`, or the fault. */
function verdict(question: Drawn): string {
  const { unit } = machineOf(question);
  const { selector, offset, size, kind } = question;
  const register = kind === 'fetch' ? CS : question.register;
  let status = register === CS ? farJump(unit, selector, 0, offset) : loadSegment(unit, register, selector);
  const at = register === CS && status >= OK ? unit.ipLo : offset;
  const atHi = register === CS && status >= OK ? unit.ipHi : 0;
  const deed = { read: READ, write: WRITE, fetch: FETCH }[kind];
  if (status >= OK) status = unit.toLinear(unit.segments[register], atHi, at, size, deed);
  return status >= OK ? 'reached' : `${status} ${unit.fault.errorCode}`;
}

test('the list of checks comes to the verdict of the segmentation unit, for descriptors of any bits', () => {
  const property = fc.property(drawn, (question) => {
    const { selector, offset, size, kind, register } = question;
    const result = explainSegment(machineOf(question), { selector, hi: 0, lo: offset, access: kind, register, size });
    const failed = result.checks.find(({ passed }) => passed === false);
    const expected = verdict(question);
    const got = failed === undefined ? 'reached' : failed.failure;
    return got === failureOf(expected) && (result.linear === null) === (expected !== 'reached');
  });
  fc.assert(property, { numRuns: 1000 });
});

const NAMES: Readonly<Record<string, string>> = { '-11': '#NP', '-12': '#SS', '-13': '#GP' };

function failureOf(expected: string): string {
  if (expected === 'reached') return expected;
  const [status, code] = expected.split(' ');
  return `${NAMES[status]}(0x${Number(code).toString(16)})`;
}
