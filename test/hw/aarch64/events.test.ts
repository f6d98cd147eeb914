import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pe } from '../../../hw/aarch64/pe.js';
import { READ, WRITE } from '../../../hw/base/access.js';
import { fromBigInt } from '../../../hw/base/address.js';
import { Ram } from '../../../hw/memory/ram.js';
import { MODEL_DEFAULT } from '../../../hw/tlb/presets.js';
import type { TranslationEvent } from '../../../hw/translate/walk/events.js';
import { runs } from '../../runs.js';
import { ACCESSES } from '../against-reference.js';
import { eventsAreTrue, eventsTellWhatHappens } from '../events-of-walks.js';
import type { RightsByStage } from '../event-ledger.js';
import { RandomPe, TABLE_BYTES } from './random-tables.js';
import { AF, DATA, DBM, HA, HD, KIB_64, NG, outcome, PAGE, READ_ONLY, Tables } from './tables.js';

const ram = new Ram({ bytes: 1 << 26 });
const MACHINES: readonly RandomPe['options'][] = [
  { cpu: 'max', granule: 12 },
  { cpu: 'max', granule: 14 },
  { cpu: 'max', granule: 16 },
  { cpu: 'max', granule: 12, second: 12 },
  { cpu: 'max', granule: 16, second: 14 },
  { cpu: 'max', granule: undefined, second: 12 },
  { cpu: 'max', granule: 12, upper: 16 },
  { cpu: 'max', granule: 16, upper: 14, second: 12 },
];

/** What the bits 62:59 of table descriptors take away, unless TCR_EL1.HPD0 or HPD1 is set; stage 2 has none. */
function rights(pe: Pe): RightsByStage {
  return (stage, hi) => {
    const ignored = stage === 2 || ((pe.readRegister('TCR_EL1') >> (hi < 0 ? 42n : 41n)) & 1n) !== 0n;
    const mask = ignored ? 0 : 0x7800_0000;
    const after = (left: number, high: number, low: number, level: number): number =>
      (low & 1) === 0 ? 0 : (low & 2) !== 0 && level > 0 ? left | (high & mask) : left;
    return { bytes: 8, root: 0, after };
  };
}

describe.each(MACHINES)('granule 2^$granule, upper half 2^$upper, over 2^$second', (options) => {
  eventsAreTrue((into, seed, { tlb, path }) => {
    const random = new RandomPe(into, options, seed);
    const { pe } = random.boot(tlb, path);
    return {
      random,
      machine: pe,
      rights: rights(pe),
      instructions: [
        () => {
          pe.tlbi('VMALLE1');
        },
        (at) => {
          pe.tlbi('VAE1', at);
        },
        (at) => {
          pe.tlbi('VAALE1', at);
        },
        (at) => {
          pe.tlbi('IPAS2E1', at);
        },
        () => {
          pe.tlbi('VMALLS12E1');
        },
        () => {
          pe.setExceptionLevel(pe.exceptionLevel === 1 ? 0 : 1);
        },
        () => {
          pe.writeRegister('TTBR0_EL1', pe.readRegister('TTBR0_EL1') ^ (1n << 48n));
        },
        // Another granule, without the TLBI that it asks for.
        () => {
          pe.writeRegister('TCR_EL1', pe.readRegister('TCR_EL1') ^ (1n << 14n));
        },
      ],
      flush: () => {
        pe.tlbi('ALLE1');
      },
    };
  }, 12);

  eventsTellWhatHappens(
    TABLE_BYTES / 4,
    (into, seed, { tlb }) => {
      const random = new RandomPe(into, options, seed);
      return { random, machine: random.boot(tlb).pe };
    },
    3,
  );

  it('the checking mode finds nothing where nobody changes a descriptor', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const machine = new RandomPe(ram, options, seed);
        const { pe } = machine.boot(MODEL_DEFAULT, 'modelled', true);
        for (let i = 0; i < ACCESSES; i++) {
          const { hi, lo } = fromBigInt(machine.linear());
          pe.translate(hi, lo, machine.access().bits);
        }
        expect(pe.checker?.found).toEqual([]);
      }),
      { numRuns: runs(3) },
    );
  });
});

describe('the events of', () => {
  const inShort = (event: TranslationEvent): string =>
    event.kind === 'read'
      ? `read ${event.level}`
      : event.kind === 'set'
        ? `${event.cleared === true ? 'clear' : 'set'} ${event.bit}`
        : event.kind === 'instruction'
          ? event.name
          : event.kind;

  it('a load, a store to the page, and TLBI', () => {
    const tables = new Tables();
    const root = tables.root();
    tables.ram.write64(tables.entry(root, 0x5000), BigInt(DATA) | READ_ONLY | DBM | NG | PAGE);
    const pe = tables.pe(root, tables.tcr(HA | HD), {
      tlb: { name: 'one', l1Data: [{ entries: 1, ways: 1, pages: [12] }], l1Instruction: [], l2: [] },
    });
    const events: TranslationEvent[] = [];
    pe.listen((event) => events.push(event));
    pe.translate(0, 0x5000, READ);
    pe.translate(0, 0x5000, WRITE);
    pe.tlbi('VAE1', { hi: 0, lo: 0x5000 });
    const walk = ['read 3', 'read 2', 'read 1', 'read 0'];
    expect(events.map(inShort)).toEqual([
      ...['lookup', ...walk, 'set accessed', 'walked', 'fill'],
      ...['lookup', 'hit', ...walk, 'clear dirty', 'walked', 'fill'],
      ...['TLBI VAE1', 'invalidate', 'drop'],
    ]);
  });
});

describe('halves of different granules', () => {
  const HIGH = 0xffff_0000 | 0;

  /** A page of 4 KiB at 0x5000, one of 64 KiB at the same place of the upper half, and the shifts of the drops to come. */
  function mixed(): { tables: Tables; pe: Pe; dropped: (name: string) => number[] } {
    const tables = new Tables();
    const [lower, upper] = [tables.root(), tables.root()];
    tables.map(lower, 0x5000, DATA, NG);
    const entry = tables.entry(upper, 0x5000, 0, tables.rootLevel(48, KIB_64), KIB_64);
    tables.ram.write64(entry, BigInt(DATA) | PAGE | AF | NG);
    const pe = tables.pe(lower, tables.tcr() | (3n << 30n));
    pe.writeRegister('TTBR1_EL1', upper);
    const dropped = (name: string): number[] => {
      const shifts: number[] = [];
      const stop = pe.listen((event) => {
        if (event.kind === 'drop' && event.where === name) shifts.push(event.shift);
      });
      pe.tlbi('VMALLE1');
      stop();
      return shifts.sort();
    };
    return { tables, pe, dropped };
  }

  it.each([
    ['the lower one', [0, HIGH]],
    ['the upper one', [HIGH, 0]],
  ])('a dropped table has the shift of its own half, whichever was filled first: %s', (_, his) => {
    const { pe, dropped } = mixed();
    for (const hi of his) expect(pe.translate(hi, 0x5000, READ)).toBeGreaterThan(0);
    expect([dropped('level 1 cache'), dropped('level 1 cache')]).toEqual([[21, 29], []]);
  });

  it('and so has one that hot loops kept', () => {
    const { pe, dropped } = mixed();
    const his = Int32Array.from({ length: 500 }, (_, n) => (n % 2 === 0 ? 0 : HIGH));
    const frames = new Int32Array(500);
    expect(pe.translateMany(his, new Int32Array(500).fill(0x5000), 500, READ, frames)).toBe(500);
    expect(dropped('level 2 cache')).toEqual([30, 42]);
  });

  it('a change of granule without TLBI leaves no table of the old one to be found, and drops it by its own shift', () => {
    const { tables, pe, dropped } = mixed();
    pe.translate(0, 0x5000, READ);
    const shifts: number[] = [];
    const stop = pe.listen((event) => {
      if (event.kind === 'drop' && event.holds === 'table') shifts.push(event.shift);
    });
    pe.writeRegister('TCR_EL1', tables.tcr() | (1n << 14n) | (3n << 30n));
    stop();
    expect(shifts).toEqual([21, 30, 39]);
    expect(dropped('level 1 cache')).toEqual([]);
  });
});

it('a fault is told with the tag of its address, as FAR has it', () => {
  const tables = new Tables();
  const pe = tables.pe(tables.root(), tables.tcr(1n << 37n));
  const told: (number | string)[] = [];
  pe.listen((event) => {
    if (event.kind === 'lookup' || event.kind === 'fault') told.push(event.kind, event.hi);
  });
  pe.translate(0x5a00_0000, 0x7000, READ);
  expect(told).toEqual(['lookup', 0, 'fault', 0x5a00_0000]);
});

describe('the checking mode', () => {
  it('names the missing TLBI, and the store that made the entry stale', () => {
    const tables = new Tables();
    const root = tables.root();
    tables.map(root, 0x5000, DATA, READ_ONLY | DBM | NG);
    const pe = tables.pe(root, tables.tcr(HA | HD), { check: true });
    expect(outcome(pe, 0x5000, WRITE)).toBe('frame 0');
    tables.map(root, 0x5000, DATA + 4096, NG);
    expect(outcome(pe, 0x5000, READ)).toBe('frame 0');
    const [stale] = pe.checker?.found ?? [];
    expect([stale.why, stale.missing, stale.changed.length]).toEqual(['another frame', 'TLBI VAE1, 0x5000', 1]);
  });

  it('makes nothing of a dirty state that hardware keeps, and all of one that software takes back', () => {
    const tables = new Tables();
    const root = tables.root();
    tables.map(root, 0x5000, DATA, READ_ONLY | DBM | NG);
    const pe = tables.pe(root, tables.tcr(HA | HD), { check: true });
    outcome(pe, 0x5000, READ);
    outcome(pe, 0x5000, WRITE);
    outcome(pe, 0x5000, READ);
    expect(pe.checker?.found).toEqual([]);
    tables.map(root, 0x5000, DATA, READ_ONLY | DBM | NG);
    outcome(pe, 0x5000, WRITE);
    expect(pe.checker?.found.map(({ why }) => why)).toEqual(['the dirty bit was cleared']);
  });
});
