import { describe, expect, it } from 'vitest';
import { fromBigInt } from '../../../../hw/base/address.js';
import { aarch64Addresses, aarch64State, GRANULES } from '../../../../src/explain/aarch64/aarch64-demo.js';
import { buildPe, parseAArch64State } from '../../../../src/explain/aarch64/aarch64-state.js';
import type { AArch64StateInput } from '../../../../src/explain/aarch64/aarch64-state.js';
import { aarch64Terms } from '../../../../src/explain/aarch64/walk.js';
import type { AccessKind } from '../../../../src/explain/machine-state.js';
import { radixWalkText } from '../../../../src/explain/radix/radix-text.js';
import { explainRadixSteps } from '../../../../src/explain/radix/radix-walk.js';
import type { RadixWalkResult } from '../../../../src/explain/radix/radix-result.js';
import { StateError } from '../../../../src/explain/state-form.js';

const DATA = 0x41_0000n;
/** T0SZ 16, 40 bits of physical address; no hardware updates unless a test asks for them. */
const TCR = 0x2_0000_0010n;
const AF = 1n << 10n;
const EL0 = 1n << 6n;
const READ_ONLY = 1n << 7n;
const PAGE = 0x4100_0003n;

function walkOn(state: AArch64StateInput, address: bigint, access: AccessKind, user = true): RadixWalkResult {
  const pe = buildPe(parseAArch64State(state));
  const request = { ...fromBigInt(address), access, user };
  return explainRadixSteps(pe, aarch64Terms(pe, request), request).result;
}

/** Walks to a page whose descriptor is given, under tables of 4 KiB with `above` in the root's descriptor. */
function walkTo(
  descriptor: bigint,
  access: AccessKind,
  { user = true, above = 0n, tcr = TCR, sctlr = 1n, pan = false, root = 0x4000_0000n } = {},
): RadixWalkResult {
  const entries: readonly (readonly [bigint, bigint])[] = [
    [0x4000_0000n, 0x4000_1003n | above],
    [0x4000_1000n, 0x4000_2003n],
    [0x4000_2010n, 0x4000_3003n],
    [0x4000_3080n, descriptor],
    // A root above it, for five levels.
    [0x4000_4000n, 0x4000_0003n],
  ];
  const state: AArch64StateInput = {
    schemaVersion: 1,
    machine: 'aarch64',
    tlb: 'none',
    registers: { TTBR0_EL1: root.toString(16), TCR_EL1: tcr.toString(16), SCTLR_EL1: sctlr.toString(16) },
    pan,
    memory: entries.map(([at, value]) => ({ at: at.toString(16), value: value.toString(16) })),
  };
  return walkOn(state, DATA, access, user);
}

it.each([
  ['4k', 4, '0x411002d8', '4K', '2M'],
  ['16k', 3, '0x411022d8', '16K', '32M'],
  ['64k', 2, '0x4110e2d8', '64K', '512M'],
] as const)('granule %s: %i levels to a page, one less to a block', (granule, levels, physical, page, block) => {
  const [library] = aarch64Addresses(granule)[0];
  const walked = walkOn(aarch64State(granule), BigInt(library), 'read');
  expect(walked.levels).toHaveLength(levels);
  expect(walked.outcome).toEqual({ kind: 'mapped', physical, page });
  expect(new Set(walked.split.map(({ value }) => value)).size).toBe(levels + 1);
  const device = walkOn(aarch64State(granule), 0x8_0000_1234n, 'read');
  expect(device.levels).toHaveLength(levels - 1);
  expect(device.outcome).toEqual({ kind: 'mapped', physical: '0x40001234', page: block });
});

it('with DS a walk of 4 KiB has 5 levels, and the highest bits of an address stand in bits 9:8', () => {
  // T0SZ 12, physical addresses of 52 bits, DS.
  const tcr = 12n | (6n << 32n) | (1n << 59n);
  const { levels, outcome, mode } = walkTo(PAGE | AF | EL0, 'read', { tcr, root: 0x4000_4000n });
  expect([mode, outcome.kind]).toEqual(['4k-lpa2', 'mapped']);
  expect(levels.map(({ table }) => table)).toEqual(['level -1', 'level 0', 'level 1', 'level 2', 'level 3']);
  const far = walkTo(PAGE | AF | EL0 | (2n << 8n), 'read', { tcr, root: 0x4000_4000n });
  expect(far.levels.at(-1)?.target).toBe(`0x${(2n ** 51n + 0x4100_0000n).toString(16)}`);
  expect(walkTo(0n, 'read', { tcr, root: 0x4000_8000n }).outcome).toMatchObject({
    name: 'translation fault, level -1',
    why: 'the descriptor of level -1 is not valid: bit 0 is 0',
  });
});

it('entries that the TLB or a walk cache stood for are marked', () => {
  const pe = buildPe(parseAArch64State(aarch64State('4k')));
  const walked = [0x41_0000n, 0x41_0000n].map((address) => {
    const request = { ...fromBigInt(address), access: 'read' as const, user: true };
    return explainRadixSteps(pe, aarch64Terms(pe, request), request).result;
  });
  expect(walked.map(({ tlb, levels }) => [tlb, levels.map(({ skipped }) => skipped)])).toEqual([
    [null, [true, true, true, false]],
    ['L1 data TLB', [true, true, true, true]],
  ]);
  expect(radixWalkText(walked[1])).toContain('* not read: the TLB answered\n');
});

it.each(GRANULES)("granule %s: the upper half is TTBR1's, and is the kernel's", (granule) => {
  const { registers, outcome } = walkOn(aarch64State(granule), 0xffff_ffff_c000_0000n, 'write', false);
  expect(Object.keys(registers)).toEqual(['TTBR1_EL1', 'TCR_EL1', 'SCTLR_EL1']);
  expect(outcome).toMatchObject({ kind: 'mapped', physical: '0x41200000' });
});

it('a write to a clean page with DBM clears AP[2]: it is dirty now', () => {
  const { changes } = walkOn(aarch64State('4k'), 0x42_0000n, 'write');
  expect(changes.map(({ bit, field, value }) => `${bit}: ${field} = ${value}`)).toEqual([
    'accessed: AF = 1',
    'dirty: AP2 = 0',
  ]);
});

describe('why an access faults', () => {
  // ESR_EL1 of a data abort from EL0 by a read; WnR is bit 6.
  const FROM_EL0 = 0x9200_0000;
  const high = (bit: number): bigint => 1n << BigInt(bit);
  it.each([
    ['an invalid descriptor', walkTo(0n, 'read'), FROM_EL0 + 7, 'the descriptor of level 3 is not valid: bit 0 is 0'],
    [
      'a block at the last level',
      walkTo((PAGE | AF | EL0) & ~2n, 'read'),
      FROM_EL0 + 7,
      'has bit 1 = 0, which is reserved here',
    ],
    ['AF', walkTo(PAGE | EL0, 'read'), FROM_EL0 + 0xb, 'has AF = 0, and software is to set it'],
    [
      'too large an address',
      walkTo(PAGE | AF | EL0 | high(44), 'read'),
      FROM_EL0 + 3,
      'lies past the size of physical addresses',
    ],
    ['AP[1]', walkTo(PAGE | AF, 'read'), FROM_EL0 + 0xf, 'EL0 may read and write pages with AP[1] = 1 alone'],
    ['AP[2]', walkTo(PAGE | AF | EL0 | READ_ONLY, 'write'), FROM_EL0 + 0x4f, 'the page has AP[2] = 1: no writes'],
    ['UXN', walkTo(PAGE | AF | EL0 | high(54), 'fetch'), 0x8200_000f, 'the page has UXN = 1: no execution at EL0'],
    ['UXN of a page of EL1', walkTo(PAGE | AF | high(54), 'fetch'), 0x8200_000f, 'the page has UXN = 1'],
    ['PXN', walkTo(PAGE | AF | READ_ONLY | high(53), 'fetch', { user: false }), 0x8600_000f, 'the page has PXN = 1'],
    [
      'EL0 may write it',
      walkTo(PAGE | AF | EL0, 'fetch', { user: false }),
      0x8600_000f,
      'EL1 executes no page that EL0 may write',
    ],
    ['WXN', walkTo(PAGE | AF | EL0, 'fetch', { sctlr: 0x8_0001n }), 0x8200_000f, 'SCTLR_EL1.WXN = 1'],
    [
      'PAN',
      walkTo(PAGE | AF | EL0, 'read', { user: false, pan: true }),
      0x9600_000f,
      'PSTATE.PAN = 1 keeps EL1 from pages of EL0',
    ],
    [
      'APTable[0]',
      walkTo(PAGE | AF | EL0, 'read', { above: high(61) }),
      FROM_EL0 + 0xf,
      'level 0 has APTable[0] = 1, for all below it',
    ],
    [
      'APTable[1]',
      walkTo(PAGE | AF | EL0, 'write', { above: high(62) }),
      FROM_EL0 + 0x4f,
      'level 0 has APTable[1] = 1, for all below it',
    ],
    [
      'UXNTable',
      walkTo(PAGE | AF | EL0, 'fetch', { above: high(60) }),
      0x8200_000f,
      'level 0 has UXNTable = 1, for all below it',
    ],
    ['EPD0', walkTo(PAGE | AF | EL0, 'read', { tcr: TCR | 0x80n }), FROM_EL0 + 4, 'no walks with TTBR0_EL1'],
    ['RAM', walkTo(0x2_0000_0003n | AF | EL0, 'read'), FROM_EL0 + 0x10, 'no RAM answers where the walk leads'],
  ])('%s', (_, { outcome }, esr, why) => {
    expect(outcome).toMatchObject({
      kind: 'fault',
      syndrome: { ESR_EL1: `0x${esr.toString(16)}`, FAR_EL1: '0x410000' },
    });
    expect(outcome.kind === 'fault' && outcome.why).toContain(why);
  });

  it('an address of neither half', () => {
    const { outcome } = walkOn(aarch64State('4k'), 0x1_0000_0000_0000n, 'read');
    expect(outcome).toMatchObject({ why: 'bits 63 to 48 of an address of TTBR0_EL1 must all be 0' });
  });
});

it('is written as a table: a line a level, with the registers of its half', () => {
  const text = radixWalkText(walkTo(PAGE | AF | EL0, 'read'));
  expect(text).toContain('read of 0x410000 at EL0, VMSAv8-64, granule of 4 KiB, 48 bits\n\nTTBR0_EL1   0x40000000\n');
  expect(text).toContain('level 3[16]  0x40003080  0x0000000041000443  page 0x41000000   AF AP1 T V\n');
});

it.each([
  [{ registers: { TCR_EL1: 'x' } }, 'registers.TCR_EL1: expected a hexadecimal number'],
  [{ memory: [{ at: '0x1000', value: 1 }] }, 'memory.0.at: 0x1000 lies outside of RAM (0x40000000 to 0x47ffffff)'],
  [{ tlb: 'huge' }, 'tlb: '],
  [{ accesses: [{ at: '0x99' }] }, 'accesses.0: 0x99 ends in a fault; leave it out, or map the address'],
])('a state that cannot be is refused with its field: %j', (changes, words) => {
  const state = { ...aarch64State('4k'), accesses: [], ...changes };
  const build = (): unknown => buildPe(parseAArch64State(state));
  expect(build).toThrow(StateError);
  expect(build).toThrow(words);
});
