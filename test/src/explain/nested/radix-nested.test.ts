import { describe, expect, it } from 'vitest';
import { fromBigInt } from '../../../../hw/base/address.js';
import { AARCH64_GUEST_ADDRESSES, aarch64GuestState } from '../../../../src/explain/aarch64/aarch64-demo.js';
import { buildPe, parseAArch64State } from '../../../../src/explain/aarch64/aarch64-state.js';
import type { AArch64StateInput } from '../../../../src/explain/aarch64/aarch64-state.js';
import { aarch64NestedTerms } from '../../../../src/explain/aarch64/walk.js';
import type { AccessKind } from '../../../../src/explain/machine-state.js';
import { nestedWalkText } from '../../../../src/explain/nested/nested-text.js';
import { explainStages } from '../../../../src/explain/nested/nested-walk.js';
import type { NestedWalkResult } from '../../../../src/explain/nested/nested-walk.js';
import { RISCV_GUEST_ADDRESSES, riscvGuestState } from '../../../../src/explain/riscv/riscv-demo.js';
import { buildHart, parseRiscvState } from '../../../../src/explain/riscv/riscv-state.js';
import type { RiscvStateInput } from '../../../../src/explain/riscv/riscv-state.js';
import { riscvNestedTerms } from '../../../../src/explain/riscv/walk.js';
import { hexOf } from '../../../../src/explain/table-writer.js';

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
