/** Tests for every architecture: the events of random machines tell what happens, and to listen changes nothing. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fromBigInt } from '../../hw/base/address.js';
import { Ram } from '../../hw/memory/ram.js';
import { MODEL_DEFAULT } from '../../hw/tlb/presets.js';
import { runs } from '../runs.js';
import { ACCESSES } from './against-reference.js';
import type { Trial, TrialOptions } from './against-reference.js';

type Accesses = Pick<Trial<{ readonly bits: number }>, 'machine' | 'random'>;

const rams = [new Ram({ bytes: 1 << 26 }), new Ram({ bytes: 1 << 26 })];

/** Makes a random access. */
function translateNext({ machine, random }: Accesses): number {
  const { hi, lo } = fromBigInt(random.linear());
  return machine.translate(hi, lo, random.access().bits);
}

/**
 * The tests themselves.
 * @param words of RAM from address 0 on, with the tables in them
 */
export function eventsTellWhatHappens(
  words: number,
  make: (ram: Ram, seed: number, options: TrialOptions) => Accesses,
  sample: number,
): void {
  it('the bits that are told set and cleared are the bits of RAM that change', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const trial = make(rams[0], seed, { tlb: MODEL_DEFAULT });
        const tables = rams[0].words.slice(0, words);
        trial.machine.listen((event) => {
          if (event.kind !== 'set') return;
          expect(tables[event.address / 4] & event.mask).toBe(event.cleared === true ? event.mask : 0);
          tables[event.address / 4] ^= event.mask;
        });
        for (let i = 0; i < ACCESSES; i++) translateNext(trial);
        expect(tables.findIndex((word, at) => word !== rams[0].words[at])).toBe(-1);
      }),
      { numRuns: runs(sample) },
    );
  });

  it('who listens changes no answer, no count and no table, and hears of every read that is counted', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const [heard, alone] = rams.map((ram) => make(ram, seed, { tlb: MODEL_DEFAULT }));
        let reads = 0;
        let walk = 0;
        heard.machine.listen((event) => {
          if (event.kind === 'lookup') walk = 0;
          else if (event.kind === 'read') walk++;
          else if (event.kind === 'walked') reads += walk;
        });
        for (let i = 0; i < ACCESSES; i++) expect(translateNext(heard)).toBe(translateNext(alone));
        const [counts, others] = [heard, alone].map(({ machine }) => machine.counters.snapshot());
        expect(counts).toEqual(others);
        const { data, fetch, dirtyUpdateReads } = counts;
        expect(reads).toBe(
          data.entryReads + fetch.entryReads + data.secondStageReads + fetch.secondStageReads + dirtyUpdateReads,
        );
        expect(rams[0].words.findIndex((word, at) => at < words && word !== rams[1].words[at])).toBe(-1);
      }),
      { numRuns: runs(sample) },
    );
  });
}
