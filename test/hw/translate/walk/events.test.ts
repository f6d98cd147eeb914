import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { READ, USER, WRITE } from '../../../../hw/base/access.js';
import { SIZE_SHIFTS, toNumber } from '../../../../hw/base/address.js';
import { Ram } from '../../../../hw/memory/ram.js';
import { parseTlb } from '../../../../hw/tlb/parse.js';
import { heldEntry } from '../../../../hw/tlb/entry.js';
import type { Tlb } from '../../../../hw/tlb/array/tlb.js';
import type { HeldEntry } from '../../../../hw/tlb/events.js';
import type { TranslationEvent } from '../../../../hw/translate/walk/events.js';
import { CR0_PE, CR0_PG, CR4_PAE } from '../../../../hw/x86/registers.js';
import { Mmu } from '../../../../hw/x86/mmu.js';
import type { MmuOptions } from '../../../../hw/x86/mmu.js';
import { MODES } from '../../x86/random-tables.js';
import { Tables } from '../../tables.js';
import { countsFromEvents } from '../counts/counts-from-events.js';
import { RandomDriver } from '../random-driver.js';
import { runs } from '../../../runs.js';

const STEPS = 40;
const WAYS: readonly [string, Omit<MmuOptions, 'ram'>][] = [
  ['tiny TLBs, walk caches, a cache of entries', { tlb: parseTlb('4x2+8x2+psc'), entryCache: { entries: 8, ways: 2 } }],
  ['arrays for each page size', { tlb: parseTlb('4x2@4K,2x2@2M+8x4/tree-plru') }],
  ['a first level that keeps large pages in pieces', { tlb: parseTlb('4x2@4K+8x4') }],
  ['no TLB', { tlb: parseTlb('none') }],
  ['the checking mode', { tlb: parseTlb('4x2+8x2+psc'), check: true }],
];
const PATHS: readonly [string, Omit<MmuOptions, 'ram'>][] = [
  ...WAYS,
  ['soft', { path: 'soft' }],
  ['walk', { path: 'walk' }],
];
const ram = new Ram({ bytes: 1 << 26 });
const other = new Ram({ bytes: 1 << 26 });

/** From now on all events of a machine, in order. */
function eventsOf(mmu: Mmu): TranslationEvent[] {
  const events: TranslationEvent[] = [];
  mmu.listen((event) => events.push(event));
  return events;
}

/** Calls `check` with the events of each of many random steps, under all modes. */
function forRandomSteps(
  options: Omit<MmuOptions, 'ram'>,
  check: (driver: RandomDriver, events: readonly TranslationEvent[]) => void,
): void {
  fc.assert(
    fc.property(fc.constantFrom(...MODES), fc.integer(), (mode, seed) => {
      const driver = new RandomDriver(ram, mode, seed, options);
      driver.mmu.counters.reset();
      const events = eventsOf(driver.mmu);
      for (let i = 0; i < STEPS; i++) {
        driver.step();
        check(driver, events);
      }
    }),
    { numRuns: runs(15) },
  );
}

describe.each(WAYS)('with %s', (_, options) => {
  it('the events say all that the counters count', () => {
    forRandomSteps(options, ({ mmu }, events) => {
      expect(countsFromEvents(events)).toEqual(mmu.counters.snapshot());
    });
  });

  it('what was filled and not dropped is what the TLBs hold', () => {
    forRandomSteps(options, ({ mmu }, events) => {
      const held = new Set<string>();
      for (const event of events) {
        if (event.kind === 'drop' && event.holds === 'page') held.delete(keyOf(event));
        else if (event.kind === 'fill' && event.holds === 'page') held.add(keyOf(event));
      }
      expect([...held].sort()).toEqual(mmu.tlb.parts.flatMap(({ name, tlb }) => contentsOf(name, tlb)).sort());
    });
  });
});

/** What tells the entries of an array apart; frame and rights may change while an entry stays. */
function keyOf({ where, hi, lo, shift, space }: Omit<HeldEntry, 'holds'>): string {
  return `${where}: 2^${shift} at ${toNumber(hi, lo)} of ${space ?? 'all'}`;
}

function contentsOf(name: string, tlb: Tlb): string[] {
  const places = Array.from({ length: tlb.sets * tlb.ways }, (_, i) =>
    tlb.entryAt(Math.floor(i / tlb.ways), i % tlb.ways),
  );
  return places.flatMap((entry) =>
    entry === null ? [] : [keyOf({ where: name, ...heldEntry(entry, SIZE_SHIFTS[entry.size]) })],
  );
}

describe.each(PATHS)('on the way of %s', (_, options) => {
  it('the accessed and dirty bits that are told are the bits of RAM that change', () => {
    fc.assert(
      fc.property(fc.constantFrom(...MODES), fc.integer(), (mode, seed) => {
        const driver = new RandomDriver(ram, mode, seed, options);
        const tables = driver.tables();
        driver.mmu.listen((event) => {
          if (event.kind !== 'set') return;
          expect(tables[event.address / 4] & event.mask).toBe(0);
          tables[event.address / 4] |= event.mask;
        });
        for (let i = 0; i < STEPS; i++) {
          const { stores } = driver;
          driver.step();
          if (driver.stores === stores) expect(driver.tables().every((word, at) => word === tables[at])).toBe(true);
          else tables.set(driver.tables());
        }
      }),
      { numRuns: runs(10) },
    );
  });

  it('who listens changes no answer, no count and no table', () => {
    fc.assert(
      fc.property(fc.constantFrom(...MODES), fc.integer(), (mode, seed) => {
        const [heard, alone] = [ram, other].map((memory) => new RandomDriver(memory, mode, seed, options));
        let stop: (() => void) | undefined;
        for (let i = 0; i < STEPS; i++) {
          if (i % 10 === 3) stop = heard.mmu.listen(() => undefined);
          if (i % 10 === 8) stop?.();
          expect(heard.step()).toEqual(alone.step());
        }
        expect(heard.mmu.counters.snapshot()).toEqual(alone.mmu.counters.snapshot());
        expect(heard.tables().every((word, at) => word === ram.words[at] && word === other.words[at])).toBe(true);
      }),
      { numRuns: runs(10) },
    );
  });
});

/** The steps of an event in words short enough for a list. */
function inShort(event: TranslationEvent): string {
  const { kind } = event;
  if (kind === 'hit') return `hit ${event.where}`;
  if (kind === 'walk cache hit') return `walk cache hit ${event.where}, level ${event.level}`;
  if (kind === 'read') return `read level ${event.level}${event.address === null ? ' in a register' : ''}`;
  if (kind === 'set') return `set ${event.bit}, level ${event.level}`;
  if (kind === 'fill' || kind === 'drop') return `${kind} ${event.where}`;
  if (kind === 'fault') return `fault of ${event.of}`;
  if (kind === 'instruction') return event.name;
  if (kind === 'invalidate') return `invalidate ${event.scope}`;
  return kind;
}

const PAGE = 0x40_0000;

/** A machine with two neighbouring pages, and what its events are in short. */
function listened(options: Omit<MmuOptions, 'ram'>): { mmu: Mmu; tables: Tables; told: () => string[] } {
  const tables = new Tables();
  tables.map(PAGE, 100);
  tables.map(PAGE + 4096, 101);
  const mmu = tables.mmu(options);
  const events = eventsOf(mmu);
  return { mmu, tables, told: () => events.splice(0).map(inShort) };
}

const READS = [3, 2, 1, 0].map((level) => `read level ${level}`);

describe('the events of', () => {
  it('a first load and a store after it: a walk, then a hit whose entry is not known to be dirty', () => {
    const { mmu, told } = listened({ tlb: parseTlb('4x4+8x8') });
    mmu.translate(0, PAGE, READ | USER);
    expect(told()).toEqual([
      'lookup',
      ...READS,
      ...[3, 2, 1, 0].map((level) => `set accessed, level ${level}`),
      'walked',
      'fill L1 data TLB',
      'fill L2 TLB',
    ]);
    mmu.translate(0, PAGE, WRITE | USER);
    const dirty = ['set dirty, level 0', 'walked', 'fill L1 data TLB', 'fill L2 TLB'];
    expect(told()).toEqual(['lookup', 'hit L1 data TLB', ...READS, ...dirty]);
    mmu.translate(0, PAGE, WRITE | USER);
    expect(told()).toEqual(['lookup', 'hit L1 data TLB']);
  });

  it('a hit of the second level, which fills the first over another page', () => {
    const { mmu, told } = listened({ tlb: parseTlb('1x1+8x8') });
    for (const page of [PAGE, PAGE + 4096]) mmu.translate(0, page, READ);
    told();
    mmu.translate(0, PAGE, READ);
    expect(told()).toEqual(['lookup', 'hit L2 TLB', 'drop L1 data TLB', 'fill L1 data TLB']);
  });

  it('a walk that a walk cache shortens, and its reads in a cache of entries', () => {
    const { mmu, told } = listened({ tlb: parseTlb('4x4+psc'), entryCache: { entries: 8, ways: 8 } });
    mmu.translate(0, PAGE, READ);
    told();
    mmu.translate(0, PAGE + 4096, READ);
    const walk = ['walk cache hit PDE cache, level 0', 'read level 0', 'set accessed, level 0', 'walked'];
    expect(told()).toEqual(['lookup', ...walk, 'fill L1 data TLB', 'entry cache']);
  });

  it('faults: of the address, of a walk, of a hit that drops what it refused', () => {
    const { mmu, tables, told } = listened({ tlb: parseTlb('4x4') });
    tables.map(PAGE, 100, 3);
    mmu.translate(0x8000, 0, READ);
    expect(told()).toEqual(['fault of address']);
    mmu.translate(0, PAGE + 8192, READ);
    expect(told()).toEqual(['lookup', ...READS, 'fault of walk']);
    mmu.translate(0, PAGE, READ);
    told();
    mmu.translate(0, PAGE, READ | USER);
    expect(told()).toEqual(['lookup', 'hit L1 data TLB', 'fault of hit', 'drop L1 data TLB']);
  });

  it('instructions, and what they really drop', () => {
    const { mmu, told } = listened({ tlb: parseTlb('4x4') });
    for (const page of [PAGE, PAGE + 4096]) mmu.translate(0, page, READ);
    told();
    mmu.invlpg(0, PAGE);
    expect(told()).toEqual(['INVLPG', 'invalidate page', 'drop L1 data TLB']);
    mmu.invlpg(0, PAGE);
    expect(told()).toEqual(['INVLPG', 'invalidate page']);
    mmu.writeCr3(0, 0x1000);
    expect(told()).toEqual(['MOV to CR3', 'invalidate space', 'drop L1 data TLB']);
    mmu.writeCr0(0x8000_0000);
    expect(told()).toEqual(['MOV to CR0', 'fault of instruction']);
  });

  it('walks of PAE, whose root is in registers that MOV to CR3 fills', () => {
    const tables = new Tables();
    tables.put(0x1000, 0x2001n);
    tables.put(0x2000, 0x3007n);
    tables.put(0x3000, 0x4007n);
    const mmu = new Mmu({ ram: tables.ram, tlb: parseTlb('none') });
    mmu.writeCr4(CR4_PAE);
    mmu.writeCr0(CR0_PE | CR0_PG);
    const told = eventsOf(mmu);
    mmu.writeCr3(0, 0x1000);
    mmu.translate(0, 0, READ);
    expect(told.map(inShort)).toEqual([
      'MOV to CR3',
      ...Array.from({ length: 4 }, () => 'read level 2'),
      'invalidate space',
      'lookup',
      'read level 2 in a register',
      'read level 1',
      'read level 0',
      'set accessed, level 1',
      'set accessed, level 0',
      'walked',
    ]);
  });

  it('the soft TLB: hits, fills and drops', () => {
    const { mmu, told } = listened({ path: 'soft' });
    mmu.translate(0, PAGE, READ);
    const walk = [...READS, ...[3, 2, 1, 0].map((level) => `set accessed, level ${level}`), 'walked'];
    expect(told()).toEqual(['lookup', ...walk, 'fill soft TLB']);
    mmu.translate(0, PAGE, READ);
    expect(told()).toEqual(['lookup', 'hit soft TLB']);
    mmu.invlpg(0, PAGE);
    expect(told()).toEqual(['INVLPG', 'invalidate page', 'drop soft TLB']);
  });

  it('a batch: those of its accesses one at a time', () => {
    const los = Int32Array.of(PAGE, PAGE + 4, PAGE + 4096, PAGE, PAGE + 4096, PAGE + 12288);
    const his = new Int32Array(los.length);
    for (const options of [{ tlb: parseTlb('1x1+8x8') }, { path: 'soft' }, { path: 'walk' }] as const) {
      const [batch, alone] = [listened(options), listened(options)];
      expect(batch.mmu.translateMany(his, los, los.length, READ, new Int32Array(los.length))).toBe(5);
      for (const lo of los) alone.mmu.translate(0, lo, READ);
      expect(batch.told()).toEqual(alone.told());
      expect(batch.mmu.loadMany(his, los, 5, READ, new Int32Array(5))).toBe(5);
      for (const lo of los.subarray(0, 5)) alone.mmu.translate(0, lo, READ);
      expect(batch.told()).toEqual(alone.told());
    }
  });
});

describe('who listens', () => {
  it('hears nothing more once it has ended it, while another goes on', () => {
    const { mmu, told } = listened({});
    const heard: string[] = [];
    const stop = mmu.listen(({ kind }) => heard.push(kind));
    mmu.translate(0, PAGE, READ);
    expect(heard).toHaveLength(told().length);
    stop();
    stop();
    mmu.translate(0, PAGE, READ);
    expect(told()).toEqual(['lookup', 'hit L1 data TLB']);
    expect(heard.at(-1)).toBe('fill');
  });
});
