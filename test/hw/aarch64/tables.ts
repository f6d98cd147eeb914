import { Pe } from '../../../hw/aarch64/pe.js';
import type { PeOptions } from '../../../hw/aarch64/pe.js';
import { Ram } from '../../../hw/memory/ram.js';

/** Bits of descriptors. */
export const VALID = 1n;
export const PAGE = 3n;
export const EL0 = 1n << 6n;
export const READ_ONLY = 1n << 7n;
export const AF = 1n << 10n;
export const NG = 1n << 11n;
export const DBM = 1n << 51n;
export const CONTIGUOUS = 1n << 52n;
export const PXN = 1n << 53n;
export const UXN = 1n << 54n;
/** Stage 2: S2AP for reads and writes. */
export const S2_READ = 1n << 6n;
export const S2_WRITE = 1n << 7n;
export const S2_ALL = S2_READ | S2_WRITE | AF;
/** Bits of TCR_EL1. */
export const HA = 1n << 39n;
export const HD = 1n << 40n;

export const KIB_4 = 12;
export const KIB_16 = 14;
export const KIB_64 = 16;
export type GranuleBits = 12 | 14 | 16;
const TG0 = { 12: 0n, 14: 2n, 16: 1n };
const TG1 = { 12: 2n, 14: 1n, 16: 3n };
/** Pages that mappings are made to lie past all tables, 16 MiB and on. */
export const DATA = 0x100_0000;

/** Tables built descriptor by descriptor, as a boot loader would: 48 bits of address, each table 64 KiB apart. */
export class Tables {
  readonly ram: Ram;
  #next = 1;

  constructor(
    readonly granule: GranuleBits = KIB_4,
    webAssembly = true,
  ) {
    this.ram = new Ram({ bytes: 64 << 20, webAssembly });
  }

  /** An empty root table, or several in a row for stage 2: its physical address. */
  root(tables = 1): number {
    const first = Math.ceil(this.#next / tables) * tables;
    this.#next = first + tables;
    return first << 16;
  }

  /** The physical address of the descriptor of `level` (0 the last), tables on the way being made. */
  entry(root: number, address: number, level = 0, rootLevel = this.rootLevel(48), granule = this.granule): number {
    let table = root;
    for (let at = rootLevel; at > level; at--) {
      const place = table + this.#index(address, at, rootLevel, granule) * 8;
      if (this.ram.read64(place) === 0n) this.ram.write64(place, BigInt(this.root()) | PAGE);
      table = Number(this.ram.read64(place) & 0xffff_ffff_f000n);
    }
    return table + this.#index(address, level, rootLevel, granule) * 8;
  }

  rootLevel(inputBits: number, granule = this.granule): number {
    return Math.floor((inputBits - 1 - granule) / (granule - 3));
  }

  #index(address: number, level: number, rootLevel: number, granule: GranuleBits): number {
    const shifted = Math.floor(address / 2 ** (granule + (granule - 3) * level));
    return level === rootLevel ? shifted : shifted % 2 ** (granule - 3);
  }

  /** Maps the page or block of `level` at an address, with AF. */
  map(root: number, address: number, physical: number, flags: bigint, level = 0): void {
    const type = level === 0 ? PAGE : VALID;
    this.ram.write64(this.entry(root, address, level), BigInt(physical) | flags | type | AF);
  }

  /** TCR_EL1 for 48 bits in both halves, IPS of 48 bits, and more. */
  tcr(more = 0n): bigint {
    return 16n | (16n << 16n) | (TG0[this.granule] << 14n) | (TG1[this.granule] << 30n) | (5n << 32n) | more;
  }

  /** A PE at EL1 with stage 1 on: `root` in both halves. */
  pe(root: number, tcr = this.tcr(), options: Omit<PeOptions, 'ram'> = {}): Pe {
    const pe = new Pe({ ram: this.ram, ...options });
    pe.writeRegister('TCR_EL1', tcr);
    pe.writeRegister('TTBR0_EL1', root);
    pe.writeRegister('TTBR1_EL1', root);
    pe.writeRegister('SCTLR_EL1', 1);
    return pe;
  }
}

/** `address, level` of the fault status and the name of it, or the frame counted from DATA. */
export function outcome(pe: Pe, address: number | bigint, access: number): string {
  const value = BigInt.asUintN(64, BigInt(address));
  const frame = pe.translate(Number(value >> 32n) | 0, Number(value & 0xffff_ffffn) | 0, access);
  if (frame >= 0) return `frame ${frame - DATA / 4096}`;
  const { el, esr } = pe.abort();
  const kind = ['address size', 'translation', 'access flag', 'permission', 'external', 'external on walk'][
    (esr & 0x3f) >> 2
  ];
  return `${el === 2 ? 'stage 2 ' : ''}${kind} ${esr & 3}${(esr & 0x80) !== 0 ? ' on walk' : ''}`;
}
