import { describe, it } from 'vitest';
import type { Pe } from '../../../hw/aarch64/pe.js';
import type { TlbGeometry } from '../../../hw/tlb/hierarchy.js';
import { CACHES, checkCaches, copyExchanged, PAGES } from '../guest-changes.js';
import type { ChangingGuest, Marks } from '../guest-changes.js';
import { AF, DATA, DBM, EL0, HA, HD, outcome, PAGE, READ_ONLY, S2_ALL, S2_READ, S2_WRITE, Tables } from './tables.js';

const AT = 0x40_0000;
const IPA = 0x20_0000_0000;
/** T0SZ 24, SL0 1, granule 4 KiB, PS of 48 bits, HA and HD: the root is two tables in a row. */
const VTCR = 24n | (1n << 6n) | (5n << 16n) | (3n << 21n);

/** 4 levels over 3, with the Access flag and the dirty state by hardware. */
class Guest implements ChangingGuest {
  private readonly memory = new Tables();
  private readonly root = this.memory.root();
  private readonly host = this.memory.root(2);
  private readonly pe: Pe;
  private readonly tableAddress = this.memory.entry(this.root, AT) & ~0xfff;
  /** Of the guest's last table: where the host has it. */
  private table = this.tableAddress;

  constructor(tlb: TlbGeometry) {
    const { memory, root } = this;
    for (let page = 0; page < PAGES; page++) {
      memory.map(root, AT + page * 4096, IPA + page * 4096, EL0 | DBM);
      this.putHost(IPA + page * 4096, DATA + page * 4096, S2_ALL);
    }
    for (let page = 0; page < 0x18_0000; page += 4096) this.putHost(page, page, S2_ALL);
    this.pe = memory.pe(root, memory.tcr(HA | HD), { tlb });
    this.pe.writeRegister('VTCR_EL2', VTCR);
    this.pe.writeRegister('VTTBR_EL2', (5n << 48n) | BigInt(this.host));
    this.pe.writeRegister('HCR_EL2', 1);
  }

  private putHost(ipa: number, physical: number, flags: bigint): void {
    this.memory.ram.write64(this.memory.entry(this.host, ipa, 0, 2), BigInt(physical) | flags | PAGE);
  }

  get tables(): Int32Array {
    return this.memory.ram.words.subarray(0, 0x28_0000 / 4);
  }

  access(page: number, access: number): string {
    const told = outcome(this.pe, AT + page * 4096, access);
    return told.startsWith('frame') ? told : `${told} ${this.pe.abort().hpfar}`;
  }

  mapGuest(page: number, to: number, { all, accessed, dirty }: Marks): void {
    const address = AT + page * 4096;
    const flags = EL0 | (all ? DBM : 0n) | (accessed ? AF : 0n) | (all && dirty ? 0n : READ_ONLY);
    const entry = this.table + (this.memory.entry(this.root, address) & 0xfff);
    this.memory.ram.write64(entry, BigInt(IPA + to * 4096) | flags | PAGE);
    this.pe.tlbi('VAE1', { hi: 0, lo: address });
  }

  mapHost(page: number, to: number, marks: Marks): void {
    this.setHost(IPA + page * 4096, DATA + to * 4096, marks);
  }

  moveTable(marks: Marks): void {
    const next = this.memory.root();
    this.memory.ram.words.copyWithin(next / 4, this.table / 4, this.table / 4 + 1024);
    this.table = next;
    this.setHost(this.tableAddress, next, marks);
  }

  private setHost(ipa: number, physical: number, { all, accessed, dirty }: Marks): void {
    const written = all && dirty ? S2_WRITE : 0n;
    this.putHost(ipa, physical, S2_READ | (all ? DBM : 0n) | (accessed ? AF : 0n) | written);
    this.pe.tlbi('IPAS2E1', { hi: Math.floor(ipa / 2 ** 32), lo: ipa | 0 });
    this.pe.tlbi('VMALLE1');
  }

  moveHostTable(page: number, other: number): void {
    const { memory, host } = this;
    const next = memory.root();
    const entryOf = (at: number): number => memory.entry(host, IPA + at * 4096, 0, 2);
    copyExchanged(memory.ram, next, entryOf(page), entryOf(other));
    memory.ram.write64(memory.entry(host, IPA, 1, 2), BigInt(next) | PAGE);
    this.pe.tlbi('VMALLS12E1');
  }
}

describe('a guest of a PE with', () => {
  it.each(CACHES)('%s gets the answers of one without any', (_, tlb) => {
    checkCaches(tlb, (caches) => new Guest(caches));
  });
});
