import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fromBigInt } from '../../../hw/base/address.js';
import type { Pe } from '../../../hw/aarch64/pe.js';
import { AARCH64_CHECKS, AARCH64_HOST_CHECKS } from '../../../src/explain/aarch64/checks.js';
import { AARCH64_GUEST_ADDRESSES, aarch64GuestState } from '../../../src/explain/aarch64/aarch64-demo.js';
import { buildPe, parseAArch64State } from '../../../src/explain/aarch64/aarch64-state.js';
import type { AArch64StateInput } from '../../../src/explain/aarch64/aarch64-state.js';
import { aarch64NestedTerms, aarch64Terms } from '../../../src/explain/aarch64/walk.js';
import { EPT_CHECKS, NPT_CHECKS } from '../../../src/explain/nested/host-checks.js';
import { explainStages } from '../../../src/explain/nested/nested-walk.js';
import { explainRadixSteps } from '../../../src/explain/radix/radix-walk.js';
import { RISCV_CHECKS, RISCV_GUEST_CHECKS } from '../../../src/explain/riscv/checks.js';
import { buildHart, parseRiscvState } from '../../../src/explain/riscv/riscv-state.js';
import { riscvNestedTerms, riscvTerms } from '../../../src/explain/riscv/walk.js';
import { X86_CHECKS } from '../../../src/explain/walk/checks.js';
import { bit, breaksEach, endOf, hex, memoryOf } from './broken-checks.js';
import type { End, Options } from './broken-checks.js';

describe('checks of RISC-V', () => {
  const [V, R, W, X, U, A, D] = [0, 1, 2, 3, 4, 6, 7].map(bit);
  const table = (at: bigint): bigint => (at >> 2n) | V;
  const [FRAME, SV39] = [0x8010_0000n >> 2n, bit(63)];

  interface RiscvOptions extends Options {
    readonly csrs?: Readonly<Record<string, string>>;
    /** Takes the place of the entry above the last. */
    readonly above?: bigint;
    /** Stored in place of the entry once a TLB has its page. */
    readonly then?: bigint;
  }

  /** The way to page 0 has the entry at its end, in tables of satp; or of hgatp, under a guest without paging. */
  function walk(
    stage: 1 | 2,
    entry: bigint,
    { access = 'read', user = true, at = 0x10n, csrs, above, then }: RiscvOptions,
  ): End {
    const root = stage === 1 ? { satp: hex(SV39 | 0x80001n) } : { hgatp: hex(SV39 | 0x80004n), vsatp: '0x0' };
    const hart = buildHart(
      parseRiscvState({
        schemaVersion: 1,
        machine: 'riscv',
        tlb: then === undefined ? 'none' : '4x4',
        csrs: { ...root, ...csrs },
        accesses: then === undefined ? [] : [{ at: hex(at), user }],
        memory: memoryOf({
          [stage === 1 ? 0x8000_1000 : 0x8000_4000]: table(0x8000_2000n),
          0x8000_2000: above ?? table(0x8000_3000n),
          0x8000_3000: entry,
        }),
      }),
    );
    if (then !== undefined) hart.ram.write64(0x8000_3000, then);
    const request = { ...fromBigInt(at), access, user };
    const { result } =
      stage === 1
        ? explainRadixSteps(hart, riscvTerms(hart), request)
        : explainStages(hart, riscvNestedTerms(hart, request), request);
    return endOf(result.outcome);
  }

  const ofEntries = (stage: 1 | 2): Readonly<Record<string, () => End>> => ({
    valid: () => walk(stage, 0n, {}),
    writeOnly: () => walk(stage, V | W, {}),
    reserved: () => walk(stage, V | R | U | bit(55), {}),
    leaf: () => walk(stage, V, {}),
    contiguous: () => walk(stage, FRAME | V | R | U | bit(63), {}),
    memoryType: () => walk(stage, FRAME | V | R | U | bit(61), {}),
    aligned: () => walk(stage, 0n, { above: FRAME | bit(10) | V | R | U }),
    readable: () => walk(stage, FRAME | V | X | U | A, {}),
    writable: () => walk(stage, FRAME | V | R | U | A | D, { access: 'write' }),
    executable: () => walk(stage, FRAME | V | R | U | A, { access: 'fetch' }),
    marked: () => walk(stage, FRAME | V | R | W | U | A, { access: 'write' }),
  });

  describe('by satp', () => {
    breaksEach(RISCV_CHECKS, {
      canonical: () => walk(1, 0n, { at: bit(39) }),
      ram: () => walk(1, bit(40) | V | R | U | A, {}),
      ...ofEntries(1),
      user: () => walk(1, FRAME | V | R | A, {}),
      supervisor: () => walk(1, FRAME | V | R | U | A, { user: false }),
      supervisorFetch: () =>
        walk(1, FRAME | V | R | X | U | A, { user: false, access: 'fetch', csrs: { sstatus: hex(bit(18)) } }),
      kept: () => walk(1, FRAME | V | R | U | A, { access: 'write', then: FRAME | V | R | W | U | A | D }),
    });
  });

  describe('by hgatp', () => {
    breaksEach(RISCV_GUEST_CHECKS, {
      addressBits: () => walk(2, 0n, { at: bit(41) }),
      ...ofEntries(2),
      user: () => walk(2, FRAME | V | R | A, {}),
    });
  });

  it('a stale refusal is not one of A and D where the hart sets them', () => {
    const csrs = { menvcfg: hex(bit(61)) };
    const end = walk(1, FRAME | V | R | U | A, { access: 'write', csrs, then: FRAME | V | R | W | U });
    expect(end.rule).toBe(RISCV_CHECKS.kept.rule);
  });

  it('a load under MXR that fails for another reason is not said to need R', () => {
    const csrs = { sstatus: hex(bit(19)) };
    expect(walk(1, FRAME | V | X | U, { csrs }).rule).toBe(RISCV_CHECKS.marked.rule);
  });
});

describe('checks of AArch64', () => {
  const [VALID, TYPE, EL0, READ_ONLY, AF] = [0, 1, 6, 7, 10].map(bit);
  const UXN = bit(54);
  const PAGE = 0x4100_0000n | VALID | TYPE;
  /** T0SZ 16 and 40 bits of physical address. */
  const TCR = 0x2_0000_0010n;

  interface ArmOptions extends Options {
    readonly registers?: Partial<AArch64StateInput['registers']>;
    readonly pan?: boolean;
    /** Bits of the descriptor in the root table; gone again once a walk cache has it, if `passing`. */
    readonly above?: bigint;
    readonly passing?: boolean;
  }

  function onPe(
    state: AArch64StateInput,
    { at = 0n, access = 'read', user = true }: Options,
    change: (pe: Pe) => void = () => undefined,
  ): End {
    const pe = buildPe(parseAArch64State(state));
    change(pe);
    const request = { ...fromBigInt(at), access, user };
    const { result } = pe.rules.secondOn
      ? explainStages(pe, aarch64NestedTerms(pe, request), request)
      : explainRadixSteps(pe, aarch64Terms(pe, request), request);
    return endOf(result.outcome);
  }

  /** The descriptor at the end of the way to page 0. Tables of TTBR0_EL1, or of stage 2 with stage 1 off. */
  function walk(
    stage: 1 | 2,
    descriptor: bigint,
    { registers, pan = false, above = 0n, passing = false, ...rest }: ArmOptions,
  ): End {
    const first = { TTBR0_EL1: '0x40000000', TCR_EL1: hex(TCR) };
    // 39 bits of address, from level 1 on.
    const vtcr = hex(25n | (1n << 6n) | (2n << 16n));
    const second = { SCTLR_EL1: '0x0', TCR_EL1: '0x0', HCR_EL2: '0x1', VTCR_EL2: vtcr, VTTBR_EL2: '0x40001000' };
    const state: AArch64StateInput = {
      schemaVersion: 1,
      machine: 'aarch64',
      tlb: passing ? 'cortex-a76' : 'none',
      accesses: passing ? [{ at: '0x1000' }] : [],
      registers: { ...(stage === 1 ? first : second), ...registers },
      pan,
      memory: memoryOf({
        0x4000_0000: 0x4000_1003n | above,
        0x4000_1000: 0x4000_2003n,
        0x4000_2000: 0x4000_3003n,
        0x4000_3000: descriptor,
        0x4000_3008: descriptor,
      }),
    };
    return onPe(state, rest, ({ ram }) => {
      if (passing) ram.write64(0x4000_0000, 0x4000_1003n);
    });
  }

  describe('by TTBR0_EL1', () => {
    const DATA = PAGE | AF | EL0;
    breaksEach(AARCH64_CHECKS, {
      half: () => walk(1, DATA, { at: bit(50) }),
      walks: () => walk(1, DATA, { registers: { TCR_EL1: hex(TCR | 0x80n) } }),
      root: () => walk(1, DATA, { registers: { TTBR0_EL1: hex(bit(44)) } }),
      ram: () => walk(1, DATA | bit(36), {}),
      valid: () => walk(1, 0n, {}),
      type: () => walk(1, DATA & ~TYPE, {}),
      outputSize: () => walk(1, DATA | bit(44), {}),
      accessFlag: () => walk(1, PAGE | EL0, {}),
      el0: () => walk(1, PAGE | AF, {}),
      el0Table: () => walk(1, DATA, { above: bit(61) }),
      pan: () => walk(1, DATA, { user: false, pan: true }),
      writable: () => walk(1, DATA | READ_ONLY, { access: 'write' }),
      writableTable: () => walk(1, DATA, { access: 'write', above: bit(62) }),
      execute: () => walk(1, DATA | UXN, { access: 'fetch' }),
      executeTable: () => walk(1, PAGE | AF | READ_ONLY, { access: 'fetch', user: false, above: bit(59) }),
      writableNeverExecuted: () => walk(1, DATA, { access: 'fetch', registers: { SCTLR_EL1: hex(bit(19) | 1n) } }),
      el0Writable: () => walk(1, DATA, { access: 'fetch', user: false }),
      kept: () => walk(1, DATA, { access: 'write', above: bit(62), passing: true }),
    });

    it.each([
      ['read', DATA, 61],
      ['fetch', DATA, 60],
      // WXN is about pages with writes alone.
      ['fetch', DATA | READ_ONLY, 60],
    ] as const)('a %s that a walk cache refuses breaks no rule of the descriptors', (access, descriptor, above) => {
      const registers = { SCTLR_EL1: (descriptor & READ_ONLY) === 0n ? '0x1' : hex(bit(19) | 1n) };
      const { rule, why } = walk(1, descriptor, { access, above: bit(above), passing: true, registers });
      expect(rule).toBe(AARCH64_CHECKS.kept.rule);
      expect(why).toBe('the rights kept of an earlier walk refuse it, older than the descriptors');
    });
  });

  describe('by VTTBR_EL2', () => {
    const [S2_READ, S2_WRITE] = [6, 7].map(bit);
    const DATA = PAGE | AF | S2_READ;

    /** A read of the guest's data in the demonstration, an entry of either stage being changed. */
    function walkOfGuest(changes: Readonly<Record<string, (value: bigint) => bigint>>, registers = {}): End {
      const state = aarch64GuestState();
      const memory = (state.memory ?? []).map(({ at, value }) => ({
        at,
        value: hex((changes[at] ?? ((same: bigint) => same))(BigInt(value))),
      }));
      const changed = { ...state, registers: { ...state.registers, ...registers }, memory };
      return onPe(changed, { at: BigInt(AARCH64_GUEST_ADDRESSES[1][0]) });
    }
    const HOST_ENTRY_OF_TABLE = '0x400030b0';

    breaksEach(AARCH64_HOST_CHECKS, {
      addressBits: () => walk(2, DATA, { at: bit(39) }),
      start: () => walk(2, DATA, { registers: { VTCR_EL2: hex(50n | (1n << 6n) | (2n << 16n)) } }),
      root: () => walk(2, DATA, { registers: { VTTBR_EL2: hex(bit(44)) } }),
      valid: () => walk(2, 0n, {}),
      type: () => walk(2, DATA & ~TYPE, {}),
      outputSize: () => walk(2, DATA | bit(44), {}),
      accessFlag: () => walk(2, PAGE | S2_READ, {}),
      readable: () => walk(2, PAGE | AF, {}),
      writable: () => walk(2, DATA, { access: 'write' }),
      // The guest's hardware sets AF in a descriptor on a page without writes.
      marks: () =>
        walkOfGuest(
          { [HOST_ENTRY_OF_TABLE]: (value) => value & ~S2_WRITE, '0x40816008': (value) => value & ~AF },
          { TCR_EL1: hex(BigInt(aarch64GuestState().registers.TCR_EL1) | bit(39)) },
        ),
      execute: () => walk(2, DATA | UXN, { access: 'fetch' }),
      deviceMemory: () => walkOfGuest({}, { HCR_EL2: hex(1n | bit(2)) }),
    });
  });
});

describe('docs/checks.md', () => {
  const page = readFileSync(new URL('../../../docs/checks.md', import.meta.url), 'utf8');

  /** The rows of the table under a heading. */
  function rowsUnder(heading: string): string[][] {
    const [, after = ''] = page.split(`\n## ${heading}\n`);
    const lines = after
      .split('\n## ')[0]
      .split('\n')
      .filter((line) => line.startsWith('|'));
    return lines.slice(2).map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  }

  it.each([
    ['x86: CR3', X86_CHECKS],
    ['x86: EPT', EPT_CHECKS],
    ['x86: nested page tables', NPT_CHECKS],
    ['RISC-V: satp and vsatp', RISCV_CHECKS],
    ['RISC-V: hgatp', RISCV_GUEST_CHECKS],
    ['AArch64: TTBR0_EL1 and TTBR1_EL1', AARCH64_CHECKS],
    ['AArch64: VTTBR_EL2', AARCH64_HOST_CHECKS],
  ])('has the checks of %s, as explanations name them', (heading, checks) => {
    expect(rowsUnder(heading)).toEqual(Object.values(checks).map(({ rule, fault, section }) => [rule, fault, section]));
  });
});
