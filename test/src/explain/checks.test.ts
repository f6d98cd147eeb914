import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fromBigInt } from '../../../hw/base/address.js';
import { Ram } from '../../../hw/memory/ram.js';
import { X86_MODES } from '../../../hw/x86/format.js';
import { Mmu } from '../../../hw/x86/mmu.js';
import { makeEptp } from '../../../hw/x86/nested/virtual-machines.js';
import type { Check, Reason } from '../../../src/explain/walk/check.js';
import { AARCH64_CHECKS, AARCH64_HOST_CHECKS } from '../../../src/explain/aarch64/checks.js';
import { AARCH64_GUEST_ADDRESSES, aarch64GuestState } from '../../../src/explain/aarch64/aarch64-demo.js';
import { buildPe, parseAArch64State } from '../../../src/explain/aarch64/aarch64-state.js';
import type { AArch64StateInput } from '../../../src/explain/aarch64/aarch64-state.js';
import { aarch64NestedTerms, aarch64Terms } from '../../../src/explain/aarch64/walk.js';
import { buildMachine } from '../../../src/explain/machine.js';
import { parseState } from '../../../src/explain/machine-state.js';
import type { AccessKind, MachineStateInput } from '../../../src/explain/machine-state.js';
import { EPT_CHECKS, NPT_CHECKS } from '../../../src/explain/nested/host-checks.js';
import { explainStages } from '../../../src/explain/nested/nested-walk.js';
import { explainNestedWalk } from '../../../src/explain/nested/x86-nested.js';
import { explainRadixSteps } from '../../../src/explain/radix/radix-walk.js';
import { RISCV_CHECKS, RISCV_GUEST_CHECKS } from '../../../src/explain/riscv/checks.js';
import { buildHart, parseRiscvState } from '../../../src/explain/riscv/riscv-state.js';
import { riscvNestedTerms, riscvTerms } from '../../../src/explain/riscv/walk.js';
import { X86_CHECKS } from '../../../src/explain/walk/checks.js';
import { explainWalk } from '../../../src/explain/walk/walk.js';
import { LAST_HOST_ENTRY, SMALL_GUEST_PAGE, smallGuest } from './nested/small-guest.js';

type End = Reason & { readonly fault: string };
interface Options {
  readonly access?: AccessKind;
  readonly user?: boolean;
  readonly at?: bigint;
}

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;
const bit = (n: number): bigint => 1n << BigInt(n);

function memoryOf(entries: Readonly<Record<number, bigint>>): { at: string; value: string }[] {
  return Object.entries(entries).map(([at, value]) => ({ at: hex(Number(at)), value: hex(value) }));
}

/** The end of a walk of one stage or two, with the fault's name. */
function endOf(outcome: { readonly kind: string }): End {
  if (outcome.kind !== 'fault') throw new Error('the access was allowed');
  const { name, exit, text } = outcome as { name?: string; exit?: string | null; text?: string };
  return { ...(outcome as unknown as Reason), fault: name ?? exit ?? text ?? '' };
}

/** Each check of a table is broken once, by an access that fails with the table's fault and section. */
function breaksEach(checks: Readonly<Record<string, Check>>, ends: Readonly<Record<string, () => End>>): void {
  it.each(Object.entries(ends))('%s', (name, end) => {
    const { rule, why, section, fault } = end();
    expect({ rule, section }).toEqual({ rule: checks[name].rule, section: checks[name].section });
    expect(fault).toContain(checks[name].fault);
    expect(why).not.toBe('');
  });

  it('and there are no others', () => {
    expect(Object.keys(ends)).toEqual(Object.keys(checks));
  });
}

describe('checks of RISC-V', () => {
  const [V, R, W, X, U, A, D] = [0, 1, 2, 3, 4, 6, 7].map(bit);
  const table = (at: bigint): bigint => (at >> 2n) | V;
  const [FRAME, SV39] = [0x8010_0000n >> 2n, bit(63)];

  interface RiscvOptions extends Options {
    readonly csrs?: Readonly<Record<string, string>>;
    /** Takes the place of the entry above the last. */
    readonly above?: bigint;
  }

  /** The way to page 0 has the entry at its end, in tables of satp; or of hgatp, under a guest without paging. */
  function walk(
    stage: 1 | 2,
    entry: bigint,
    { access = 'read', user = true, at = 0x10n, csrs, above }: RiscvOptions,
  ): End {
    const root = stage === 1 ? { satp: hex(SV39 | 0x80001n) } : { hgatp: hex(SV39 | 0x80004n), vsatp: '0x0' };
    const hart = buildHart(
      parseRiscvState({
        schemaVersion: 1,
        machine: 'riscv',
        tlb: 'none',
        csrs: { ...root, ...csrs },
        memory: memoryOf({
          [stage === 1 ? 0x8000_1000 : 0x8000_4000]: table(0x8000_2000n),
          0x8000_2000: above ?? table(0x8000_3000n),
          0x8000_3000: entry,
        }),
      }),
    );
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
    });
  });

  describe('by hgatp', () => {
    breaksEach(RISCV_GUEST_CHECKS, {
      addressBits: () => walk(2, 0n, { at: bit(41) }),
      ...ofEntries(2),
      user: () => walk(2, FRAME | V | R | A, {}),
    });
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
    readonly above?: bigint;
  }

  function onPe(state: AArch64StateInput, { at = 0n, access = 'read', user = true }: Options): End {
    const pe = buildPe(parseAArch64State(state));
    const request = { ...fromBigInt(at), access, user };
    const { result } = pe.rules.secondOn
      ? explainStages(pe, aarch64NestedTerms(pe, request), request)
      : explainRadixSteps(pe, aarch64Terms(pe, request), request);
    return endOf(result.outcome);
  }

  /** The descriptor at the end of the way to page 0. Tables of TTBR0_EL1, or of stage 2 with stage 1 off. */
  function walk(stage: 1 | 2, descriptor: bigint, { registers, pan = false, above = 0n, ...rest }: ArmOptions): End {
    const first = { TTBR0_EL1: '0x40000000', TCR_EL1: hex(TCR) };
    // 39 bits of address, from level 1 on.
    const vtcr = hex(25n | (1n << 6n) | (2n << 16n));
    const second = { SCTLR_EL1: '0x0', TCR_EL1: '0x0', HCR_EL2: '0x1', VTCR_EL2: vtcr, VTTBR_EL2: '0x40001000' };
    const state: AArch64StateInput = {
      schemaVersion: 1,
      machine: 'aarch64',
      tlb: 'none',
      registers: { ...(stage === 1 ? first : second), ...registers },
      pan,
      memory: memoryOf({
        0x4000_0000: 0x4000_1003n | above,
        0x4000_1000: 0x4000_2003n,
        0x4000_2000: 0x4000_3003n,
        0x4000_3000: descriptor,
      }),
    };
    return onPe(state, rest);
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

describe('checks of x86', () => {
  const USER_PAGE = 0x5007n;

  interface X86Options extends Options {
    readonly registers?: Partial<MachineStateInput['registers']>;
  }

  function walk(entry: bigint, { at = 0n, access = 'read', user = true, registers }: X86Options): End {
    const { mmu } = buildMachine(
      parseState({
        schemaVersion: 1,
        tlb: 'none',
        registers: { cr0: '0x80010001', cr3: '0x1000', cr4: '0x20', efer: '0x900', ...registers },
        memory: memoryOf({ 0x1000: 0x2007n, 0x2000: 0x3007n, 0x3000: 0x4007n, 0x4000: entry }),
      }),
    );
    const { outcome } = explainWalk(mmu, { ...fromBigInt(at), access, user });
    if (outcome.kind !== 'fault') throw new Error('the access was allowed');
    const [{ rule, text }] = outcome.reasons;
    // The section of a reserved bit is that of the mode.
    const section = outcome.section === X86_MODES['4l'].section ? X86_CHECKS.reserved.section : outcome.section;
    return { rule, why: text, section, fault: outcome.name };
  }

  describe('by CR3', () => {
    breaksEach(X86_CHECKS, {
      canonical: () => walk(USER_PAGE, { at: bit(47) }),
      ram: () => walk(USER_PAGE | bit(34), {}),
      present: () => walk(0n, {}),
      reserved: () => walk(USER_PAGE | bit(51), {}),
      user: () => walk(0x5003n, {}),
      smep: () => walk(USER_PAGE, { user: false, access: 'fetch', registers: { cr4: '0x100020' } }),
      smap: () => walk(USER_PAGE, { user: false, registers: { cr4: '0x200020' } }),
      userWrite: () => walk(0x5005n, { access: 'write' }),
      supervisorWrite: () => walk(0x5005n, { user: false, access: 'write' }),
      execute: () => walk(USER_PAGE | bit(63), { access: 'fetch' }),
      key: () => walk(USER_PAGE | (1n << 59n), { registers: { cr4: '0x400020', pkru: '0x4' } }),
    });
  });

  interface GuestOptions {
    readonly access?: AccessKind;
    readonly host?: Partial<NonNullable<MachineStateInput['host']>>;
    readonly maxPhysicalBits?: number;
  }

  /** An access of the small guest with some entries replaced. */
  function guest(
    tables: 'ept' | 'npt',
    replaced: Readonly<Record<number, number | bigint>>,
    { access = 'read', host = {}, maxPhysicalBits = 52 }: GuestOptions = {},
  ): End {
    const changes = { maxPhysicalBits, host: { tables, root: '0x1000', ...host } };
    const { mmu } = buildMachine(parseState(smallGuest(tables, changes, replaced)));
    return endOf(explainNestedWalk(mmu, { hi: 0, lo: SMALL_GUEST_PAGE, access, user: true }).outcome);
  }

  /** A guest without paging on a processor without pages of 1 GiB. */
  function withoutLargest(): End {
    const ram = new Ram({ bytes: 0x10000 });
    ram.write64(0x1000, 0x2007n);
    ram.write64(0x2000, 0xb7n);
    const mmu = new Mmu({ ram, page1G: false });
    mmu.vm.vmlaunch({ eptp: makeEptp(0x1000), vpid: 1, guest: { cr0: 1, cr3: 0, cr4: 0, efer: 0 } });
    return endOf(explainNestedWalk(mmu, { hi: 0, lo: 0, access: 'read', user: true }).outcome);
  }

  describe('by EPT', () => {
    const last = (value: number | bigint, options?: GuestOptions): End =>
      guest('ept', { [LAST_HOST_ENTRY]: value }, options);
    breaksEach(EPT_CHECKS, {
      addressBits: () => guest('ept', { 0x8010: bit(48) | 0x1_0007n }),
      present: () => last(0),
      writeOnly: () => last(0x2_0032),
      address: () => last(bit(40) | 0x2_0037n, { maxPhysicalBits: 40 }),
      tableReserved: () => guest('ept', { 0x2000: 0x300f }),
      memoryType: () => last(0x2_0017),
      aligned: () => guest('ept', { 0x3000: 0x20_20b7 }),
      pageSize: withoutLargest,
      readable: () => last(0x2_0034),
      writable: () => last(0x2_0035, { access: 'write' }),
      entryWritable: () => guest('ept', { 0x4028: 0x5035 }, { host: { accessedDirty: true } }),
      executable: () => last(0x2_0033, { access: 'fetch' }),
    });

    it('by mode-based execute control, of XU', () => {
      const { why } = last(0x2_0037, { access: 'fetch', host: { modeBasedExecute: true } });
      // The tables above the page have no XU either: the first of them is named.
      expect(why).toBe("the host's EPT PML4 entry has XU = 0");
    });
  });

  describe('by nested page tables', () => {
    const last = (value: number | bigint, options?: GuestOptions): End =>
      guest('npt', { [LAST_HOST_ENTRY]: value }, options);
    breaksEach(NPT_CHECKS, {
      addressBits: () => guest('npt', { 0x8010: bit(48) | 0x1_0007n }),
      present: () => last(0),
      reserved: () => last(bit(51) | 0x2_0007n, { maxPhysicalBits: 40 }),
      user: () => last(0x2_0003),
      writable: () => guest('npt', { 0x4028: 0x5005 }),
      executable: () => last(bit(63) | 0x2_0007n, { access: 'fetch' }),
    });
  });

  it("a guest's own fault has the rule of its own tables", () => {
    const { rule, why, section } = guest('ept', { 0x7010: 0x8005 }, { access: 'write' });
    expect({ rule, section }).toEqual({ rule: X86_CHECKS.userWrite.rule, section: X86_CHECKS.userWrite.section });
    expect(why).toBe('PD[2] has R/W = 0: a user-mode write needs R/W = 1 in every entry');
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
