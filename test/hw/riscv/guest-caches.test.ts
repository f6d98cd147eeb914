import { describe, it } from 'vitest';
import { Hart } from '../../../hw/riscv/hart.js';
import type { TlbGeometry } from '../../../hw/tlb/hierarchy.js';
import { CACHES, checkCaches, copyExchanged, PAGES } from '../guest-changes.js';
import type { ChangingGuest, Marks } from '../guest-changes.js';
import { DATA, R, register, RWX, Tables, U, V } from './tables.js';

const PAGE = 0x40_2000;
const GUEST_PAGE = 0x30_0000;
const ADUE = 1n << 61n;

const flagsOf = ({ all, accessed, dirty }: Marks): number =>
  U | V | (all ? RWX : R) | (accessed ? 0x40 : 0) | (dirty ? 0x80 : 0);

/** Sv39 over Sv39x4, with accessed and dirty bits by hardware. */
class Guest implements ChangingGuest {
  private readonly memory = new Tables();
  private readonly host = this.memory.root(4);
  private readonly root = this.memory.root();
  private readonly hart: Hart;
  private nextFrame = 40;
  /** Of the guest's last table: where the host has it. */
  private tableFrame = this.memory.entry(this.root, PAGE, 0) >>> 12;

  constructor(tlb: TlbGeometry) {
    const { memory, host, root } = this;
    for (let frame = 0; frame < 32; frame++) memory.map(host, frame * 4096, frame, RWX | U);
    for (let page = 0; page < PAGES; page++) {
      memory.map(host, GUEST_PAGE + page * 4096, DATA + page, RWX | U);
      memory.map(root, PAGE + page * 4096, (GUEST_PAGE >>> 12) + page, RWX | U);
    }
    this.hart = new Hart({ ram: memory.ram, tlb });
    for (const name of ['menvcfg', 'henvcfg'] as const) this.hart.writeCsr(name, ADUE);
    this.hart.writeCsr('vsatp', register(root));
    this.hart.writeCsr('hgatp', register(host));
    this.hart.setPrivilege('S', true);
  }

  get tables(): Int32Array {
    return this.memory.ram.words.subarray(0, 64 * 1024);
  }

  access(page: number, access: number): string {
    const frame = this.hart.translate(0, PAGE + page * 4096, access);
    const { cause, tval2, tinst } = this.hart.trap();
    return frame >= 0 ? `frame ${frame}` : `cause ${cause} ${tval2} ${tinst}`;
  }

  mapGuest(page: number, to: number, marks: Marks): void {
    const linear = PAGE + page * 4096;
    const entry = this.tableFrame * 4096 + (this.memory.entry(this.root, linear, 0) & 0xfff);
    this.memory.ram.write64(entry, ((GUEST_PAGE >>> 12) + to) * 1024 + flagsOf(marks));
    this.hart.sfenceVma({ hi: 0, lo: linear });
  }

  mapHost(page: number, to: number, marks: Marks): void {
    const address = GUEST_PAGE + page * 4096;
    this.memory.ram.write64(this.memory.entry(this.host, address, 0), (DATA + to) * 1024 + flagsOf(marks));
    this.hart.hfenceGvma({ hi: 0, lo: address });
  }

  moveTable(marks: Marks): void {
    const { memory, host, hart, tableFrame } = this;
    const next = this.nextFrame++;
    memory.ram.words.copyWithin(next * 1024, tableFrame * 1024, tableFrame * 1024 + 1024);
    const address = memory.entry(this.root, PAGE, 0) & ~0xfff;
    memory.ram.write64(memory.entry(host, address, 0), next * 1024 + flagsOf(marks));
    this.tableFrame = next;
    hart.hfenceGvma();
  }

  moveHostTable(page: number, other: number): void {
    const { memory, host, hart } = this;
    const next = this.nextFrame++;
    const entryOf = (at: number): number => memory.entry(host, GUEST_PAGE + at * 4096, 0);
    copyExchanged(memory.ram, next * 4096, entryOf(page), entryOf(other));
    memory.ram.write64(memory.entry(host, GUEST_PAGE, 1), next * 1024 + V);
    hart.hfenceGvma();
  }
}

describe('a guest of a hart with', () => {
  it.each(CACHES)('%s gets the answers of one without any', (_, tlb) => {
    checkCaches(tlb, (caches) => new Guest(caches));
  });
});
