import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { READ, WRITE } from '../../../hw/base/access.js';
import { fromBigInt } from '../../../hw/base/address.js';
import { Ram } from '../../../hw/memory/ram.js';
import { MODEL_DEFAULT } from '../../../hw/tlb/presets.js';
import type { TranslationEvent } from '../../../hw/translate/walk/events.js';
import { runs } from '../../runs.js';
import { RandomHart, TABLE_FRAMES } from './random-tables.js';
import type { Mode } from './random-tables.js';
import { DATA, RWX, Tables, V } from './tables.js';

const rams = [new Ram({ bytes: 1 << 26 }), new Ram({ bytes: 1 << 26 })];
const MODES: readonly { readonly mode: Mode; readonly guest?: Mode }[] = [
  { mode: 'sv32' },
  { mode: 'sv39' },
  { mode: 'sv57' },
  { mode: 'sv32', guest: 'sv32' },
  { mode: 'sv39', guest: 'sv39' },
  { mode: 'bare', guest: 'sv48' },
];
const ACCESSES = 40;

describe.each(MODES.map((options) => [`${options.mode} over ${options.guest ?? 'nothing'}`, options] as const))(
  '%s',
  (_, options) => {
    it('the accessed and dirty bits that are told are the bits of RAM that change', () => {
      fc.assert(
        fc.property(fc.integer(), (seed) => {
          const machine = new RandomHart(rams[0], options, seed);
          const { hart } = machine.boot(MODEL_DEFAULT);
          const tables = rams[0].words.slice(0, TABLE_FRAMES * 1024);
          hart.listen((event) => {
            if (event.kind !== 'set') return;
            expect(tables[event.address / 4] & event.mask).toBe(0);
            tables[event.address / 4] |= event.mask;
          });
          for (let i = 0; i < ACCESSES; i++) {
            const { hi, lo } = fromBigInt(machine.linear());
            hart.translate(hi, lo, machine.access().bits);
          }
          expect(tables.findIndex((word, at) => word !== rams[0].words[at])).toBe(-1);
        }),
        { numRuns: runs(2) },
      );
    });

    it('who listens changes no answer, no count and no table, and hears of every read that is counted', () => {
      fc.assert(
        fc.property(fc.integer(), (seed) => {
          const machines = rams.map((ram) => new RandomHart(ram, options, seed));
          const harts = machines.map((machine) => machine.boot(MODEL_DEFAULT).hart);
          const reads = [0, 0];
          let walk: number[] = [];
          harts[0].listen((event) => {
            if (event.kind === 'lookup') walk = [];
            else if (event.kind === 'read') walk.push(event.stage);
            else if (event.kind === 'walked') for (const stage of walk) reads[stage - 1]++;
          });
          for (let i = 0; i < ACCESSES; i++) {
            const [heard, alone] = machines.map((machine, n) => {
              const { hi, lo } = fromBigInt(machine.linear());
              return harts[n].translate(hi, lo, machine.access().bits);
            });
            expect(heard).toBe(alone);
          }
          const counts = harts.map(({ counters }) => counters.snapshot());
          expect(counts[0]).toEqual(counts[1]);
          const { data, fetch, dirtyUpdateReads } = counts[0];
          expect(reads[0] + reads[1]).toBe(
            data.entryReads + fetch.entryReads + data.secondStageReads + fetch.secondStageReads + dirtyUpdateReads,
          );
          expect(rams[0].words.findIndex((word, at) => at < TABLE_FRAMES * 1024 && word !== rams[1].words[at])).toBe(
            -1,
          );
        }),
        { numRuns: runs(2) },
      );
    });
  },
);

describe('the events of', () => {
  const inShort = (event: TranslationEvent): string =>
    event.kind === 'read' || event.kind === 'set'
      ? `${event.kind} ${event.level}`
      : event.kind === 'instruction'
        ? event.name
        : event.kind;

  it('a load, a store to the page, and a fence', () => {
    const tables = new Tables();
    const root = tables.root();
    tables.ram.write64(tables.entry(root, 0x5000, 0), (DATA << 10) | RWX | V);
    const hart = tables.hart(root, {
      tlb: { name: 'one', l1Data: [{ entries: 1, ways: 1, pages: [12] }], l1Instruction: [], l2: [] },
    });
    hart.writeCsr('menvcfg', 1n << 61n);
    const events: TranslationEvent[] = [];
    hart.listen((event) => events.push(event));
    hart.translate(0, 0x5000, READ);
    hart.translate(0, 0x5000, WRITE);
    hart.sfenceVma({ hi: 0, lo: 0x5000 }, 0);
    expect(events.map(inShort)).toEqual([
      ...['lookup', 'read 2', 'read 1', 'read 0', 'set 0', 'walked', 'fill'],
      ...['lookup', 'hit', 'read 2', 'read 1', 'read 0', 'set 0', 'walked', 'fill'],
      ...['SFENCE.VMA', 'invalidate', 'drop'],
    ]);
  });
});
