import { fromBigInt } from '../../../../hw/base/address.js';
import type { Random } from '../../../../hw/base/random.js';
import type { Ram } from '../../../../hw/memory/ram.js';
import { OK } from '../../../../hw/base/fault.js';
import type { Mmu } from '../../../../hw/x86/mmu.js';
import { makeEptp } from '../../../../hw/x86/nested/virtual-machines.js';
import type { GuestState } from '../../../../hw/x86/nested/virtual-machines.js';
import { writeRegisters } from '../../../../hw/x86/write-registers.js';
import { TABLE_FRAMES } from '../random-tables.js';
import type { ReferenceHost } from './reference-walker.js';

/** Frames of the host's tables, behind the guest's: two a level, since PML5 down to PT follow each other. */
const FIRST = TABLE_FRAMES;
export const ALL_TABLES = FIRST + 6;
const [PML5, PML4, PDPT, PD, PT] = [FIRST, FIRST + 1, FIRST + 2, FIRST + 3, FIRST + 4];
/** A guest-physical frame for PDPTEs in memory: an accessed bit would be a reserved one there, so no other table is in it. */
const PDPT_OF_GUEST = 20;
/** Where it begins in its frame: at a multiple of 32. */
const PDPT_OFFSET = 0x1a0;
/** Guest-physical pages beyond the guest's tables lie from this frame on. */
const DATA = 64;

/**
 * A host's tables for guest-physical addresses up to 16 MiB: the guest's own tables lie where it thinks in some order, and
 * each thing that can be wrong with an entry is rare.
 */
export class RandomHost {
  readonly host: ReferenceHost;

  constructor(
    private readonly ram: Ram,
    private readonly random: Random,
    kind: 'ept' | 'npt',
    mode: '32' | 'pae' | '4l' | '5l',
  ) {
    ram.zeroFrames(FIRST, ALL_TABLES - FIRST);
    const root = BigInt({ '32': PD, pae: PDPT, '4l': PML4, '5l': PML5 }[mode] * 4096);
    this.host =
      kind === 'npt'
        ? { kind, root, mode, nxe: this.chance(0.7) }
        : { kind, root, levels: mode === '5l' ? 5 : 4, ad: this.chance(0.5), mbe: this.chance(0.5) };
    this.fill();
  }

  chance(likelihood: number): boolean {
    return this.random.unit() < likelihood;
  }

  private get bytes(): 4 | 8 {
    return this.host.kind === 'npt' && this.host.mode === '32' ? 4 : 8;
  }

  /** Entries anew, with other mistakes. */
  fill(): void {
    const narrow = this.bytes === 4;
    this.put(PML5, 0, this.entry(PML4, 'table', 4));
    this.put(PML4, 0, this.entry(PDPT, 'table', 3));
    const isPae = this.host.kind === 'npt' && this.host.mode === 'pae';
    const pdpte = BigInt(PD * 4096) | (this.chance(0.98) ? 1n : 0n) | (this.chance(0.02) ? 2n : 0n);
    this.put(PDPT, 0, isPae ? pdpte : this.entry(PD, this.chance(0.03) ? 'page' : 'table', 2));
    const shift = narrow ? 10 : 9;
    for (let n = 0; n < (narrow ? 4 : 8); n++) {
      const isTable = n === 0 || this.chance(0.2);
      this.put(PD, n, isTable ? this.entry(PT, 'table', 1) : this.entry((n + 1) << shift, 'page', 1));
    }
    const turn = this.random.below(TABLE_FRAMES);
    for (let n = 0; n < 1 << shift; n++) {
      const frame = n < TABLE_FRAMES ? n ^ (turn & 1) : DATA + n;
      this.put(PT, n, this.entry(frame, 'page', 0));
    }
  }

  private put(frame: number, index: number, value: bigint): void {
    const { hi, lo } = fromBigInt(value);
    const address = frame * 4096 + index * this.bytes;
    if (this.bytes === 4) this.ram.store32(0, address, lo);
    else this.ram.store64(0, address, hi, lo);
  }

  private entry(frame: number, what: 'table' | 'page', level: number): bigint {
    const value = this.host.kind === 'ept' ? this.eptEntry(what, level) : this.nptEntry(what, level);
    const wide = this.bytes === 8 && this.chance(0.005) ? 1n << BigInt(34 + this.random.below(30)) : 0n;
    return value | (BigInt(this.astray(frame, what)) << 12n) | wide;
  }

  /**
   * Now and then another frame than the one meant. No page is in the host's own tables: bits that the processor sets in the
   * guest's entries would change the walk on its way.
   */
  private astray(frame: number, what: 'table' | 'page'): number {
    const other = frame | (this.chance(0.005) ? 1 << this.random.below(9) : 0);
    return what === 'page' && other >= FIRST && other < ALL_TABLES ? frame : other;
  }

  private eptEntry(what: 'table' | 'page', level: number): bigint {
    let flags = 7;
    if (this.chance(0.04)) flags = this.random.below(8);
    if (this.chance(0.8)) flags |= 0x400;
    if (what === 'page') flags |= this.chance(0.99) ? 0x30 : this.random.below(8) << 3;
    if (what === 'page' && level > 0) flags |= 0x80;
    if (this.chance(0.01)) flags |= 8 << this.random.below(5);
    return BigInt(flags | (this.random.below(4) << 8) | (this.random.below(2) << 11));
  }

  private nptEntry(what: 'table' | 'page', level: number): bigint {
    let flags = 7;
    if (this.chance(0.02)) flags = this.random.below(8);
    flags |= this.random.below(16) << 3;
    if (level >= 2 || what === 'table') flags &= ~0x80;
    if (what === 'page' && level > 0) flags |= 0x80;
    const top = this.bytes === 8 && this.chance(0.03) ? 1n << 63n : 0n;
    return BigInt(flags | (this.random.below(8) << 9)) | top;
  }

  /** Makes the processor a host's and enters the guest in the state of its registers of the moment. */
  enter(mmu: Mmu, ac: boolean, pdptes: readonly bigint[], vpid = 1): GuestState {
    const cr3 = mmu.rules.mode === 'pae' ? PDPT_OF_GUEST * 4096 + PDPT_OFFSET : mmu.cr3;
    const guest: GuestState = { cr0: mmu.cr0, cr3, cr4: mmu.cr4, efer: mmu.efer, ac, pdptes };
    for (const [n, pdpte] of pdptes.entries()) {
      this.ram.write64((DATA + PDPT_OF_GUEST) * 4096 + PDPT_OFFSET + 8 * n, pdpte);
    }
    mmu.writeCr0(0);
    mmu.writeCr4(0);
    const { host } = this;
    const long = host.kind === 'ept' || host.mode === '4l' || host.mode === '5l';
    const la57 = host.kind === 'npt' && host.mode === '5l' ? 1 << 12 : 0;
    const paging = long ? 0x20 | la57 : host.mode === 'pae' ? 0x20 : 0x10;
    const nxe = host.kind === 'npt' && host.nxe ? 0x800 : 0;
    writeRegisters(mmu, { cr0: 0x8000_0001, cr3Hi: 0, cr3Lo: 0xff0000, cr4: paging, efer: (long ? 0x100 : 0) | nxe });
    const status =
      host.kind === 'ept'
        ? mmu.vm.vmlaunch({
            eptp: makeEptp(host.root, { levels: host.levels, accessedDirty: host.ad }),
            modeBasedExecute: host.mbe,
            vpid,
            guest,
          })
        : mmu.vm.vmrun({ nestedCr3: host.root, asid: 1, guest });
    if (status !== OK) throw new Error('the processor refuses to enter the guest');
    return guest;
  }
}
