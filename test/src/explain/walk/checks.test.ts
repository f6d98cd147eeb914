import { describe, expect, it } from 'vitest';
import { fromBigInt } from '../../../../hw/base/address.js';
import { Ram } from '../../../../hw/memory/ram.js';
import { X86_MODES } from '../../../../hw/x86/format.js';
import { Mmu } from '../../../../hw/x86/mmu.js';
import { makeEptp } from '../../../../hw/x86/nested/virtual-machines.js';
import { buildMachine } from '../../../../src/explain/machine.js';
import { parseState } from '../../../../src/explain/machine-state.js';
import type { AccessKind, MachineStateInput } from '../../../../src/explain/machine-state.js';
import { EPT_CHECKS, NPT_CHECKS } from '../../../../src/explain/nested/host-checks.js';
import { explainNestedWalk } from '../../../../src/explain/nested/x86-nested.js';
import { X86_CHECKS } from '../../../../src/explain/walk/checks.js';
import { explainWalk } from '../../../../src/explain/walk/walk.js';
import { bit, breaksEach, endOf, hex, memoryOf } from '../broken-checks.js';
import type { End, Options } from '../broken-checks.js';
import { LAST_HOST_ENTRY, SMALL_GUEST_PAGE, smallGuest } from '../nested/small-guest.js';

describe('checks of x86', () => {
  const USER_PAGE = 0x5007n;

  interface X86Options extends Options {
    readonly registers?: Partial<MachineStateInput['registers']>;
    /** Stored in place of the entry once a TLB has its page. */
    readonly then?: bigint;
  }

  function walk(entry: bigint, { at = 0n, access = 'read', user = true, registers, then }: X86Options): End {
    const { mmu } = buildMachine(
      parseState({
        schemaVersion: 1,
        tlb: then === undefined ? 'none' : '4x4',
        accesses: then === undefined ? [] : [{ at: '0x0', user: true }],
        registers: { cr0: '0x80010001', cr3: '0x1000', cr4: '0x20', efer: '0x900', ...registers },
        memory: memoryOf({ 0x1000: 0x2007n, 0x2000: 0x3007n, 0x3000: 0x4007n, 0x4000: entry }),
      }),
    );
    if (then !== undefined) mmu.ram.write64(0x4000, then);
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
      kept: () => walk(0x5005n, { access: 'write', then: 0x5007n }),
    });

    it("SMAP's refusal of a page that is the user's no more is one of the TLB", () => {
      const end = walk(USER_PAGE, { user: false, registers: { cr4: '0x200020' }, then: 0x5003n });
      expect(end).toMatchObject({ rule: X86_CHECKS.kept.rule, section: X86_CHECKS.kept.section });
    });

    it('a paging-structure cache that refuses is no fault of the entry below it', () => {
      const { mmu } = buildMachine(
        parseState({
          schemaVersion: 1,
          tlb: 'skylake',
          accesses: [{ at: '0x0', user: true }],
          registers: { cr0: '0x80010001', cr3: '0x1000', cr4: '0x20', efer: '0x900' },
          memory: memoryOf({ 0x1000: 0x2007n, 0x2000: 0x3007n, 0x3000: 0x4005n, 0x4000: USER_PAGE, 0x4008: USER_PAGE }),
        }),
      );
      mmu.ram.write64(0x3000, 0x4007n);
      const request = { hi: 0, lo: 0x1000, access: 'write', user: true } as const;
      // The second time nothing old is left: a page fault drops it.
      const outcomes = [1, 2].map(() => explainWalk(mmu, request).outcome);
      expect(outcomes).toMatchObject([{ reasons: [{ rule: X86_CHECKS.kept.rule }] }, { kind: 'mapped' }]);
    });
  });

  interface GuestOptions {
    readonly access?: AccessKind;
    readonly host?: Partial<NonNullable<MachineStateInput['host']>>;
    readonly maxPhysicalBits?: number;
    /** Stored in place of the guest's last entry once a TLB has the page. */
    readonly then?: bigint;
  }

  /** An access of the small guest with some entries replaced. */
  function guest(
    tables: 'ept' | 'npt',
    replaced: Readonly<Record<number, number | bigint>>,
    { access = 'read', host = {}, maxPhysicalBits = 52, then }: GuestOptions = {},
  ): End {
    const cached = then === undefined ? {} : { tlb: 'skylake', accesses: [{ at: hex(SMALL_GUEST_PAGE), user: true }] };
    const changes = { maxPhysicalBits, host: { tables, root: '0x1000', ...host }, ...cached };
    const { mmu } = buildMachine(parseState(smallGuest(tables, changes, replaced)));
    if (then !== undefined) mmu.ram.write64(0x8010, then);
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
