import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FETCH, READ, USER, WRITE } from '../../../hw/base/access.js';
import { Hart } from '../../../hw/riscv/hart.js';
import { MODEL_DEFAULT, NO_TLB } from '../../../hw/tlb/presets.js';
import type { TlbGeometry } from '../../../hw/tlb/hierarchy.js';
import { runs } from '../../runs.js';
import { AD, DATA, R, register, RWX, Tables, U, V, W } from './tables.js';

const PAGE = 0x40_2000;
const GUEST_PAGE = 0x30_0000;
const ADUE = 1n << 61n;
const PAGES = 4;

type Step =
  | { readonly kind: 'guest' | 'host'; readonly page: number; readonly to: number; readonly flags: number }
  | { readonly kind: 'table'; readonly flags: number }
  | { readonly kind: 'access'; readonly page: number; readonly access: number };

/** A guest under Sv39 over Sv39x4 with hardware A and D bits. */
class Guest {
  private readonly tables = new Tables();
  private readonly host = this.tables.root(4);
  private readonly root = this.tables.root();
  readonly hart: Hart;
  private copies = 40;
  /** Of the guest's last table: where the host has it. */
  private tableFrame = this.tables.entry(this.root, PAGE, 0) >>> 12;

  constructor(tlb: TlbGeometry) {
    const { tables, host, root } = this;
    for (let frame = 0; frame < 32; frame++) tables.map(host, frame * 4096, frame, RWX | U);
    for (let page = 0; page < PAGES; page++) {
      tables.map(host, GUEST_PAGE + page * 4096, DATA + page, RWX | U);
      tables.map(root, PAGE + page * 4096, (GUEST_PAGE >>> 12) + page, RWX | U);
    }
    this.hart = new Hart({ ram: tables.ram, tlb });
    this.hart.writeCsr('menvcfg', ADUE);
    this.hart.writeCsr('henvcfg', ADUE);
    this.hart.writeCsr('vsatp', register(root));
    this.hart.writeCsr('hgatp', register(host));
    this.hart.setPrivilege('S', true);
  }

  /** Of all tables: they lie in the first 64 frames. */
  get words(): Int32Array {
    return this.tables.ram.words.subarray(0, 64 * 1024);
  }

  /** Changes a table and executes the fence that the specification asks for, or makes an access. */
  do(step: Step): string {
    const { tables, host, hart } = this;
    if (step.kind === 'access') {
      const frame = hart.translate(0, PAGE + step.page * 4096, step.access);
      const { cause, tval2, tinst } = hart.trap();
      return frame >= 0 ? `frame ${frame}` : `cause ${cause} ${tval2} ${tinst}`;
    }
    if (step.kind === 'guest') {
      const linear = PAGE + step.page * 4096;
      const frame = (GUEST_PAGE >>> 12) + step.to;
      tables.ram.write64(this.guestEntry(linear), frame * 1024 + (step.flags | U | V));
      hart.sfenceVma({ hi: 0, lo: linear });
    } else if (step.kind === 'host') {
      const guestPhysical = GUEST_PAGE + step.page * 4096;
      tables.ram.write64(tables.entry(host, guestPhysical, 0), (DATA + step.to) * 1024 + (step.flags | U | V));
      hart.hfenceGvma({ hi: 0, lo: guestPhysical });
    } else this.moveTable(step.flags);
    return '';
  }

  /** The physical address of the guest's last entry for an address. */
  private guestEntry(linear: number): number {
    return this.tableFrame * 4096 + (this.tables.entry(this.root, linear, 0) & 0xfff);
  }

  /** The guest's last table goes to another frame, and only the host notices. */
  private moveTable(flags: number): void {
    const { tables, host, hart, words } = this;
    const table = tables.entry(this.root, PAGE, 0) & ~0xfff;
    const entry = tables.entry(host, table, 0);
    const now = this.tableFrame;
    const next = this.copies++;
    words.copyWithin(next * 1024, now * 1024, now * 1024 + 1024);
    tables.ram.write64(entry, next * 1024 + (flags | R | U | V));
    this.tableFrame = next;
    hart.hfenceGvma();
  }
}

const flags = fc.constantFrom(RWX, RWX | AD, RWX | 0x40, R, R | AD, R | W);
const place = fc.nat(PAGES - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('access' as const),
      page: place,
      access: fc.constantFrom(READ | USER, WRITE | USER, FETCH | USER, READ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('guest' as const, 'host' as const), page: place, to: place, flags }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('table' as const), flags }) },
);

describe('the caches of two stages', () => {
  it.each([
    ['all', MODEL_DEFAULT],
    ['walk caches alone', { ...NO_TLB, walkCaches: MODEL_DEFAULT.walkCaches ?? {} }],
  ])('%s give the answers of a hart without any, under changes with their fences', (_, tlb) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const [cached, plain] = [new Guest(tlb), new Guest(NO_TLB)];
        for (const one of steps) expect(cached.do(one)).toBe(plain.do(one));
        expect(cached.words.findIndex((word, index) => word !== plain.words[index])).toBe(-1);
      }),
      { numRuns: runs(10) },
    );
  });
});
