import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FETCH, READ, USER, WRITE } from '../../../hw/base/access.js';
import { fromBigInt } from '../../../hw/base/address.js';
import { INVPCID_ALL_WITH_GLOBALS } from '../../../hw/x86/mmu.js';
import type { Mmu } from '../../../hw/x86/mmu.js';
import { Ram } from '../../../hw/memory/ram.js';
import { CR0_WP } from '../../../hw/x86/registers.js';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { MODES, RandomMachine, TABLE_FRAMES } from '../x86/random-tables.js';
import type { Mode } from '../x86/random-tables.js';
import { Tables } from '../tables.js';
import { runs } from '../../runs.js';

/** Every path, over RAM of its own kind; the first is what the others are held to. */
const WAYS = [false, true].flatMap((shared) =>
  (['walk', 'soft', 'modelled'] as const).map((path) => ({ path, ram: new Ram({ bytes: 1 << 26, shared }) })),
);
const TINY = parseTlb('4x2+8x2+psc');
const STEPS = 60;
const BATCH = 16;

/** One machine; machines of one seed do the same as long as every translation path answers the same. */
class Driver {
  readonly #machine: RandomMachine;
  readonly #mmu: Mmu;
  readonly #translated = new Set<bigint>();

  constructor({ path, ram }: (typeof WAYS)[number], mode: Mode, seed: number) {
    this.#machine = new RandomMachine(ram, mode, seed);
    this.#mmu = this.#machine.boot(TINY, path).mmu;
  }

  /** Does something drawn at random, and tells what came of it. */
  step(): string {
    const { random } = this.#machine;
    const kind = random.below(10);
    if (kind < 5) return this.#translate();
    if (kind < 8) return this.#batch(kind === 5);
    return kind === 8 ? this.#changeRegister() : this.#changeEntry();
  }

  tables(): Int32Array {
    return this.#machine.ram.words.slice(0, TABLE_FRAMES * 1024);
  }

  #linear(): { hi: number; lo: number } {
    const linear = this.#machine.linear();
    this.#translated.add(linear);
    return fromBigInt(linear);
  }

  #outcome(status: number): string {
    if (status >= 0) return `${status}`;
    // A TLB that refuses a hit knows no level.
    return `${status} ${JSON.stringify({ ...this.#mmu.fault.take(), level: undefined })}`;
  }

  #translate(): string {
    const { hi, lo } = this.#linear();
    return this.#outcome(this.#mmu.translate(hi, lo, this.#machine.access().bits));
  }

  #batch(translateOnly: boolean): string {
    const addresses = Array.from({ length: BATCH }, () => this.#linear());
    const his = Int32Array.from(addresses, ({ hi }) => hi);
    const los = Int32Array.from(addresses, ({ lo }) => (this.#machine.chance(0.9) ? lo & ~3 : lo));
    const found = new Int32Array(BATCH);
    const access = [READ, READ | USER, WRITE, FETCH | USER][this.#machine.random.below(translateOnly ? 4 : 2)];
    const done = translateOnly
      ? this.#mmu.translateMany(his, los, BATCH, access, found)
      : this.#mmu.loadMany(his, los, BATCH, access, found);
    return `${done} of ${found.subarray(0, done).join()} ${done < BATCH ? this.#outcome(this.#mmu.fault.status) : ''}`;
  }

  #changeRegister(): string {
    const mmu = this.#mmu;
    const { random } = this.#machine;
    const value = random.nextInt32();
    switch (random.below(4)) {
      case 0:
        return String(mmu.writeCr0(mmu.cr0 ^ CR0_WP));
      case 1:
        return String(mmu.writeCr3(0, 0));
      case 2:
        mmu.writePkru(value);
        return 'PKRU';
      default:
        mmu.setAc(value > 0);
        return 'AC';
    }
  }

  /** Changes an entry, and drops what may be cached of it: all, or the address of everything that was translated. */
  #changeEntry(): string {
    const { random } = this.#machine;
    const indices = this.#machine.indices();
    this.#machine.fill(random.below(TABLE_FRAMES), indices[random.below(indices.length)]);
    if (this.#machine.chance(0.5)) return String(this.#mmu.invpcid(INVPCID_ALL_WITH_GLOBALS, 0, 0, 0));
    for (const linear of this.#translated) {
      const { hi, lo } = fromBigInt(linear);
      this.#mmu.invlpg(hi, lo);
      this.#mmu.invlpg(hi, (lo + 4) | 0);
    }
    return 'invlpg';
  }
}

it.each(MODES)('every path gives the same answers, faults and tables, on shared RAM too: mode %s', (mode) => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const [truth, ...others] = WAYS.map((way) => new Driver(way, mode, seed));
      for (let i = 0; i < STEPS; i++) {
        const step = truth.step();
        expect(others.map((driver) => driver.step())).toEqual(others.map(() => step));
      }
      const tables = truth.tables();
      for (const driver of others) expect(driver.tables().every((word, i) => word === tables[i])).toBe(true);
    }),
    { numRuns: runs(60) },
  );
});

it('a soft TLB keeps answering from an entry that software changed, until it is invalidated', () => {
  const tables = new Tables();
  tables.map(0x5000, 100);
  const mmu = tables.mmu({ path: 'soft' });
  expect(mmu.translate(0, 0x5000, READ)).toBe(100);
  tables.map(0x5000, 200);
  expect(mmu.translate(0, 0x5000, READ)).toBe(100);
  mmu.invlpg(0, 0x5000);
  expect(mmu.translate(0, 0x5000, READ)).toBe(200);
});

it.each([{ tlb: TINY }, { check: true }, { entryCache: { entries: 4, ways: 4 } }])(
  'what belongs to the modelled TLB is refused on another path: %o',
  (options) => {
    expect(() => new Tables().mmu({ path: 'soft', ...options })).toThrow(/cannot go with path 'soft'/);
  },
);
