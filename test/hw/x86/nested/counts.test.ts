import { describe, expect, it } from 'vitest';
import { READ } from '../../../../hw/base/access.js';
import { toHex } from '../../../../hw/base/address.js';
import type { TranslationEvent } from '../../../../hw/translate/walk/events.js';
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
  const tlb = { ...NO_TLB, ...(walkCaches && { walkCaches }) };

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

describe('the TLB of the second stage', () => {
  it('tells of its fills and drops', () => {
    const nest = new Nest('ept', { guest: 'none' });
    const told: string[] = [];
    nest.mmu.listen((event) => {
      if (event.kind === 'fill' || event.kind === 'drop') told.push(`${event.kind} ${event.holds} ${toHex(event.lo)}`);
    });
    nest.tell(READ);
    nest.mmu.vm.invept(INVEPT_GLOBAL);
    const page = `guest-physical page ${toHex(GUEST_PAGE)}`;
    expect(told).toEqual([`fill ${page}`, `drop ${page}`]);
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
