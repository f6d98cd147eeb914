import { highWord, lowWord, wideIndex } from '../../../../hw/base/address.js';
import { OK } from '../../../../hw/base/fault.js';
import { Ram } from '../../../../hw/memory/ram.js';
import { vmExitOf } from '../../../../hw/x86/nested/exits.js';
import { makeEptp } from '../../../../hw/x86/nested/virtual-machines.js';
import type { GuestState, Vmcb, Vmcs } from '../../../../hw/x86/nested/virtual-machines.js';
import { Mmu } from '../../../../hw/x86/mmu.js';
import type { MmuOptions } from '../../../../hw/x86/mmu.js';
import { writeRegisters } from '../../../../hw/x86/write-registers.js';

const FRAMES = 64;
/** The guest's page, its guest-physical address, as far into 2 MiB, and its frame. */
export const PAGE = 0x40_2000;
export const GUEST_PAGE = 0x60_2000;
export const DATA = 0x80;
/** Read, write, execute for EPT, with write-back memory in a page's entry; present, writable, user elsewhere. */
export const RWX = 7;
export const WB = 0x30;
const PS = 0x80;
const CR0 = 0x8001_0001;

export type GuestMode = 'none' | '32' | 'pae' | '4l' | '5l';
const GUEST_LEVELS = { none: 0, '32': 2, pae: 3, '4l': 4, '5l': 5 };
const GUEST_CR4 = { none: 0, '32': 0x10, pae: 0x20, '4l': 0x20, '5l': 0x1020 };

export interface NestOptions extends Omit<MmuOptions, 'ram'> {
  readonly guest?: GuestMode;
  readonly hostLevels?: 4 | 5;
  /** Guest and host page of {@link PAGE}: 0 for 4 KiB, 1 for 2 MiB. */
  readonly guestPage?: 0 | 1;
  readonly hostPage?: 0 | 1;
  readonly accessedDirty?: boolean;
  readonly modeBasedExecute?: boolean;
  readonly guestFlags?: number;
  readonly hostFlags?: number;
  readonly vpid?: number;
  readonly cr0?: number;
  readonly cr4?: number;
  /** The guest's EFER.NXE. */
  readonly nxe?: boolean;
}

/**
 * A guest with one page over a host's tables, everything in 4 KiB pages unless asked for. The guest's tables lie where it
 * thinks they do.
 */
export class Nest {
  readonly ram: Ram;
  readonly mmu: Mmu;
  readonly hostRoot: number;
  readonly guestRoot: number;
  readonly control: Vmcs | Vmcb;
  private next = 1;
  private readonly levels: number;
  private readonly mode: GuestMode;

  constructor(
    readonly kind: 'ept' | 'npt',
    options: NestOptions = {},
    ram = new Ram({ bytes: 1 << 24 }),
  ) {
    const { guest: mode = '4l', hostLevels = 4, guestPage = 0, hostPage = 0 } = options;
    const { hostFlags = RWX, guestFlags = RWX, accessedDirty = false, modeBasedExecute = false, vpid = 1 } = options;
    this.ram = ram;
    this.mode = mode;
    this.levels = hostLevels;
    this.hostRoot = this.frame();
    this.guestRoot = this.frame();
    if (hostPage === 0) this.mapHost(GUEST_PAGE, DATA, hostFlags);
    else this.mapHost(GUEST_PAGE & ~0x1f_ffff, 0x400, hostFlags, 1);
    this.mapGuest(PAGE, GUEST_PAGE, guestFlags, guestPage);
    if (hostPage === 1) this.mapHost(0, 0, RWX, 1);
    else for (let frame = 0; frame < FRAMES; frame++) this.mapHost(frame * 4096, frame);
    this.mmu = new Mmu({ ram, ...options });
    const cr4 = 0x20 | (hostLevels === 5 && kind === 'npt' ? 0x1000 : 0);
    writeRegisters(this.mmu, { cr0: CR0, cr3Hi: 0, cr3Lo: 0, cr4, efer: 0x900 });
    const guest = this.guestState(options);
    const root = this.hostRoot * 4096;
    const eptp = makeEptp(root, { levels: hostLevels, accessedDirty });
    this.control = kind === 'ept' ? { eptp, vpid, modeBasedExecute, guest } : { nestedCr3: root, asid: 1, guest };
    this.enter();
  }

  private guestState({ cr0 = CR0, cr4 = 0, nxe = false }: NestOptions): GuestState {
    const { mode } = this;
    const long = mode === '4l' || mode === '5l';
    const efer = (long ? 0x500 : 0) | (nxe ? 0x800 : 0);
    const paging = mode === 'none' ? cr0 & 0x7fff_ffff : cr0;
    const pdptes = [0, 8, 16, 24].map((offset) => this.ram.read64(this.guestRoot * 4096 + offset));
    return { cr0: paging, cr3: this.guestRoot * 4096, cr4: GUEST_CR4[mode] | cr4, efer, ac: false, pdptes };
  }

  /** Enters the guest. */
  enter(control = this.control): void {
    const status = 'eptp' in control ? this.mmu.vm.vmlaunch(control) : this.mmu.vm.vmrun(control);
    if (status !== OK) throw new Error('the processor refuses to enter the guest');
  }

  frame(): number {
    return this.next++;
  }

  /** The physical address of the entry at `level` of the host's tables for a guest-physical address. */
  hostEntry(address: number, level: number): number {
    return this.entry(this.hostRoot, this.levels, address, level, 8, RWX);
  }

  /** The same of the guest's tables for a linear address. */
  guestEntry(address: number, level: number): number {
    const bytes = this.mode === '32' ? 4 : 8;
    return this.entry(this.guestRoot, GUEST_LEVELS[this.mode], address, level, bytes, RWX);
  }

  private entry(root: number, levels: number, address: number, level: number, bytes: 4 | 8, flags: number): number {
    const [hi, lo] = [highWord(address), lowWord(address)];
    const at = (table: number, n: number): number =>
      table * 4096 + bytes * (bytes === 8 ? wideIndex(hi, lo, n) : (lo >>> (12 + 10 * n)) & 0x3ff);
    let table = root;
    for (let n = levels - 1; n > level; n--) {
      const entry = at(table, n);
      const isPdpte = levels === 3 && n === 2;
      if (this.ram.load32(0, entry) === 0) this.put(entry, BigInt(this.frame() * 4096 + (isPdpte ? 1 : flags)), bytes);
      table = this.ram.load32(0, entry) >>> 12;
    }
    return at(table, level);
  }

  /** Stores an entry of a guest or a host. */
  put(entry: number, value: bigint, bytes: 4 | 8 = 8): void {
    if (bytes === 4) this.ram.store32(0, entry, Number(value & 0xffff_ffffn));
    else this.ram.write64(entry, value);
  }

  mapHost(address: number, frame: number, flags = RWX, level = 0): void {
    const page = (this.kind === 'ept' ? WB : 0) | (level > 0 ? PS : 0);
    this.put(this.hostEntry(address, level), BigInt(frame * 4096 + (flags | page)));
  }

  mapGuest(address: number, page: number, flags = RWX, level = 0): void {
    if (this.mode === 'none') return;
    const low = level > 0 ? page & ~0x1f_ffff : page;
    const bytes = this.mode === '32' ? 4 : 8;
    this.put(this.guestEntry(address, level), BigInt(low + (flags | (level > 0 ? PS : 0))), bytes);
  }

  /** Sets bits of an entry. */
  set(entry: number, bits: bigint): void {
    this.ram.write64(entry, this.ram.read64(entry) | bits);
  }

  /** Clears bits of an entry. */
  clear(entry: number, bits: bigint): void {
    this.ram.write64(entry, this.ram.read64(entry) & ~bits);
  }

  /** The frame relative to {@link DATA}, the guest's page fault, or the exit. */
  tell(access: number, address = this.mode === 'none' ? GUEST_PAGE : PAGE): string {
    const status = this.mmu.translate(highWord(address), lowWord(address), access);
    if (status >= 0) return `frame ${status - DATA}`;
    const exit = vmExitOf(this.mmu.fault);
    if (exit === undefined) return `fault ${status} ${this.mmu.fault.errorCode.toString(16)}`;
    const gpa = exit.reason === '#VMEXIT(NPF)' ? exit.info2 : exit.guestPhysical;
    const code =
      exit.reason === '#VMEXIT(NPF)' ? exit.info1 : exit.reason === 'EPT violation' ? exit.qualification : 0n;
    return `${exit.reason} ${code.toString(16)} at ${gpa.toString(16)}`;
  }
}
