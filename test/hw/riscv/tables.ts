import { Ram } from '../../../hw/memory/ram.js';
import { Hart } from '../../../hw/riscv/hart.js';
import type { HartOptions } from '../../../hw/riscv/hart.js';

/** Flags of entries. */
export const V = 1;
export const R = 2;
export const W = 4;
export const X = 8;
export const U = 16;
export const G = 32;
export const AD = 0xc0;
export const RWX = R | W | X;
export const SV39 = 8n << 60n;
/** Frames that mappings are made to lie past all tables. */
export const DATA = 0x100;

/** Sv39 tables built entry by entry, as a boot loader would. */
export class Tables {
  readonly ram = new Ram({ bytes: 16 << 20 });
  #next = 4;

  /** An empty root table: its frame; for hgatp, of four frames in a row. */
  root(frames = 1): number {
    const first = Math.ceil(this.#next / frames) * frames;
    this.#next = first + frames;
    return first;
  }

  /** The physical address of the entry of `level` for an address, tables on the way being made. */
  entry(root: number, address: number, level: number, flags = 0): number {
    let table = root;
    for (let at = 2; at > level; at--) {
      const place = table * 4096 + this.#index(address, at) * 8;
      if (this.ram.read64(place) === 0n) this.ram.write64(place, (this.root() << 10) | V | flags);
      table = Number(this.ram.read64(place) >> 10n);
    }
    return table * 4096 + this.#index(address, level) * 8;
  }

  #index(address: number, level: number): number {
    // The root of an hgatp has four times the entries.
    return Math.floor(address / 2 ** (12 + 9 * level)) % (level === 2 ? 2048 : 512);
  }

  /** Maps the page of `level` at an address to a frame: V, A and D with the flags. */
  map(root: number, address: number, frame: number, flags: number, level = 0): void {
    this.ram.write64(this.entry(root, address, level), frame * 1024 + (flags | V | AD));
  }

  /** A hart in supervisor mode under Sv39. */
  hart(root: number, options: Omit<HartOptions, 'ram'> = {}): Hart {
    const hart = new Hart({ ram: this.ram, ...options });
    hart.writeCsr('satp', SV39 | BigInt(root));
    hart.setPrivilege('S');
    return hart;
  }
}

/** satp, vsatp or hgatp under Sv39, with an ASID or a VMID. */
export function register(root: number, id = 0): bigint {
  return SV39 | (BigInt(id) << 44n) | BigInt(root);
}
