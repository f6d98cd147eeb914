/** Tests for every architecture: the events of random machines tell what happens, and to listen changes nothing. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fromBigInt } from '../../hw/base/address.js';
import type { Word64 } from '../../hw/base/address.js';
import { Ram } from '../../hw/memory/ram.js';
import { parseTlb } from '../../hw/tlb/parse.js';
import { MODEL_DEFAULT, NO_TLB } from '../../hw/tlb/presets.js';
import { runs } from '../runs.js';
import { ACCESSES } from './against-reference.js';
import type { Trial, TrialOptions } from './against-reference.js';
import { entryOf, EventLedger } from './event-ledger.js';
import type { RightsByStage } from './event-ledger.js';
import type { RandomAddresses } from './random-addresses.js';

type Accesses = Pick<Trial<{ readonly bits: number }>, 'machine' | 'random'>;

/** A machine with random accesses, and instructions in between. */
export interface EventTrial extends Accesses {
  readonly random: Accesses['random'] & RandomAddresses;
  readonly rights: RightsByStage;
  /** Instructions that drop translations of an address or others, or change registers. */
  readonly instructions: readonly ((at: Word64) => unknown)[];
  /** Drops everything that is cached. */
  readonly flush: () => unknown;
}

/** Caches of all kinds; a first level with large pages in pieces; the soft TLB. */
const WAYS: readonly TrialOptions[] = [
  { tlb: MODEL_DEFAULT },
  { tlb: parseTlb('4x2@4K+8x4+psc') },
  { tlb: NO_TLB, path: 'soft' },
];

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
        expect(rams[0].words.subarray(0, words).findIndex((word, at) => word !== rams[1].words[at])).toBe(-1);
      }),
      { numRuns: runs(sample) },
    );
  });
}

/** An access or, now and then, an instruction. */
function step({ machine, random, instructions }: EventTrial, ledger?: EventLedger): void {
  const { hi, lo } = fromBigInt(random.linear());
  const { bits } = random.access();
  if (random.chance(0.9)) {
    const status = machine.translate(hi, lo, bits);
    ledger?.ended({ hi, lo, bits }, status);
  } else {
    instructions[random.random.below(instructions.length)]({ hi, lo });
    ledger?.ended(null);
  }
}

/**
 * The test itself.
 * @param make machines of one seed do the same
 */
export function eventsAreTrue(
  make: (ram: Ram, seed: number, options: TrialOptions) => EventTrial,
  sample: number,
): void {
  it('each event agrees with RAM, with the answer and with those before it; a drop with its fill, heard or not', () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(...WAYS), (seed, options) => {
        const [heard, late] = rams.map((ram) => make(ram, seed, options));
        const ledger = new EventLedger(heard.machine, heard.rights);
        heard.machine.listen(ledger.hear);
        for (let i = 0; i < ACCESSES; i++) {
          step(heard, ledger);
          step(late);
        }
        const dropped: string[] = [];
        late.machine.listen((event) => {
          if (event.kind === 'drop') dropped.push(JSON.stringify(entryOf(event)));
        });
        late.flush();
        // A walk that is heard takes contiguous pages for one: the soft TLB drops more of them then.
        if (options.path === undefined)
          expect(dropped.sort()).toEqual(ledger.held.map((one) => JSON.stringify(one)).sort());
        heard.flush();
        expect(ledger.held).toEqual([]);
        expect(ledger.wrong).toEqual([]);
      }),
      { numRuns: runs(sample) },
    );
  });
}
