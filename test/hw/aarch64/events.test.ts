import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { READ, WRITE } from '../../../hw/base/access.js';
import { fromBigInt } from '../../../hw/base/address.js';
import { Ram } from '../../../hw/memory/ram.js';
import { MODEL_DEFAULT } from '../../../hw/tlb/presets.js';
import type { TranslationEvent } from '../../../hw/translate/walk/events.js';
import { runs } from '../../runs.js';
import { ACCESSES } from '../against-reference.js';
import { eventsTellWhatHappens } from '../events-of-walks.js';
import { RandomPe, TABLE_BYTES } from './random-tables.js';
import type { GranuleBits } from './random-tables.js';
import { DATA, DBM, HA, HD, NG, outcome, PAGE, READ_ONLY, Tables } from './tables.js';

const ram = new Ram({ bytes: 1 << 26 });
const GRANULES: readonly (readonly [GranuleBits | undefined, GranuleBits | undefined])[] = [
  [12, undefined],
  [14, undefined],
  [16, undefined],
  [12, 12],
  [16, 14],
  [undefined, 12],
];

describe.each(GRANULES)('granule 2^%s over %s', (granule, second) => {
  const options = { cpu: 'max', granule, ...(second === undefined ? {} : { second }) } as const;

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
