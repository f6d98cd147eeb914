import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect } from 'vitest';
import { FETCH, READ, USER, WRITE } from '../../../hw/base/access.js';
import type { Word64 } from '../../../hw/base/address.js';
import { fromBigInt } from '../../../hw/base/address.js';
import { Ram } from '../../../hw/memory/ram.js';
import type { TranslatingMachine } from '../../../hw/translate/machine.js';
import { runs } from '../../runs.js';
import type { RandomAddresses } from '../random-addresses.js';

const BYTES = 2 ** 26;
const LENGTH = 48;
const ACCESSES = [READ, READ | USER, WRITE, WRITE | USER, FETCH, FETCH | USER];

/** A processor over random tables. */
export interface Subject {
  readonly machine: TranslatingMachine;
  readonly random: RandomAddresses;
  /** Its tables lie in so many frames from 0 on. */
  readonly tableFrames: number;
  /** Between two rounds: changes of registers, invalidations of an address; what comes of them. */
  readonly change: (address: Word64) => unknown;
}

/** RAM whose batches go by hot loops however short they are, and RAM without hot loops. */
function hotRam(): Ram {
  const ram = new Ram({ bytes: BYTES });
  if (ram.hot === null) throw new Error('this host has no WebAssembly');
  ram.hot.leastBatch = 1;
  return ram;
}

/** Holds that hot loops and the plain path come to the same, on machines made from the same seed. */
export function expectSameOutcomes(make: (ram: Ram, seed: number) => Subject, sample: number): void {
  const plain = new Ram({ bytes: BYTES, webAssembly: false });
  let hot = hotRam();
  let run = 0;
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      // Each machine takes some of the room behind RAM.
      if (++run % 100 === 0) hot = hotRam();
      expect(outcome(hot, make(hot, seed))).toBe(outcome(plain, make(plain, seed)));
    }),
    { numRuns: runs(sample) },
  );
}

/** What batches over random tables come to: results and stops with their faults, and the tables after them, as text. */
function outcome(ram: Ram, { machine, random, tableFrames, change }: Subject): string {
  const told: unknown[] = [];
  const addresses = Array.from({ length: LENGTH }, () => drawMapped(machine, random));
  for (let round = 0; round < 4; round++) {
    const drawn = Array.from({ length: LENGTH }, () => addresses[random.random.below(LENGTH)]);
    const his = Int32Array.from(drawn, ({ hi }) => hi);
    const los = Int32Array.from(drawn, ({ lo }) => (random.chance(0.97) ? lo & ~3 : lo));
    const access = ACCESSES[random.random.below(ACCESSES.length)];
    const leastBatch = random.chance(0.8) ? 1 : 2 * LENGTH;
    if (ram.hot !== null) ram.hot.leastBatch = leastBatch;
    told.push(...batches(machine, his, los, access, round % 2 === 0));
    const one = ({ hi, lo }: Word64): number[] =>
      [access, access ^ USER, access, access].map((kind) => machine.translate(hi, lo, kind));
    told.push(drawn.map(one), machine.lastSize, machine.counters.snapshot(), entries(machine));
    told.push(change(addresses[random.random.below(LENGTH)]));
  }
  const tables = createHash('sha256')
    .update(ram.words.subarray(0, tableFrames * 1024))
    .digest('hex');
  return [...told, tables].map((one) => JSON.stringify(one)).join('\n');
}

/** Hot loops stop at any other, so most addresses are mapped. */
function drawMapped({ observer }: TranslatingMachine, random: RandomAddresses): Word64 {
  for (;;) {
    const address = fromBigInt(random.linear());
    if (random.chance(0.05) || observer.walk(address.hi, address.lo, READ) >= 0) return address;
  }
}

/** Every entry of the TLBs, in its place. */
function entries(machine: TranslatingMachine): unknown[] {
  return machine.tlb.parts.map(({ tlb }) =>
    Array.from({ length: tlb.sets * tlb.ways }, (_, i) => tlb.entryAt(i % tlb.sets, Math.floor(i / tlb.sets))),
  );
}

/** A batch goes on behind each address that faults. */
function batches(
  machine: TranslatingMachine,
  his: Int32Array,
  los: Int32Array,
  access: number,
  loads: boolean,
): unknown[] {
  const told: unknown[] = [];
  const results = new Int32Array(LENGTH);
  for (let from = 0; from < LENGTH; from++) {
    const [restHis, restLos, found] = [his, los, results].map((all) => all.subarray(from));
    const done = loads
      ? machine.loadMany(restHis, restLos, LENGTH - from, access, found)
      : machine.translateMany(restHis, restLos, LENGTH - from, access, found);
    from += done;
    if (from < LENGTH) told.push(from, machine.fault.take());
  }
  return [...told, results];
}
