import { FETCH, IMPLICIT, USER, WRITE } from '../../../hw/base/access.js';
import { fromBigInt, toBigInt } from '../../../hw/base/address.js';
import { Mmu } from '../../../hw/x86/mmu.js';
import type { MmuOptions } from '../../../hw/x86/mmu.js';
import type { Ram } from '../../../hw/memory/ram.js';
import * as reg from '../../../hw/x86/registers.js';
import { writeRegisters } from '../../../hw/x86/write-registers.js';
import { RandomAddresses } from '../random-addresses.js';
import type { ReferenceAccess, ReferenceState } from './reference-walker.js';

/** Tables lie in the lowest frames; index 0 of RAM is the root. */
export const TABLE_FRAMES = 16;
/** Indices of entries that random tables fill and random addresses use. */
const INDICES = [0, 1, 2, 511];
export const MODES = ['none', '32', 'pae', '4l', '5l'] as const;
export type Mode = (typeof MODES)[number];

/** Fills tables, registers and addresses from one seed. */
export class RandomMachine extends RandomAddresses {
  constructor(
    readonly ram: Ram,
    readonly mode: Mode,
    seed: number,
    /** Entries of any bits at all, instead of mostly sound ones. */
    readonly chaos = false,
  ) {
    super(seed);
    ram.zeroFrames(0, TABLE_FRAMES);
    for (let frame = 0; frame < TABLE_FRAMES; frame++) for (const index of this.indices()) this.fill(frame, index);
    if (mode === 'pae') for (let index = 0; index < 4; index++) this.storeEntry(index * 8, this.pdpte());
  }

  /** Entries per table that are used: in 32-bit paging the last is number 1023. */
  indices(): readonly number[] {
    return this.mode === '32' ? [0, 1, 2, 1023] : INDICES;
  }

  get entryBytes(): number {
    return this.mode === '32' ? 4 : 8;
  }

  fill(frame: number, index: number): void {
    this.storeEntry(frame * 4096 + index * this.entryBytes, this.entry());
  }

  storeEntry(address: number, value: bigint): void {
    const { hi, lo } = fromBigInt(value);
    if (this.mode === '32') this.ram.store32(0, address, lo);
    else this.ram.store64(0, address, hi, lo);
  }

  /** An entry that points into the tables or names a page; each thing that can be wrong with it is rare. */
  entry(): bigint {
    if (this.chaos) return toBigInt(this.random.nextInt32(), this.random.nextInt32());
    let flags = this.chance(0.97) ? 1 : 0;
    if (this.chance(0.85)) flags |= 2;
    if (this.chance(0.7)) flags |= 4;
    flags |= this.random.below(4) << 3;
    if (this.chance(0.2)) flags |= 0x20;
    if (this.chance(0.2)) flags |= 0x40;
    if (this.chance(0.08)) flags |= 0x80;
    if (this.chance(0.3)) flags |= 0x100;
    let value = BigInt(flags | (this.random.below(8) << 9)) | (BigInt(this.frame(flags)) << 12n);
    if (this.chance(0.04)) value |= 1n << BigInt(13 + this.random.below(9));
    if (this.mode === '32') return value;
    if (this.chance(0.05)) value |= 1n << 63n;
    if (this.mode !== 'pae') value |= BigInt(this.random.below(16)) << 59n;
    if (this.chance(0.02)) value |= 1n << BigInt(36 + this.random.below(27));
    return value;
  }

  /** Mostly tables; for entries with PS the low bits must be 0 for a large page. */
  frame(flags: number): number {
    return (flags & 0x80) !== 0 && this.chance(0.7) ? this.random.below(4) << 10 : this.random.below(TABLE_FRAMES);
  }

  pdpte(): bigint {
    return BigInt(this.random.below(TABLE_FRAMES) << 12) | (this.chance(0.9) ? 1n : 0n);
  }

  protected override freshLinear(): bigint {
    const indices = this.indices();
    const pick = (): bigint => BigInt(indices[this.random.below(indices.length)]);
    const offset = BigInt(this.random.below(4096));
    if (this.mode === 'none') return BigInt(this.random.below(1 << 24));
    if (this.mode === '32') return (pick() << 22n) | (pick() << 12n) | offset;
    if (this.mode === 'pae') {
      return (BigInt(this.random.below(4)) << 30n) | (pick() << 21n) | (pick() << 12n) | offset;
    }
    const top = this.mode === '5l' ? 57 : 48;
    let address = (pick() << 39n) | (pick() << 30n) | (pick() << 21n) | (pick() << 12n) | offset;
    if (this.mode === '5l') address |= pick() << 48n;
    if (this.chance(0.02)) return address ^ (1n << BigInt(top + this.random.below(64 - top)));
    return BigInt.asUintN(64, BigInt.asIntN(top, address));
  }

  access(): { readonly bits: number; readonly reference: ReferenceAccess } {
    const kind = [0, WRITE, FETCH][this.random.below(3)];
    const user = this.chance(0.5) ? USER : 0;
    const implicit = kind !== FETCH && this.chance(0.1) ? IMPLICIT : 0;
    return {
      bits: kind | user | implicit,
      reference: { write: kind === WRITE, fetch: kind === FETCH, user: user !== 0, implicit: implicit !== 0 },
    };
  }

  /** Random registers for the mode, written into a new Mmu, and the same for the reference. */
  boot(options: Omit<MmuOptions, 'ram' | 'maxPhysicalBits'>): { mmu: Mmu; state: ReferenceState } {
    const names = ['wp', 'pse', 'nxe', 'smep', 'smap', 'pke', 'pks', 'ac'] as const;
    const flags = Object.fromEntries(names.map((name) => [name, this.chance(0.6)])) as ReferenceState['flags'];
    const m = [36, 40, 46, 52][this.random.below(4)];
    const mmu = new Mmu({ ...options, ram: this.ram, maxPhysicalBits: m });
    const long = this.mode === '4l' || this.mode === '5l';
    const bits: readonly (readonly [boolean, number])[] = [
      [flags.pse, reg.CR4_PSE],
      [this.mode !== '32' && this.mode !== 'none', reg.CR4_PAE],
      [this.chance(0.5), reg.CR4_PGE],
      [this.mode === '5l', reg.CR4_LA57],
      [flags.smep, reg.CR4_SMEP],
      [flags.smap, reg.CR4_SMAP],
      [flags.pke, reg.CR4_PKE],
      [flags.pks, reg.CR4_PKS],
    ];
    const cr4 = bits.reduce((sum, [on, bit]) => (on ? sum | bit : sum), 0);
    const [pkru, pkrs] = [this.random.nextInt32(), this.random.nextInt32()];
    const efer = (flags.nxe ? reg.EFER_NXE : 0) | (long ? reg.EFER_LME : 0);
    const cr0 = reg.CR0_PE | (flags.wp ? reg.CR0_WP : 0) | (this.mode === 'none' ? 0 : reg.CR0_PG);
    mmu.writePkru(pkru);
    mmu.writePkrs(pkrs);
    mmu.setAc(flags.ac);
    writeRegisters(mmu, { cr0, cr3Hi: 0, cr3Lo: 0, cr4, efer });
    return { mmu, state: { mode: this.mode, cr3: 0n, pdptes: this.pdptes(), m, flags, pkru, pkrs } };
  }

  /** The PDPTEs as they are in memory now. */
  pdptes(): bigint[] {
    return [0, 8, 16, 24].map((address) => this.ram.read64(address));
  }
}
