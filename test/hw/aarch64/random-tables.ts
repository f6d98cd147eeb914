import { UNPRIVILEGED } from '../../../hw/aarch64/exception.js';
import { AARCH64_CPUS } from '../../../hw/aarch64/features.js';
import type { AArch64CpuName } from '../../../hw/aarch64/features.js';
import { Pe } from '../../../hw/aarch64/pe.js';
import { FETCH, READ, USER, WRITE } from '../../../hw/base/access.js';
import { fromBigInt, toBigInt } from '../../../hw/base/address.js';
import type { Ram } from '../../../hw/memory/ram.js';
import type { TlbGeometry } from '../../../hw/tlb/hierarchy.js';
import type { TranslationPath } from '../../../hw/translate/path/caches.js';
import { RandomAddresses } from '../random-addresses.js';
import type { Kind, ReferenceState } from './reference-walker.js';

/** Every table has 64 KiB of its own, whatever the granule: those of stage 1 lie in the first MiB. */
const CHUNK = 0x1_0000;
const CHUNKS = 16;
/** The root of stage 2, up to 16 tables in a row, and its other tables behind it. */
const HOST_ROOT = 16 * CHUNK;
const HOST_TABLES = 32 * CHUNK;
export const TABLE_BYTES = 48 * CHUNK;
/** TG0 and TG1 by granule. */
const TG0 = { 12: 0n, 14: 2n, 16: 1n };
const TG1 = { 12: 2n, 14: 1n, 16: 3n };
export type GranuleBits = keyof typeof TG0;

interface RandomOptions {
  readonly cpu: AArch64CpuName;
  /** Granule of both halves of stage 1; undefined: it is off. */
  readonly granule: GranuleBits | undefined;
  /** Another one for the upper half. */
  readonly upper?: GranuleBits;
  /** Granule of stage 2; undefined: there is none. */
  readonly second?: GranuleBits;
  /** DS of both stages (FEAT_LPA2). */
  readonly ds?: boolean;
  /** Descriptors of any bits at all, instead of mostly sound ones. */
  readonly chaos?: boolean;
}

interface HalfShape {
  readonly granule: GranuleBits;
  readonly inputBits: number;
  readonly rootLevel: number;
}

/** Fills tables, registers and addresses from one seed. */
export class RandomPe extends RandomAddresses {
  readonly #halves: readonly [HalfShape, HalfShape];

  constructor(
    readonly ram: Ram,
    readonly options: RandomOptions,
    seed: number,
  ) {
    super(seed);
    ram.zeroFrames(0, TABLE_BYTES / 4096);
    const { granule, upper = granule } = options;
    this.#halves = [this.#shape(granule), this.#shape(upper)];
    if (granule === undefined) return;
    for (let chunk = 0; chunk < CHUNKS; chunk++) this.#fillTable(chunk, this.#halves[this.#halfOf(chunk)].granule);
  }

  #shape(granule: GranuleBits = 12): HalfShape {
    const { cpu, ds = false } = this.options;
    const { LPA2, LVA, TTST } = AARCH64_CPUS[cpu];
    const least = (ds && LPA2 && granule !== 16) || (LVA && granule === 16) ? 12 : 16;
    const most = TTST ? (granule === 16 ? 47 : 48) : 39;
    const txsz = this.chance(0.4) ? least : least + this.random.below(most - least + 1);
    const inputBits = 64 - txsz;
    return { granule, inputBits, rootLevel: Math.floor((inputBits - 1 - granule) / (granule - 3)) };
  }

  store(address: number, value: bigint): void {
    const { hi, lo } = fromBigInt(value);
    this.ram.store64(0, address, hi, lo);
  }

  /** The level that the table in a chunk serves as: 0 is the last. Chunks 0 and 1 are the roots. */
  #levelOf(chunk: number): number {
    return chunk < 2 ? this.#halves[chunk].rootLevel : chunk % (this.options.ds === true ? 5 : 4);
  }

  /** Halves of one granule share all tables but the roots; else the upper one has the last eight. */
  #halfOf(chunk: number): 0 | 1 {
    return this.options.upper !== undefined && (chunk === 1 || chunk >= CHUNKS / 2) ? 1 : 0;
  }

  #fillTable(chunk: number, granule: GranuleBits): void {
    const level = this.#levelOf(chunk);
    const entries = 1 << (granule - 3);
    for (const index of [0, 1, 2, 3, entries - 1])
      this.store(chunk * CHUNK + index * 8, this.descriptor(level, granule, this.#halfOf(chunk)));
    // A processor without 16 KiB pages takes 4 KiB ones: sets made for 16 KiB are then wrong ones, and may do anything.
    const exists = granule !== 14 || AARCH64_CPUS[this.options.cpu].TGran16;
    if (level === 0 && exists && this.options.chaos !== true && chunk > 1) this.#fillContiguous(chunk, granule);
  }

  /** A whole set of contiguous pages, all alike and settled: index and count of its entries. */
  static contiguous(granule: GranuleBits): number {
    return { 12: 16, 14: 128, 16: 32 }[granule];
  }

  #fillContiguous(chunk: number, granule: GranuleBits): void {
    const count = RandomPe.contiguous(granule);
    const flags = this.#leafFlags() & ~((1n << 51n) | 2n) & ~0xfff_f000n;
    const base = BigInt(this.random.below(3) + 1) << 24n;
    for (let n = 0; n < count; n++) {
      const page = base + (BigInt(n) << BigInt(granule));
      this.store(chunk * CHUNK + (count + n) * 8, flags | page | 0x403n | (1n << 52n));
    }
  }

  #leafFlags(): bigint {
    let flags = this.chance(0.7) ? 0x400n : 0n;
    flags |= BigInt(this.random.below(4)) << 6n;
    flags |= BigInt(this.random.below(4)) << 53n;
    if (this.chance(0.5)) flags |= 1n << 51n;
    if (this.chance(0.5)) flags |= 1n << 11n;
    // Under DS an address past RAM, but for 0.
    if (this.options.ds !== true || this.chance(0.1)) flags |= BigInt(this.random.below(4)) << 8n;
    return flags | (BigInt(this.random.below(8)) << 2n);
  }

  /** A descriptor of stage 1; each thing that can be wrong with it is rare. */
  descriptor(level: number, granule: GranuleBits, half: 0 | 1 = 0): bigint {
    if (this.options.chaos === true) return toBigInt(this.random.nextInt32(), this.random.nextInt32());
    const leaf = level === 0 || this.chance(0.2);
    const valid = this.chance(0.98) ? 1n : 0n;
    const odd = this.chance(0.03) ? 1n << BigInt(this.random.below(50)) : 0n;
    if (leaf) {
      const type = level === 0 && this.chance(0.98) ? 2n : 0n;
      const page = BigInt(this.chance(0.5) ? this.random.below(64) << 20 : this.random.below(CHUNKS) * CHUNK);
      return (valid | type | this.#leafFlags() | page) ^ odd;
    }
    const below = Array.from({ length: CHUNKS - 2 }, (_, n) => n + 2).filter(
      (n) => this.#levelOf(n) === level - 1 && this.#halfOf(n) === half,
    );
    const table = BigInt(below[this.random.below(below.length)] * CHUNK);
    const hierarchical = this.chance(0.3) ? BigInt(1 << this.random.below(4)) << 59n : 0n;
    return (
      (valid | 2n | table | hierarchical) ^
      (this.chance(0.1) ? odd : 0n) ^
      (granule === 16 && this.chance(0.02) ? 0x1000n : 0n)
    );
  }

  /**
   * Stage 2 maps the lowest 2 MiB in chunks: those of stage 1's tables in another order, the rest to themselves. Beside
   * the way there are blocks and odd descriptors.
   */
  #fillHost(granule: GranuleBits, rootLevel: number): void {
    const order = Array.from({ length: CHUNKS }, (_, n) => n);
    for (let n = 1; n < CHUNKS; n++) {
      const other = this.random.below(n);
      [order[n], order[other]] = [order[other], order[n]];
    }
    let table = HOST_ROOT;
    for (let level = rootLevel; level > 0; level--) {
      const next = table === HOST_ROOT ? HOST_TABLES : table + CHUNK;
      this.store(table, BigInt(next) | 3n);
      for (const index of [1, 2, 3]) {
        const base = BigInt(index) << BigInt(granule + (granule - 3) * level);
        this.store(table + index * 8, this.chance(0.7) ? base | this.#hostFlags() | 1n : this.descriptor(1, granule));
      }
      table = next;
    }
    for (let chunk = 0; chunk < 32; chunk++) {
      const flags = this.chance(0.95) ? this.#hostFlags() : this.#leafFlags();
      // A chunk of 16 pages may be contiguous when nothing of it will be updated.
      const contiguous = granule === 12 && (flags & 0x480n) === 0x480n && this.chance(0.5) ? 1n << 52n : 0n;
      const to = BigInt((chunk < CHUNKS ? order[chunk] : chunk) * CHUNK);
      for (let at = 0; at < CHUNK; at += 1 << granule) {
        this.store(table + ((chunk * CHUNK + at) >> granule) * 8, to | BigInt(at) | flags | contiguous | 3n);
      }
    }
  }

  #hostFlags(): bigint {
    const xn = this.chance(0.4) ? BigInt(this.random.below(4)) << 53n : 0n;
    const modifier = this.chance(0.5) ? 1n << 51n : 0n;
    return (this.chance(0.85) ? 0x400n : 0n) | (this.chance(0.8) ? 0xc0n : 0x40n) | xn | modifier;
  }

  protected override freshLinear(): bigint {
    const tag = this.chance(0.15) ? BigInt(this.random.below(256)) << 56n : 0n;
    if (this.options.granule === undefined) {
      const page = BigInt(this.random.below(1 << 12)) << 12n;
      const high = this.chance(0.2) ? 1n << BigInt(32 + this.random.below(32)) : 0n;
      return (page | BigInt(this.random.below(4096)) | high) ^ tag;
    }
    const half = this.random.below(2);
    const { granule, inputBits, rootLevel } = this.#halves[half];
    const entries = 1 << (granule - 3);
    const count = RandomPe.contiguous(granule);
    let page = 0n;
    for (let level = rootLevel; level >= 0; level--) {
      const sparse = [0, 1, 2, 3, entries - 1][this.random.below(5)];
      const index = level === 0 && this.chance(0.3) ? count + this.random.below(count) : sparse;
      page = (page << BigInt(granule - 3)) | BigInt(index);
    }
    const address = BigInt.asUintN(inputBits, (page << BigInt(granule)) | BigInt(this.random.below(1 << granule)));
    const odd = this.chance(0.03) ? 1n << BigInt(inputBits + this.random.below(64 - inputBits)) : 0n;
    const upper = half === 1 ? BigInt.asUintN(64, -1n << BigInt(inputBits)) : 0n;
    return (address | upper) ^ odd ^ tag;
  }

  access(): { readonly bits: number; readonly kind: Kind; readonly user: boolean } {
    const at = this.random.below(3);
    const user = this.chance(0.5);
    const asUser = at < 2 && this.chance(0.3) ? UNPRIVILEGED : USER;
    return {
      bits: [READ, WRITE, FETCH][at] | (user ? asUser : 0),
      kind: (['load', 'store', 'fetch'] as const)[at],
      user,
    };
  }

  /** Random registers written into a new PE at EL1, and the same for the reference. */
  boot(tlb: TlbGeometry, path: TranslationPath = 'modelled', check = false): { pe: Pe; state: ReferenceState } {
    const { cpu, granule, second } = this.options;
    const pe = new Pe({ ram: this.ram, cpu, path, check, ...(path === 'modelled' ? { tlb } : {}) });
    const tcr = this.#tcr();
    const [wxn, pan] = [this.chance(0.3), this.chance(0.4)];
    const beyond = this.options.ds === true && this.chance(0.05) ? 1n << BigInt(2 + this.random.below(4)) : 0n;
    const ttbr = [(BigInt(this.random.below(256)) << 48n) | beyond, BigInt(CHUNK)] as const;
    pe.writeRegister('TCR_EL1', tcr);
    pe.writeRegister('TTBR0_EL1', ttbr[0]);
    pe.writeRegister('TTBR1_EL1', ttbr[1]);
    pe.writeRegister('SCTLR_EL1', (granule === undefined ? 0 : 1) | (wxn ? 1 << 19 : 0));
    pe.pan = pan;
    const host = second === undefined ? undefined : this.#second(second);
    if (host !== undefined) {
      pe.writeRegister('VTCR_EL2', host.vtcr);
      pe.writeRegister('VTTBR_EL2', host.vttbr);
      pe.writeRegister('HCR_EL2', 1);
    }
    const features = AARCH64_CPUS[cpu];
    return { pe, state: { features, tcr, ttbr, on: granule !== undefined, wxn, pan, second: host } };
  }

  #tcr(): bigint {
    const [lower, upper] = this.#halves;
    const sizes = BigInt(64 - lower.inputBits) | (BigInt(64 - upper.inputBits) << 16n);
    let tcr = sizes | (TG0[lower.granule] << 14n) | (TG1[upper.granule] << 30n);
    tcr |= BigInt(this.chance(0.6) ? 6 : this.random.below(8)) << 32n;
    const often = [36, 37, 38, 39, 40];
    if (this.options.ds === true) tcr |= 1n << 59n;
    const rarely = [7, 23, 22, 41, 42, 51, 52, 55, 56];
    for (const n of often) if (this.chance(0.6)) tcr |= 1n << BigInt(n);
    for (const n of rarely) if (this.chance(0.15)) tcr |= 1n << BigInt(n);
    return tcr;
  }

  /** VTCR_EL2 and VTTBR_EL2, mostly with a start level for the size of addresses; tables are filled in for it. */
  #second(granule: GranuleBits): { vtcr: bigint; vttbr: bigint } {
    const { cpu, ds = false } = this.options;
    const paBits = Math.min(AARCH64_CPUS[cpu].paBits, ds || granule === 16 ? 52 : 48);
    const stride = granule - 3;
    const wide = ds && granule !== 16;
    const rootLevel = 1 + this.random.below(wide ? (granule === 12 ? 4 : 3) : 2);
    const least = rootLevel * stride + granule + 1;
    const inputBits = Math.min(least + this.random.below(stride + 4), paBits);
    const sl0 = granule === 12 ? [3, 0, 1, 2, 0][rootLevel] : rootLevel;
    const field = this.chance(0.97) ? sl0 : this.random.below(4);
    this.#fillHost(granule, rootLevel);
    let vtcr = BigInt(64 - inputBits) | (BigInt(field) << 6n) | (TG0[granule] << 14n);
    vtcr |= BigInt(this.chance(0.8) ? 5 : this.random.below(8)) << 16n;
    for (const n of [19, 21, 22]) if (this.chance(0.6)) vtcr |= 1n << BigInt(n);
    if (ds) vtcr |= 1n << 32n;
    if (rootLevel === 4 || this.chance(0.02)) vtcr |= 1n << 33n;
    return { vtcr, vttbr: (BigInt(this.random.below(256)) << 48n) | BigInt(HOST_ROOT) };
  }
}
