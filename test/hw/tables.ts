import { Mmu } from '../../hw/x86/mmu.js';
import type { MmuOptions } from '../../hw/x86/mmu.js';
import { Ram } from '../../hw/memory/ram.js';
import { writeRegisters } from '../../hw/x86/write-registers.js';
import { highWord, highWordOf, lowWord, lowWordOf, wideIndex } from '../../hw/base/address.js';

/** Present, writable, user. */
export const RWU = 7;
const TABLE = RWU;
const PS = 0x80;

/** 4-level tables built entry by entry, as a boot loader would: frame 1 is the root, tables follow. */
export class Tables {
  readonly ram: Ram;
  readonly root = 1;
  private next = 2;

  constructor(bytes = 64 << 20, webAssembly = true) {
    this.ram = new Ram({ bytes, webAssembly });
  }

  /** The physical address of the entry at `level` for an address; tables above it are made as needed. */
  entryAddress(address: number, level: number): number {
    let table = this.root;
    for (let at = 3; at > level; at--) {
      const entry = table * 4096 + wideIndex(highWord(address), lowWord(address), at) * 8;
      if (this.ram.read64(entry) === 0n) this.put(entry, BigInt(this.next++ * 4096 + TABLE));
      table = Number(this.ram.read64(entry) >> 12n) & 0xfffff;
    }
    return table * 4096 + wideIndex(highWord(address), lowWord(address), level) * 8;
  }

  put(entry: number, value: bigint): void {
    this.ram.store64(0, entry, highWordOf(value), lowWordOf(value));
  }

  /** Maps one page: level 0 is 4 KiB, 1 is 2 MiB, 2 is 1 GiB. */
  map(address: number, frame: number, flags = RWU, level = 0): void {
    this.put(this.entryAddress(address, level), BigInt(frame * 4096 + (flags | (level > 0 ? PS : 0))));
  }

  /** A processor in 4-level paging over these tables; `cr4` adds bits to PAE, `wp` is on. */
  mmu(options: Omit<MmuOptions, 'ram'> = {}, cr4 = 0): Mmu {
    const mmu = new Mmu({ ram: this.ram, ...options });
    const values = { cr0: 0x8001_0001, cr3Hi: 0, cr3Lo: this.root * 4096, cr4: 0x20 | cr4, efer: 0x900 };
    if (writeRegisters(mmu, values) < 0) throw new Error('a register was refused');
    return mmu;
  }
}
