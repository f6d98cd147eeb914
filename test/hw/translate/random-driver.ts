import { FETCH, READ, USER, WRITE } from '../../../hw/base/access.js';
import { fromBigInt } from '../../../hw/base/address.js';
import { INVPCID_ALL_WITH_GLOBALS } from '../../../hw/x86/mmu.js';
import type { Mmu, MmuOptions } from '../../../hw/x86/mmu.js';
import type { Ram } from '../../../hw/memory/ram.js';
import { CR0_WP, CR4_PCIDE } from '../../../hw/x86/registers.js';
import { RandomMachine, TABLE_FRAMES } from '../x86/random-tables.js';
import type { Mode } from '../x86/random-tables.js';

const BATCH = 16;
/** Bit 63 of a value for CR3: what the PCID has cached may stay. */
const KEEP = 1 << 31;

/** One machine; machines of one seed do the same as long as every translation path answers the same. */
export class RandomDriver {
  readonly #machine: RandomMachine;
  readonly mmu: Mmu;
  /** Entries that software has stored. */
  stores = 0;
  readonly #translated = new Set<bigint>();

  constructor(ram: Ram, mode: Mode, seed: number, options: Omit<MmuOptions, 'ram'>) {
    this.#machine = new RandomMachine(ram, mode, seed);
    this.mmu = this.#machine.boot(options).mmu;
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
    return `${status} ${JSON.stringify({ ...this.mmu.fault.take(), level: undefined })}`;
  }

  #translate(): string {
    const { hi, lo } = this.#linear();
    return this.#outcome(this.mmu.translate(hi, lo, this.#machine.access().bits));
  }

  #batch(translateOnly: boolean): string {
    const addresses = Array.from({ length: BATCH }, () => this.#linear());
    const his = Int32Array.from(addresses, ({ hi }) => hi);
    const los = Int32Array.from(addresses, ({ lo }) => (this.#machine.chance(0.9) ? lo & ~3 : lo));
    const found = new Int32Array(BATCH);
    const access = [READ, READ | USER, WRITE, FETCH | USER][this.#machine.random.below(translateOnly ? 4 : 2)];
    const done = translateOnly
      ? this.mmu.translateMany(his, los, BATCH, access, found)
      : this.mmu.loadMany(his, los, BATCH, access, found);
    return `${done} of ${found.subarray(0, done).join()} ${done < BATCH ? this.#outcome(this.mmu.fault.status) : ''}`;
  }

  #changeRegister(): string {
    const mmu = this.mmu;
    const { random } = this.#machine;
    const value = random.nextInt32();
    switch (random.below(6)) {
      case 0:
        return String(mmu.writeCr0(mmu.cr0 ^ CR0_WP));
      case 1:
        return String(mmu.writeCr3(value & KEEP, value & 3));
      case 2:
        mmu.writePkru(value);
        return 'PKRU';
      case 3:
        return String(mmu.writeCr4(mmu.cr4 ^ CR4_PCIDE));
      case 4: {
        const { hi, lo } = this.#linear();
        return String(mmu.invpcid(value & 3, (value >>> 2) & 3, hi, lo));
      }
      default:
        mmu.setAc(value > 0);
        return 'AC';
    }
  }

  /** Changes an entry, and drops what may be cached of it: all, or the address of everything that was translated. */
  #changeEntry(): string {
    const { random } = this.#machine;
    const indices = this.#machine.indices();
    this.stores++;
    this.#machine.fill(random.below(TABLE_FRAMES), indices[random.below(indices.length)]);
    const pcids = (this.mmu.cr4 & CR4_PCIDE) !== 0;
    if (pcids || this.#machine.chance(0.5)) return String(this.mmu.invpcid(INVPCID_ALL_WITH_GLOBALS, 0, 0, 0));
    for (const linear of this.#translated) {
      const { hi, lo } = fromBigInt(linear);
      this.mmu.invlpg(hi, lo);
      this.mmu.invlpg(hi, (lo + 4) | 0);
    }
    return 'invlpg';
  }
}
