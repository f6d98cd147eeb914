import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { READ, WRITE } from '../../../hw/base/access.js';
import { fromBigInt } from '../../../hw/base/address.js';
import { Ram } from '../../../hw/memory/ram.js';
import { MODEL_DEFAULT } from '../../../hw/tlb/presets.js';
import type { TranslationEvent } from '../../../hw/translate/walk/events.js';
import { runs } from '../../runs.js';
import { RandomPe, TABLE_BYTES } from './random-tables.js';
import type { GranuleBits } from './random-tables.js';
import { DATA, DBM, HA, HD, NG, outcome, PAGE, READ_ONLY, Tables } from './tables.js';

const rams = [new Ram({ bytes: 1 << 26 }), new Ram({ bytes: 1 << 26 })];
const GRANULES: readonly (readonly [GranuleBits | undefined, GranuleBits | undefined])[] = [
  [12, undefined],
  [14, undefined],
  [16, undefined],
  [12, 12],
  [16, 14],
  [undefined, 12],
];
const ACCESSES = 40;

describe.each(GRANULES)('granule 2^%s over %s', (granule, second) => {
  const options = { cpu: 'max', granule, ...(second === undefined ? {} : { second }) } as const;

  it('the bits that are told set and cleared are the bits of RAM that change', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const machine = new RandomPe(rams[0], options, seed);
        const { pe } = machine.boot(MODEL_DEFAULT);
        const tables = rams[0].words.slice(0, TABLE_BYTES / 4);
        pe.listen((event) => {
          if (event.kind !== 'set') return;
          expect(tables[event.address / 4] & event.mask).toBe(event.cleared === true ? event.mask : 0);
          tables[event.address / 4] ^= event.mask;
        });
        for (let i = 0; i < ACCESSES; i++) {
          const { hi, lo } = fromBigInt(machine.linear());
          pe.translate(hi, lo, machine.access().bits);
        }
        expect(tables.findIndex((word, at) => word !== rams[0].words[at])).toBe(-1);
      }),
      { numRuns: runs(3) },
    );
  });

  it('who listens changes no answer, no count and no table, and hears of every read that is counted', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const machines = rams.map((ram) => new RandomPe(ram, options, seed));
        const pes = machines.map((machine) => machine.boot(MODEL_DEFAULT).pe);
        const reads = [0, 0];
        let walk: number[] = [];
        pes[0].listen((event) => {
          if (event.kind === 'lookup') walk = [];
          else if (event.kind === 'read') walk.push(event.stage);
          else if (event.kind === 'walked') for (const stage of walk) reads[stage - 1]++;
        });
        for (let i = 0; i < ACCESSES; i++) {
          const [heard, alone] = machines.map((machine, n) => {
            const { hi, lo } = fromBigInt(machine.linear());
            return pes[n].translate(hi, lo, machine.access().bits);
          });
          expect(heard).toBe(alone);
        }
        const [counts, others] = pes.map(({ counters }) => counters.snapshot());
        expect(counts).toEqual(others);
        const { data, fetch, dirtyUpdateReads } = counts;
        expect(reads[0] + reads[1]).toBe(
          data.entryReads + fetch.entryReads + data.secondStageReads + fetch.secondStageReads + dirtyUpdateReads,
        );
        const words = TABLE_BYTES / 4;
        expect(rams[0].words.findIndex((word, at) => at < words && word !== rams[1].words[at])).toBe(-1);
      }),
      { numRuns: runs(3) },
    );
  });

  it('the checking mode finds nothing where nobody changes a descriptor', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const machine = new RandomPe(rams[0], options, seed);
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
