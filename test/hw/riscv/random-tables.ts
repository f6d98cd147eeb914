import { FETCH, READ, USER, WRITE } from '../../../hw/base/access.js';
import { fromBigInt, toBigInt } from '../../../hw/base/address.js';
import type { Ram } from '../../../hw/memory/ram.js';
import { Hart } from '../../../hw/riscv/hart.js';
import type { TlbGeometry } from '../../../hw/tlb/hierarchy.js';
import type { TranslationPath } from '../../../hw/translate/path/caches.js';
import { RandomAddresses } from '../random-addresses.js';
import type { Kind, ReferenceStage, ReferenceState } from './reference-walker.js';

/** Tables of the first stage lie in the lowest frames, frame 0 being the root; those of the second behind them. */
const GUEST_FRAMES = 16;
const HOST_ROOT = 16;
const HOST_FRAMES = 16;
export const TABLE_FRAMES = GUEST_FRAMES + HOST_FRAMES;
const LEVELS = { bare: 0, sv32: 2, sv39: 3, sv48: 4, sv57: 5 };
const MODE_BITS = { bare: 0n, sv32: 1n, sv39: 8n, sv48: 9n, sv57: 10n };
export type Mode = keyof typeof LEVELS;

interface RandomOptions {
  readonly mode: Mode;
  /** The mode of hgatp, two bits longer; undefined: V = 0. */
  readonly guest?: Mode;
  /** Entries of any bits at all, instead of mostly sound ones. */
  readonly chaos?: boolean;
}

/** Fills tables, registers and addresses from one seed. */
export class RandomHart extends RandomAddresses {
  readonly xlen: 32 | 64;

  constructor(
    readonly ram: Ram,
    readonly options: RandomOptions,
    seed: number,
  ) {
    super(seed);
    const { mode, guest } = options;
    const narrow = mode === 'sv32' || guest === 'sv32';
    this.xlen = narrow || (mode === 'bare' && guest === undefined && this.chance(0.2)) ? 32 : 64;
    ram.zeroFrames(0, TABLE_FRAMES);
    for (let frame = 0; frame < GUEST_FRAMES; frame++) for (const index of this.indices()) this.fill(frame, index);
    if (guest !== undefined) this.#fillHost(LEVELS[guest]);
  }

  get entryBytes(): 4 | 8 {
    return this.xlen === 32 ? 4 : 8;
  }

  /** Entries of a table that are used. */
  indices(): readonly number[] {
    return [0, 1, 2, this.xlen === 32 ? 1023 : 511];
  }

  fill(frame: number, index: number): void {
    this.storeEntry(frame * 4096 + index * this.entryBytes, this.entry(this.#levelOf(frame)));
  }

  /** The level that the table in a frame mostly serves as: the root's, or one below. */
  #levelOf(frame: number): number {
    const levels = LEVELS[this.options.mode];
    return frame === 0 ? levels - 1 : levels < 2 ? 0 : (frame - 1) % (levels - 1);
  }

  storeEntry(address: number, value: bigint): void {
    const { hi, lo } = fromBigInt(value);
    if (this.xlen === 32) this.ram.store32(0, address, lo);
    else this.ram.store64(0, address, hi, lo);
  }

  /** An entry that points into the tables or maps a page; each thing that can be wrong with it is rare. */
  entry(level = 0): bigint {
    if (this.options.chaos === true) return toBigInt(this.random.nextInt32(), this.random.nextInt32());
    const page = this.chance(level === 0 ? 0.95 : 0.2);
    let flags = this.chance(0.98) ? 1 : 0;
    if (page) {
      flags |= this.chance(0.6) ? 14 : [2, 6, 6, 8, 8, 10, 4, 12][this.random.below(8)];
      if (this.chance(0.7)) flags |= 0x10;
      flags |= this.#accessedDirty();
    } else if (this.chance(0.02)) flags |= 0x10 << this.random.below(4);
    if (this.chance(0.3)) flags |= 0x20;
    flags |= this.random.below(4) << 8;
    let value = BigInt(flags) | (BigInt(page ? this.#pageFrame() : this.#tableFrame(level)) << 10n);
    if (this.xlen === 32) return value;
    if (page && this.chance(0.15)) value |= (1n << 63n) | (this.chance(0.8) ? 8n << 10n : 0n);
    if (page && this.chance(0.2)) value |= BigInt(1 + this.random.below(2)) << 61n;
    if (this.chance(0.02)) value |= 1n << BigInt(32 + this.random.below(32));
    return value;
  }

  #accessedDirty(): number {
    return this.chance(0.7) ? 0xc0 : this.random.below(4) << 6;
  }

  /** Mostly a table of the level below. */
  #tableFrame(level: number): number {
    const below = Array.from({ length: GUEST_FRAMES - 1 }, (_, n) => n + 1).filter(
      (n) => this.#levelOf(n) === level - 1,
    );
    return below.length > 0 && this.chance(0.95)
      ? below[this.random.below(below.length)]
      : this.random.below(GUEST_FRAMES);
  }

  /** Aligned more often than not: to pages of level 1, or of any. */
  #pageFrame(): number {
    return this.chance(0.5) ? this.random.below(4) << 12 : this.chance(0.5) ? 0 : this.random.below(GUEST_FRAMES) & ~8;
  }

  /**
   * The second stage maps the lowest guest-physical pages: those of the guest's tables in another order, the rest to
   * themselves. Now and then something is wrong with an entry.
   */
  #fillHost(levels: number): void {
    const order = Array.from({ length: GUEST_FRAMES }, (_, n) => n);
    for (let n = 1; n < GUEST_FRAMES; n++) {
      const other = this.random.below(n);
      [order[n], order[other]] = [order[other], order[n]];
    }
    if (levels === 0) return;
    let table = HOST_ROOT;
    for (let level = levels - 1; level > 0; level--) {
      const next = table === HOST_ROOT ? HOST_ROOT + 4 : table + 1;
      this.storeEntry(table * 4096, BigInt(next << 10) | 1n);
      // Beside the way to the guest's tables, large pages and random entries.
      for (const index of [1, 2, 3]) {
        const aligned = BigInt(level === 1 ? index << (this.xlen === 32 ? 20 : 19) : 0);
        this.storeEntry(table * 4096 + index * this.entryBytes, this.chance(0.7) ? aligned | 0xdfn : this.entry());
      }
      table = next;
    }
    for (let page = 0; page < 64; page++) {
      const sound = 0x17 | this.#accessedDirty() | (this.random.below(2) << 3);
      const flags = this.chance(0.95) ? sound : this.random.below(256);
      const frame = page < GUEST_FRAMES ? order[page] : page;
      this.storeEntry(table * 4096 + page * this.entryBytes, BigInt((frame << 10) | flags));
    }
  }

  protected override freshLinear(): bigint {
    const { mode } = this.options;
    const offset = BigInt(this.random.below(4096));
    if (mode === 'bare') {
      const page = BigInt(this.random.below(80)) << 12n;
      const high = this.xlen === 64 && this.chance(0.2) ? 1n << BigInt(32 + this.random.below(32)) : 0n;
      return page | offset | high;
    }
    const [levels, vpnBits] = [LEVELS[mode], mode === 'sv32' ? 10n : 9n];
    const indices = this.indices();
    let page = 0n;
    for (let i = 0; i < levels; i++) {
      // Any of the sixteen pages of a range of 64 KiB.
      const within = i === 0 && this.chance(0.2) ? this.random.below(16) : 0;
      page = (page << vpnBits) | BigInt(indices[this.random.below(indices.length)] ^ within);
    }
    const address = (page << 12n) | offset;
    if (mode === 'sv32') return address;
    const top = 12 + 9 * levels;
    if (this.chance(0.03)) return address ^ (1n << BigInt(top - 1 + this.random.below(65 - top)));
    return BigInt.asUintN(64, BigInt.asIntN(top, address));
  }

  access(): { readonly bits: number; readonly kind: Kind; readonly user: boolean } {
    const at = this.random.below(3);
    const user = this.chance(0.5);
    return {
      bits: [READ, WRITE, FETCH][at] | (user ? USER : 0),
      kind: (['load', 'store', 'fetch'] as const)[at],
      user,
    };
  }

  /** Random registers for the modes, written into a new hart in supervisor mode, and the same for the reference. */
  boot(tlb: TlbGeometry, path: TranslationPath = 'modelled'): { hart: Hart; state: Omit<ReferenceState, 'user'> } {
    const { mode, guest } = this.options;
    const names = ['svnapot', 'sum', 'mxr', 'vsum', 'vmxr', 'adue', 'hadue', 'pbmte', 'hpbmte'] as const;
    const flags = Object.fromEntries(names.map((name) => [name, this.chance(0.6)])) as Record<
      (typeof names)[number],
      boolean
    >;
    const { xlen } = this;
    const hart = new Hart({
      ram: this.ram,
      xlen,
      svnapot: flags.svnapot,
      path,
      ...(path === 'modelled' ? { tlb } : {}),
    });
    const narrow = xlen === 32;
    const virtual = guest !== undefined;
    const config = (adue: boolean, pbmte: boolean): bigint => (adue ? 1n << 61n : 0n) | (pbmte ? 1n << 62n : 0n);
    for (const [name, value] of [
      ['menvcfg', config(flags.adue, flags.pbmte)],
      ['henvcfg', config(flags.hadue, flags.hpbmte)],
    ] as const) {
      if (narrow) hart.writeCsr(`${name}h`, value >> 32n);
      else hart.writeCsr(name, value);
    }
    const status = (sum: boolean, mxr: boolean): number => (sum ? 1 << 18 : 0) | (mxr ? 1 << 19 : 0);
    hart.writeCsr('mstatus', status(flags.sum, flags.mxr));
    hart.writeCsr('vsstatus', status(flags.vsum, flags.vmxr));
    const modeShift = narrow ? 31n : 60n;
    const root = MODE_BITS[mode] << modeShift;
    if (virtual) hart.writeCsr('hgatp', (MODE_BITS[guest] << modeShift) | BigInt(guest === 'bare' ? 0 : HOST_ROOT));
    hart.writeCsr(virtual ? 'vsatp' : 'satp', root);
    hart.setPrivilege('S', virtual);
    const stage = (levels: number, frame: number, adue: boolean, pbmte: boolean): ReferenceStage => ({
      levels,
      root: BigInt(frame) << 12n,
      rootBits: frame === HOST_ROOT ? 2n : 0n,
      adue,
      pbmte: pbmte && !narrow,
    });
    const { adue, pbmte } = flags;
    const first = virtual ? [adue && flags.hadue, pbmte && flags.hpbmte] : [adue, pbmte];
    return {
      hart,
      state: {
        xlen,
        first: stage(LEVELS[mode], 0, first[0], first[1]),
        second: virtual ? stage(LEVELS[guest], HOST_ROOT, adue, pbmte) : undefined,
        svnapot: flags.svnapot,
        mxr: flags.mxr,
        sum: virtual ? flags.vsum : flags.sum,
        ownMxr: virtual ? flags.vmxr : flags.mxr,
      },
    };
  }
}
