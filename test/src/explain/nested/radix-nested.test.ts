import { describe, expect, it } from 'vitest';
import { fromBigInt } from '../../../../hw/base/address.js';
import { AARCH64_STAGE2_MODES } from '../../../../hw/aarch64/format.js';
import {
  AARCH64_GUEST_ADDRESSES,
  aarch64GuestState,
  aarch64Tables,
  GRANULES,
} from '../../../../src/explain/aarch64/aarch64-demo.js';
import { buildPe, parseAArch64State } from '../../../../src/explain/aarch64/aarch64-state.js';
import type { AArch64StateInput } from '../../../../src/explain/aarch64/aarch64-state.js';
import { aarch64NestedTerms } from '../../../../src/explain/aarch64/walk.js';
import type { AccessKind } from '../../../../src/explain/machine-state.js';
import { nestedWalkText } from '../../../../src/explain/nested/nested-text.js';
import { explainStages } from '../../../../src/explain/nested/nested-walk.js';
import type { NestedWalkResult } from '../../../../src/explain/nested/nested-walk.js';
import { RISCV_GUEST_ADDRESSES, riscvGuestState } from '../../../../src/explain/riscv/riscv-demo.js';
import { RiscvTableWriter } from '../../../../src/explain/riscv/riscv-tables.js';
import { buildHart, parseRiscvState } from '../../../../src/explain/riscv/riscv-state.js';
import type { RiscvStateInput } from '../../../../src/explain/riscv/riscv-state.js';
import { riscvNestedTerms } from '../../../../src/explain/riscv/walk.js';
import { hexOf, TableWriter } from '../../../../src/explain/table-writer.js';

type Explained = ReturnType<typeof explainStages>;

function onHart(state: RiscvStateInput, address: string, access: AccessKind = 'read'): Explained {
  const hart = buildHart(parseRiscvState(state));
  const request = { ...fromBigInt(BigInt(address)), access, user: true };
  return explainStages(hart, riscvNestedTerms(hart, request), request);
}

function onPe(state: AArch64StateInput, address: string, access: AccessKind = 'read'): Explained {
  const pe = buildPe(parseAArch64State(state));
  const request = { ...fromBigInt(BigInt(address)), access, user: true };
  return explainStages(pe, aarch64NestedTerms(pe, request), request);
}

/** A state with the entry at a physical address replaced. */
function withEntry<State extends { readonly memory?: RiscvStateInput['memory'] }>(
  state: State,
  at: string,
  change: (value: bigint) => bigint,
): State {
  const found = state.memory?.some((stored) => stored.at === at) ?? false;
  if (!found) throw new Error(`the state has nothing at ${at}`);
  const memory = state.memory?.map((stored) =>
    stored.at === at ? { ...stored, value: hexOf(change(BigInt(stored.value))) } : stored,
  );
  return { ...state, memory };
}

function endOf({ outcome, reads }: NestedWalkResult): string {
  if (outcome.kind === 'mapped') return `${reads} ${outcome.physical} ${outcome.page ?? ''}`;
  return `${reads} stage ${outcome.stage} ${outcome.guestPhysical ?? ''}`.trim();
}

describe('a guest of RISC-V, Sv39 over Sv39x4', () => {
  it('the demonstration has its kinds of ends: 15 entries, a refusal of the host, a fault of the guest, a large page', () => {
    expect(RISCV_GUEST_ADDRESSES.map(([address]) => endOf(onHart(riscvGuestState(), address).result))).toEqual([
      '15 0x809002d8 4K',
      '15 0x80901008 4K',
      '14 stage 2 0x803ff000',
      '12 stage 1',
      '10 0x80c00123 2M',
    ]);
  });

  it('a refusal of the host tells the guest-physical address, htval, and the rule', () => {
    const text = nestedWalkText(onHart(riscvGuestState(), '0x401008', 'write').result);
    expect(text).toContain('refused     0x80101008      13       14       15\n');
    // htval is the guest-physical address shifted right by 2.
    expect(text).toContain(`cause 23, stval 0x401008, htval\n            0x${(0x80101008 / 4).toString(16)}\n`);
    expect(text).toContain("Stage       2, the host's tables: guest-physical 0x80101008\n");
    expect(text).toContain("Why         the host's page has W = 0\n");
  });

  it("a fault of the guest's own tables has no htval", () => {
    const { result } = onHart(riscvGuestState(), '0x700000');
    expect(result.outcome).toMatchObject({
      stage: 1,
      guestPhysical: null,
      exit: null,
      text: 'load page fault, cause 13, stval 0x700000',
      why: 'the entry of level 0 is not valid: V = 0',
    });
  });

  it.each([
    // The host's entry for the guest's last table: reads of entries are refused there, with a pseudoinstruction in htinst.
    [
      'U = 0',
      '0x800090a0',
      1n << 4n,
      /htinst 0x3000$/,
      "the host's page has U = 0: each access counts as one of user mode",
    ],
    [
      'A = 0',
      '0x800090a0',
      1n << 6n,
      /htinst 0x3000$/,
      'accessed or dirty is clear, and software is to set it (Svade)',
    ],
    ['V = 0', '0x80009808', 1n, /htval 0x20040402$/, "the host's entry of level 0 is not valid: V = 0"],
  ])('why the host refuses: %s', (_, at, bit, text, why) => {
    const state = withEntry(riscvGuestState(), at, (value) => value & ~bit);
    const { outcome } = onHart({ ...state, csrs: { ...state.csrs, menvcfg: '0x0' } }, '0x401008').result;
    expect(outcome).toMatchObject({ kind: 'fault', stage: 2, why });
    expect(outcome).toHaveProperty('text', expect.stringMatching(text));
  });

  it('a guest-physical address may be too long for the mode of hgatp', () => {
    const state = withEntry(riscvGuestState(), '0x80814008', (value) => value | (1n << 50n));
    expect(onHart(state, '0x401008').result.outcome).toMatchObject({
      stage: 2,
      why: 'guest-physical addresses of Sv39x4 have 41 bits',
    });
  });

  it('comes with each step of the processor', () => {
    const { steps } = onHart(riscvGuestState(), '0x401008');
    const texts = steps.map(({ text }) => text);
    expect(texts.slice(3, 5)).toEqual([
      "host's level 0 entry at 0x80009080: 0x202040d7",
      'level 2[0] at 0x80810000: 0x20004c01',
    ]);
  });
});

/** satp, vsatp or hgatp by the number of a mode: bit 31 in RV32, else bits 63:60. */
const atp = (mode: number, root: bigint): string => hexOf((BigInt(mode) << (mode === 1 ? 31n : 60n)) | (root >> 12n));

describe('every mode of vsatp over every mode of hgatp, by state file', () => {
  const PAGE = 0x8040_0000n;
  const RIGHTS = 0xd7;
  const NUMBERS = { sv32: 1, sv39: 8, sv48: 9, sv57: 10, sv32x4: 1, sv39x4: 8, sv48x4: 9, sv57x4: 10, bare: 0 };
  const wide = ['bare', 'sv39', 'sv48', 'sv57'] as const;
  const pairs = [
    ...wide.flatMap((guest) => (['bare', 'sv39x4', 'sv48x4', 'sv57x4'] as const).map((host) => [guest, host] as const)),
    ...(['bare', 'sv32'] as const).flatMap((guest) =>
      (['bare', 'sv32x4'] as const).map((host) => [guest, host] as const),
    ),
  ];
  it.each(pairs)('%s over %s', (guestMode, hostMode) => {
    const guest = guestMode === 'bare' ? null : new RiscvTableWriter(guestMode, 0x8001_0000n);
    guest?.map(0x40_1000n, PAGE, RIGHTS);
    const host = hostMode === 'bare' ? null : new RiscvTableWriter(hostMode, 0x8000_4000n);
    const memory = guest?.memory ?? [];
    for (const page of [...memory.map(({ at }) => BigInt(at) & -0x1000n), PAGE]) host?.map(page, page, RIGHTS);
    const narrow = guestMode === 'sv32' || hostMode === 'sv32x4';
    const state: RiscvStateInput = {
      schemaVersion: 1,
      machine: 'riscv',
      xlen: narrow ? 32 : 64,
      tlb: 'none',
      csrs: { vsatp: atp(NUMBERS[guestMode], 0x8001_0000n), hgatp: atp(NUMBERS[hostMode], 0x8000_4000n) },
      memory: [...(host?.memory ?? []), ...memory],
    };
    const { reads, outcome } = onHart(state, guest === null ? hexOf(PAGE) : '0x401000').result;
    const levels = (writer: RiscvTableWriter | null): number => writer?.form.levels.length ?? 0;
    expect(outcome).toMatchObject({ kind: 'mapped', physical: hexOf(PAGE) });
    expect(reads).toBe((levels(guest) + 1) * (levels(host) + 1) - 1);
  });
});

describe('a guest of AArch64, under stage 2', () => {
  it('the demonstration has its kinds of ends: 19 entries, a refusal of the host, a fault of the guest, a block', () => {
    expect(AARCH64_GUEST_ADDRESSES.map(([address]) => endOf(onPe(aarch64GuestState(), address).result))).toEqual([
      '19 0x409002d8 4K',
      '19 0x40901008 4K',
      '18 stage 2 0x403ff000',
      '16 stage 1',
      '14 0x40c00123 2M',
    ]);
  });

  it('a refusal of the host tells the intermediate physical address, HPFAR_EL2, and the rule', () => {
    const { outcome } = onPe(aarch64GuestState(), '0x401008', 'write').result;
    expect(outcome).toMatchObject({
      stage: 2,
      guestPhysical: '0x40101008',
      // HPFAR_EL2 has bits 51:12 of it from bit 4 on.
      text: 'permission fault, level 3, ESR_EL2 0x9200004f, FAR_EL2 0x401008, HPFAR_EL2 0x401010',
      why: "the host's page has S2AP[1] = 0: no writes",
    });
  });

  it.each([
    ['S2AP[0] = 0', '0x40003808', 1n << 6n, 'read', "the host's page has S2AP[0] = 0: no reads"],
    [
      'AF = 0',
      '0x40003808',
      1n << 10n,
      'read',
      "the host's descriptor of level 3 has AF = 0, and software is to set it (VTCR_EL2.HA = 0)",
    ],
    ['no reads of descriptors', '0x400030b0', 1n << 6n, 'read', "the host's page has S2AP[0] = 0: no reads"],
  ] as const)('why the host refuses: %s', (_, at, bit, access, why) => {
    const state = withEntry(aarch64GuestState(), at, (value) => value & ~bit);
    expect(onPe(state, '0x401008', access).result.outcome).toMatchObject({ kind: 'fault', stage: 2, why });
  });

  it('a fetch from a page of the host with XN', () => {
    const state = withEntry(aarch64GuestState(), '0x40003808', (value) => value | (2n << 53n));
    const open = withEntry(state, '0x40816008', (value) => value & ~(3n << 53n));
    expect(onPe(open, '0x401008', 'fetch').result.outcome).toMatchObject({
      why: "the host's page has XN set: no execution at this level",
    });
  });

  it.each([
    [
      'an address too long for it',
      '0x20058',
      '0x20000000010',
      'intermediate physical addresses have 40 bits (VTCR_EL2.T0SZ)',
    ],
    ['a root too large', '0x20018', '0x0', 'VTCR_EL2.T0SZ and SL0 do not fit together: stage 2 has no walks'],
  ])('VTCR_EL2 may have %s', (_, VTCR_EL2, bits, why) => {
    const state = withEntry(aarch64GuestState(), '0x40816008', (value) => value | (BigInt(bits) & ~0xffn));
    const registers = { ...state.registers, VTCR_EL2, TCR_EL1: '0x580100010' };
    expect(onPe({ ...state, registers }, '0x401008').result.outcome).toMatchObject({ stage: 2, why });
  });
});

describe('every granule over every granule of stage 2, by state file', () => {
  const PAGE = 0x4040_0000n;
  const GUEST_ROOT = 0x4010_0000n;
  /** log2 of a page; TG0; levels of 40 bits, and SL0 for so many. */
  const SHAPES = {
    '4k': { shift: 12, tg0: 0n, levels: 3, sl0: 1n, txsz: 16n },
    '16k': { shift: 14, tg0: 2n, levels: 3, sl0: 2n, txsz: 17n },
    '64k': { shift: 16, tg0: 1n, levels: 2, sl0: 1n, txsz: 22n },
  };
  it.each(GRANULES.flatMap((guest) => GRANULES.map((host) => [guest, host] as const)))('%s over %s', (guest, host) => {
    const [first, second] = [SHAPES[guest], SHAPES[host]];
    const program = aarch64Tables(guest, GUEST_ROOT);
    program.set(0x40_0000n, PAGE | 0x443n, first.shift);
    const levels = AARCH64_STAGE2_MODES[host].levels.slice(-second.levels);
    const rootBits = 40 - levels[0].shift;
    const tables = new TableWriter(
      {
        levels: levels.map((level, n) => (n === 0 ? { ...level, indexBits: rootBits } : level)),
        entryBytes: 8,
        tableBytes: 2 ** second.shift,
        rootBytes: Math.max(2 ** second.shift, 2 ** (rootBits + 3)),
        entryFor: (table) => table | 3n,
        tableOf: (entry) => entry & ~3n,
      },
      0x4000_0000n,
    );
    const lines = new Set(
      [...program.memory.map(({ at }) => BigInt(at)), PAGE].map((at) => at & -(2n ** BigInt(second.shift))),
    );
    for (const at of lines) tables.set(at, at | 0x4c3n, second.shift);
    const state: AArch64StateInput = {
      schemaVersion: 1,
      machine: 'aarch64',
      tlb: 'none',
      registers: {
        TTBR0_EL1: hexOf(GUEST_ROOT),
        TCR_EL1: hexOf((2n << 32n) | (first.tg0 << 14n) | first.txsz),
        HCR_EL2: '0x1',
        VTCR_EL2: hexOf((2n << 16n) | (second.tg0 << 14n) | (second.sl0 << 6n) | 24n),
        VTTBR_EL2: '0x40000000',
      },
      memory: [...tables.memory, ...program.memory],
    };
    const { reads, outcome } = onPe(state, '0x400000').result;
    expect(outcome).toMatchObject({ kind: 'mapped', physical: hexOf(PAGE) });
    expect(reads).toBe((program.form.levels.length + 1) * (second.levels + 1) - 1);
  });
});
