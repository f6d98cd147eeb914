import { describe, expect, it } from 'vitest';
import { fromBigInt } from '../../../../hw/base/address.js';
import { buildMachine } from '../../../../src/explain/machine.js';
import { parseState } from '../../../../src/explain/machine-state.js';
import { StateError } from '../../../../src/explain/state-form.js';
import type { MachineStateInput } from '../../../../src/explain/machine-state.js';
import { NESTED_ADDRESSES, nestedState } from '../../../../src/explain/nested/nested-demo.js';
import { nestedWalkText } from '../../../../src/explain/nested/nested-text.js';
import type { NestedWalkResult } from '../../../../src/explain/nested/nested-walk.js';
import { explainNestedSteps, explainNestedWalk } from '../../../../src/explain/nested/x86-nested.js';
import { explainWalk } from '../../../../src/explain/walk/walk.js';
import { SMALL_GUEST_PAGE, smallGuest } from './small-guest.js';

function explain(state: MachineStateInput, lo = SMALL_GUEST_PAGE): NestedWalkResult {
  const { mmu } = buildMachine(parseState(state));
  return explainNestedWalk(mmu, { hi: 0, lo, access: 'read', user: true });
}

describe('the walk of a guest', () => {
  it('is drawn as the table it is, read by read', () => {
    expect(nestedWalkText(explain(smallGuest('ept')))).toBe(`\
read of 0x402010 in user mode, 4-level paging over 4-level EPT

Reads       24 entries

guest    guest-physical  PML4  PDPT  PD  PT  entry  at      value
PML4[0]  0x5000          1     2     3   4   5      0x5000  0x6007
PDPT[0]  0x6000          6     7     8   9   10     0x6000  0x7007
PD[2]    0x7010          11    12    13  14  15     0x7010  0x8007
PT[2]    0x8010          16    17    18  19  20     0x8010  0x10007
page     0x10010         21    22    23  24

Result      physical address 0x20010 (4K page)
Sets        guest: A at 0x5000, A at 0x6000, A at 0x7010, A at 0x8010
`);
  });

  it('ends in the row of the address that the host refuses', () => {
    const memory = smallGuest('npt').memory?.filter(({ at }) => at !== '0x4080') ?? [];
    const { rows, outcome } = explain(smallGuest('npt', { memory }));
    expect(rows.at(-1)).toMatchObject({ what: 'refused', guestPhysical: '0x10010' });
    expect(rows.at(-1)?.host.map(({ number, raw }) => [number, raw])).toEqual([
      [21, '0x2027'],
      [22, '0x3027'],
      [23, '0x4027'],
      [24, '0x0'],
    ]);
    expect(outcome).toMatchObject({ kind: 'fault', exit: '#VMEXIT(NPF)' });
  });

  it("ends in the guest's entry that faults, without a row for a page", () => {
    const { rows, outcome } = explain(smallGuest('ept'), 0x40_3000);
    expect(rows.map(({ what }) => what)).toEqual(['PML4[0]', 'PDPT[0]', 'PD[2]', 'PT[3]']);
    expect(outcome).toMatchObject({ kind: 'fault', exit: null });
  });

  it('has dashes where caches answered, and one row left', () => {
    const result = explain(smallGuest('ept', { tlb: 'skylake', accesses: [{ at: '0x402000' }] }), 0x40_3000);
    expect(result.reads).toBe(1);
    expect(nestedWalkText(result)).toContain('PT[3]  -               -     -     -   -   1      0x8018  0x0\n');
  });

  it('needs no read when a TLB has the page', () => {
    const result = explain(smallGuest('ept', { tlb: 'skylake', accesses: [{ at: '0x402000' }] }));
    expect([result.tlb, result.reads, result.rows]).toEqual(['L1 data TLB', 0, []]);
  });

  it('a TLB that refuses is explained by the entries behind it, as they are now', () => {
    const readOnly = { 0x8010: 0x1_0025 };
    const why = [0x1_0025, 0x1_0027].map((now) => {
      const { mmu } = buildMachine(
        parseState(smallGuest('ept', { tlb: 'skylake', accesses: [{ at: '0x402000', user: true }] }, readOnly)),
      );
      mmu.ram.write64(0x8010, BigInt(now));
      const request = { hi: 0, lo: SMALL_GUEST_PAGE, access: 'write', user: true } as const;
      const { tlb, outcome } = explainNestedWalk(mmu, request);
      return [tlb, outcome.kind === 'fault' ? outcome.why : ''];
    });
    expect(why).toEqual([
      ['L1 data TLB', 'PT[2] has R/W = 0: a user-mode write needs R/W = 1 in every entry'],
      ['L1 data TLB', 'the rights kept of an earlier walk refuse it, older than the entries'],
    ]);
  });

  it('a walk cache that refuses is explained by the entries behind it, too', () => {
    const directory = 0x7010;
    const why = [0x8005n, 0x8007n].map((now) => {
      const changes = { tlb: 'skylake', accesses: [{ at: '0x402000', user: true }] };
      const { mmu } = buildMachine(parseState(smallGuest('ept', changes, { [directory]: 0x8005, 0x8018: 0x1_0007 })));
      mmu.ram.write64(directory, now);
      const { rows, outcome } = explainNestedWalk(mmu, { hi: 0, lo: 0x40_3000, access: 'write', user: true });
      return [rows.map(({ what }) => what), outcome.kind === 'fault' ? outcome.why : ''];
    });
    expect(why).toEqual([
      [['PT[3]'], 'PD[2] has R/W = 0: a user-mode write needs R/W = 1 in every entry'],
      [['PT[3]'], 'the rights kept of an earlier walk refuse it, older than the entries'],
    ]);
  });

  it('without paging is the way of the host alone', () => {
    const registers = { cr0: '0x1' };
    const { rows, reads } = explain(smallGuest('ept', { registers }), 0x1_0010);
    expect(reads).toBe(4);
    expect(rows).toMatchObject([{ what: 'page', guestPhysical: '0x10010' }]);
  });

  it('comes with each step of the processor, those of the host too', () => {
    const { mmu } = buildMachine(parseState(smallGuest('ept')));
    const { steps } = explainNestedSteps(mmu, { hi: 0, lo: SMALL_GUEST_PAGE, access: 'write', user: true });
    const texts = steps.map(({ text }) => text);
    expect(texts[1]).toBe("host's EPT PML4 entry at 0x1000: 0x2007");
    expect(texts).toContain('dirty bit of the entry at 0x8010');
  });
});

it('is no walk of one stage', () => {
  const { mmu } = buildMachine(parseState(smallGuest('ept')));
  expect(() => explainWalk(mmu, { hi: 0, lo: SMALL_GUEST_PAGE, access: 'read', user: true })).toThrow(
    'explainNestedWalk',
  );
});

it('a guest in a state that no processor enters is a mistake of the state', () => {
  const registers = { cr0: '0x80010000', cr3: '0x5000', cr4: '0x20', efer: '0x900' };
  expect(() => buildMachine(parseState(smallGuest('ept', { registers })))).toThrow(StateError);
});

it('the demonstration has its kinds of ends: 24 entries, a violation, a fault of the guest, a large page of both', () => {
  const ends = NESTED_ADDRESSES.map(([address]) => {
    const { mmu } = buildMachine(parseState(nestedState()));
    const { reads, outcome } = explainNestedWalk(mmu, { ...fromBigInt(BigInt(address)), access: 'read', user: true });
    return `${reads} ${outcome.kind === 'mapped' ? (outcome.page ?? '') : (outcome.exit ?? 'guest')}`;
  });
  expect(ends).toEqual(['24 4K', '24 4K', '23 EPT violation', '20 guest', '18 2M']);
});
