import { describe, expect, it } from 'vitest';
import { READ } from '../../../../hw/base/access.js';
import { toHex } from '../../../../hw/base/address.js';
import type { TranslationEvent } from '../../../../hw/translate/walk/events.js';
import type { TlbGeometry } from '../../../../hw/tlb/hierarchy.js';
import { MODEL_DEFAULT, NO_TLB } from '../../../../hw/tlb/presets.js';
import { INVEPT_GLOBAL } from '../../../../hw/x86/nested/virtual-machines.js';
import { Tables } from '../../tables.js';
import { DATA, GUEST_PAGE, Nest, PAGE } from './nest.js';
import type { NestOptions } from './nest.js';

/** Entries read by one walk. */
function reads(kind: 'ept' | 'npt', options: NestOptions): number {
  const nest = new Nest(kind, { ...options, tlb: NO_TLB });
  expect(nest.tell(READ)).toMatch(/^frame/);
  return nest.mmu.walkRecord.count;
}

describe('entries read by a walk', () => {
  it.each<[string, 'ept' | 'npt', NestOptions, number]>([
    ['4 levels over 4, EPT', 'ept', {}, 24],
    ['4 levels over 4, NPT', 'npt', {}, 24],
    ['5 levels over 5, EPT', 'ept', { guest: '5l', hostLevels: 5 }, 35],
    ['5 levels over 5, NPT', 'npt', { guest: '5l', hostLevels: 5 }, 35],
    ['4 levels over 5', 'ept', { hostLevels: 5 }, 29],
    ['5 levels over 4', 'npt', { guest: '5l' }, 29],
    ['a page of 2 MiB over 4 levels', 'ept', { guestPage: 1 }, 19],
    ['4 levels over pages of 2 MiB', 'ept', { hostPage: 1 }, 19],
    ['pages of 2 MiB over pages of 2 MiB', 'npt', { guestPage: 1, hostPage: 1 }, 15],
    ['32-bit paging over 4 levels', 'ept', { guest: '32' }, 14],
    ['PAE with its PDPTEs in registers, EPT', 'ept', { guest: 'pae' }, 14],
    ['PAE with its PDPTEs in memory, NPT', 'npt', { guest: 'pae' }, 19],
    ['no paging over 4 levels', 'ept', { guest: 'none' }, 4],
    ['no paging over 5 levels', 'npt', { guest: 'none', hostLevels: 5 }, 5],
  ])('%s', (_, kind, options, expected) => {
    expect(reads(kind, options)).toBe(expected);
  });

  it('4 without a host', () => {
    const tables = new Tables();
    tables.map(PAGE, 9);
    const mmu = tables.mmu({ tlb: NO_TLB });
    expect([mmu.translate(0, PAGE, READ), mmu.walkRecord.count]).toEqual([9, 4]);
  });

  it('and counted by stage', () => {
    const { mmu } = new Nest('ept', { tlb: NO_TLB });
    mmu.translate(0, PAGE, READ);
    const { data } = mmu.counters.snapshot();
    expect([data.walks, data.entryReads, data.secondStageReads]).toEqual([1, 4, 20]);
    expect(data.entryReadsByLevel).toEqual([1, 1, 1, 1, 0]);
  });
});

describe('the record of a walk', () => {
  it('has stage and level of each entry, in order: the host for each table, the table, last the host for the page', () => {
    const nest = new Nest('ept', { tlb: NO_TLB });
    nest.tell(READ);
    const host = '2.3 2.2 2.1 2.0';
    const steps = nest.mmu.walkRecord.reads().map(({ stage, level }) => `${stage}.${level}`);
    expect(steps.join(' ')).toBe([3, 2, 1, 0].map((level) => `${host} 1.${level}`).join(' ') + ` ${host}`);
  });

  it('is told as events, read by read', () => {
    const nest = new Nest('npt', { tlb: NO_TLB });
    const events: TranslationEvent[] = [];
    nest.mmu.listen((event) => events.push(event));
    nest.tell(READ);
    const told = events
      .filter((event) => event.kind === 'read')
      .map(({ address, stage, level }) => [address, stage, level]);
    expect(told).toEqual(nest.mmu.walkRecord.reads().map(({ address, stage, level }) => [address, stage, level]));
    expect(told.length).toBe(24);
  });
});

describe('walk caches', () => {
  const { walkCaches } = MODEL_DEFAULT;
  const tlb = { ...NO_TLB, ...(walkCaches && { walkCaches }), secondStageWalkCaches: {} };

  it("lead to the guest's last table without a walk of the host for it", () => {
    const nest = new Nest('ept', { tlb });
    nest.mapGuest(PAGE + 4096, GUEST_PAGE);
    nest.tell(READ);
    expect(nest.tell(READ, PAGE + 4096)).toBe('frame 0');
    expect(nest.mmu.walkRecord.reads().map(({ stage, level }) => `${stage}.${level}`)).toEqual([
      '1.0',
      '2.3',
      '2.2',
      '2.1',
      '2.0',
    ]);
    expect(nest.mmu.counters.snapshot().data.shortenedWalks).toBe(1);
  });

  it('and with the TLB of the second stage nothing but the last entry', () => {
    const nest = new Nest('npt', { tlb: { ...MODEL_DEFAULT, l1Data: [], l2: [] } });
    nest.mapGuest(PAGE + 4096, GUEST_PAGE);
    nest.tell(READ);
    nest.tell(READ, PAGE + 4096);
    expect(nest.mmu.walkRecord.reads().map(({ stage, level }) => `${stage}.${level}`)).toEqual(['1.0']);
  });

  it('lose the tables of a guest by INVEPT', () => {
    const nest = new Nest('ept', { tlb });
    const table = nest.guestEntry(PAGE, 0) & ~0xfff;
    const copy = nest.frame();
    nest.tell(READ);
    nest.put(copy * 4096 + 16, BigInt((GUEST_PAGE + 4096) | 7));
    nest.mapHost(GUEST_PAGE + 4096, DATA + 1);
    nest.mapHost(table, copy);
    expect(nest.tell(READ)).toBe('frame 0');
    nest.mmu.vm.vmexit();
    nest.mmu.vm.invept(INVEPT_GLOBAL);
    nest.enter();
    expect(nest.tell(READ)).toBe('frame 1');
  });

  it('do not keep a table that the host maps read-only: its entries may need an A bit', () => {
    const nest = new Nest('ept', { tlb });
    nest.mapGuest(PAGE + 4096, GUEST_PAGE);
    nest.set(nest.guestEntry(PAGE, 0), 0x20n);
    nest.clear(nest.hostEntry(nest.guestEntry(PAGE, 0) & ~0xfff, 0), 2n);
    expect(nest.tell(READ)).toBe('frame 0');
    expect(nest.tell(READ, PAGE + 4096)).toMatch(/^EPT violation aa/);
  });
});

it("a host's table is not cached by a walk that ended without RAM: it has not marked the way to it", () => {
  const walkCaches = { level1: { entries: 4, ways: 4 } };
  const nest = new Nest('ept', { tlb: { ...NO_TLB, secondStageWalkCaches: walkCaches }, accessedDirty: true });
  nest.mapHost(GUEST_PAGE, 1 << 20);
  nest.mapHost(GUEST_PAGE + 4096, DATA + 1);
  nest.mapGuest(PAGE + 4096, GUEST_PAGE + 4096);
  const accessed = (): bigint => nest.ram.read64(nest.hostEntry(GUEST_PAGE, 1)) & 0x100n;
  expect(nest.tell(READ)).toMatch(/^fault/);
  expect(accessed()).toBe(0n);
  expect(nest.tell(READ, PAGE + 4096)).toBe('frame 1');
  expect(accessed()).toBe(0x100n);
});

/**
 * Of a second page of the same table. Walk caches of linear addresses lead to a guest's table, in the host's memory
 * (combined mappings); those of guest-physical addresses to a host's table; the TLB of the second stage has all but the new
 * page. Source: Intel SDM vol. 3C, "Information That May Be Cached".
 */
describe('entries left to read with warm caches', () => {
  const walkCaches = { level1: { entries: 4, ways: 4 } };
  const secondStage = [{ entries: 64, ways: 4, pages: [12] }];
  const long = { guest: '5l', hostLevels: 5 } as const;
  it.each<[string, Partial<TlbGeometry>, NestOptions, string]>([
    ["the guest's walk caches", { walkCaches, secondStageWalkCaches: {} }, {}, '1.0 2.3 2.2 2.1 2.0'],
    ["the host's", { secondStageWalkCaches: walkCaches }, {}, '2.0 1.3 2.0 1.2 2.0 1.1 2.0 1.0 2.0'],
    ['both', { walkCaches }, {}, '1.0 2.0'],
    ['the TLB of the second stage', { secondStage }, {}, '1.3 1.2 1.1 1.0 2.3 2.2 2.1 2.0'],
    ["and the host's walk caches", { secondStage, secondStageWalkCaches: walkCaches }, {}, '1.3 1.2 1.1 1.0 2.0'],
    ["and the guest's", { secondStage, walkCaches }, {}, '1.0 2.0'],
    ["5 over 5 levels: the guest's", { walkCaches, secondStageWalkCaches: {} }, long, '1.0 2.4 2.3 2.2 2.1 2.0'],
    ['5 over 5 levels: all', { secondStage, walkCaches }, long, '1.0 2.0'],
    [
      'over pages of 2 MiB: all',
      { secondStage: [{ entries: 4, ways: 4, pages: [21] }], walkCaches },
      { hostPage: 1 },
      '1.0',
    ],
  ])('%s', (_, caches, options, left) => {
    for (const kind of ['ept', 'npt'] as const) {
      const nest = new Nest(kind, { ...options, tlb: { ...NO_TLB, ...caches } });
      nest.mapGuest(PAGE + 4096, GUEST_PAGE + 4096);
      if (options.hostPage !== 1) nest.mapHost(GUEST_PAGE + 4096, DATA + 1);
      nest.tell(READ);
      expect(nest.tell(READ, PAGE + 4096)).toMatch(/^frame/);
      expect(
        nest.mmu.walkRecord
          .reads()
          .map(({ stage, level }) => `${stage}.${level}`)
          .join(' '),
        kind,
      ).toBe(left);
    }
  });

  it('none of them, when another linear address leads to a page known to the second stage but for the guest’s own', () => {
    const nest = new Nest('ept', { tlb: { ...NO_TLB, secondStage, walkCaches } });
    nest.mapGuest(PAGE + 4096, GUEST_PAGE);
    nest.tell(READ);
    nest.tell(READ, PAGE + 4096);
    expect(nest.mmu.walkRecord.reads().map(({ stage, level }) => `${stage}.${level}`)).toEqual(['1.0']);
  });
});

describe('what the second stage keeps', () => {
  it('is told: hits, fills and drops', () => {
    const nest = new Nest('ept', {
      guest: 'none',
      tlb: { ...MODEL_DEFAULT, secondStageWalkCaches: { level1: { entries: 4, ways: 4 } } },
    });
    nest.mapHost(GUEST_PAGE + 4096, DATA + 1);
    const told: string[] = [];
    nest.mmu.listen((event) => {
      const { kind } = event;
      if (kind !== 'fill' && kind !== 'drop' && kind !== 'second-stage hit') return;
      told.push(`${kind} ${event.holds.replace('guest-physical ', '')} ${toHex(event.lo)}`);
    });
    nest.tell(READ);
    nest.tell(READ);
    nest.tell(READ, GUEST_PAGE + 4096);
    nest.mmu.vm.invept(INVEPT_GLOBAL);
    const [table, page, next] = ['table 0x600000', `page ${toHex(GUEST_PAGE)}`, `page ${toHex(GUEST_PAGE + 4096)}`];
    expect(told).toEqual([
      ...[`fill ${table}`, `fill ${page}`, `second-stage hit ${page}`],
      ...[`second-stage hit table ${toHex(GUEST_PAGE + 4096)}`, `fill ${next}`],
      ...[`drop ${page}`, `drop ${next}`, `drop ${table}`],
    ]);
  });

  it('leaves the guest its own entries and the page to be walked', () => {
    const nest = new Nest('ept', {
      tlb: { ...NO_TLB, secondStage: [{ entries: 64, ways: 4, pages: [12, 21, 22, 30] }] },
    });
    nest.mapGuest(PAGE + 4096, GUEST_PAGE + 4096);
    nest.mapHost(GUEST_PAGE + 4096, 0x99);
    nest.tell(READ);
    expect(nest.mmu.walkRecord.count).toBe(24);
    nest.tell(READ, PAGE + 4096);
    expect(nest.mmu.walkRecord.reads().map(({ stage }) => stage)).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
  });
});
