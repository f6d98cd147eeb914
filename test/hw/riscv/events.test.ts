import { describe, expect, it } from 'vitest';
import { READ, WRITE } from '../../../hw/base/access.js';
import { BUS_ERROR, PAGE_FAULT } from '../../../hw/base/fault.js';
import { Ram } from '../../../hw/memory/ram.js';
import { Hart } from '../../../hw/riscv/hart.js';
import { NO_TLB } from '../../../hw/tlb/presets.js';
import type { TranslationEvent } from '../../../hw/translate/walk/events.js';
import { eventsAreTrue, eventsTellWhatHappens } from '../events-of-walks.js';
import type { RightsByStage } from '../event-ledger.js';
import { RandomHart, TABLE_FRAMES } from './random-tables.js';
import type { Mode } from './random-tables.js';
import { AD, DATA, G, RWX, Tables, U, V } from './tables.js';

const MODES: readonly { readonly mode: Mode; readonly guest?: Mode }[] = [
  { mode: 'sv32' },
  { mode: 'sv39' },
  { mode: 'sv57' },
  { mode: 'sv32', guest: 'sv32' },
  { mode: 'sv39', guest: 'sv39' },
  { mode: 'bare', guest: 'sv48' },
];

/** Of all tables it is G alone that counts below: in rights it is bit 8. */
const rights =
  (bytes: 4 | 8): RightsByStage =>
  () => ({ bytes, root: 0, after: (left, _high, low) => ((low & V) === 0 ? 0 : left | ((low & G) << 3)) });

describe.each(MODES.map((options) => [`${options.mode} over ${options.guest ?? 'nothing'}`, options] as const))(
  '%s',
  (_, options) => {
    eventsTellWhatHappens(
      TABLE_FRAMES * 1024,
      (ram, seed, { tlb }) => {
        const random = new RandomHart(ram, options, seed);
        return { random, machine: random.boot(tlb).hart };
      },
      2,
    );

    eventsAreTrue((ram, seed, { tlb, path }) => {
      const random = new RandomHart(ram, options, seed);
      const { hart } = random.boot(tlb, path);
      const asid = random.xlen === 32 ? 1n << 22n : 1n << 44n;
      return {
        random,
        machine: hart,
        rights: rights(random.entryBytes),
        instructions: [
          () => {
            hart.sfenceVma();
          },
          (at) => {
            hart.sfenceVma(at);
          },
          (at) => {
            hart.sfenceVma(at, 0);
          },
          (at) => {
            hart.hfenceGvma(at, 0);
          },
          () => {
            hart.hfenceGvma();
          },
          ({ hi, lo }) => hart.hlv(hi, lo, 4),
          () => {
            hart.writeCsr('satp', hart.readCsr('satp') ^ asid);
          },
        ],
        flush: () => {
          hart.setPrivilege('S', false);
          hart.hfenceGvma();
          hart.sfenceVma();
        },
      };
    }, 12);
  },
);

describe('the events of', () => {
  const inShort = (event: TranslationEvent): string =>
    event.kind === 'read' || event.kind === 'set'
      ? `${event.kind} ${event.level}`
      : event.kind === 'instruction'
        ? event.name
        : event.kind;

  it('a load, a store to the page, and a fence', () => {
    const tables = new Tables();
    const root = tables.root();
    tables.ram.write64(tables.entry(root, 0x5000, 0), (DATA << 10) | RWX | V);
    const hart = tables.hart(root, {
      tlb: { name: 'one', l1Data: [{ entries: 1, ways: 1, pages: [12] }], l1Instruction: [], l2: [] },
    });
    hart.writeCsr('menvcfg', 1n << 61n);
    const events: TranslationEvent[] = [];
    hart.listen((event) => events.push(event));
    hart.translate(0, 0x5000, READ);
    hart.translate(0, 0x5000, WRITE);
    hart.sfenceVma({ hi: 0, lo: 0x5000 }, 0);
    expect(events.map(inShort)).toEqual([
      ...['lookup', 'read 2', 'read 1', 'read 0', 'set 0', 'walked', 'fill'],
      ...['lookup', 'hit', 'read 2', 'read 1', 'read 0', 'set 0', 'walked', 'fill'],
      ...['SFENCE.VMA', 'invalidate', 'drop'],
    ]);
  });
});

describe('what is told of', () => {
  /** Tables of five levels over Sv57x4 with one guest-physical page, and a guest without tables of its own. */
  function bareGuest(guestPage: bigint): { hart: Hart; events: TranslationEvent[] } {
    const ram = new Ram({ bytes: 1 << 21 });
    for (let level = 4; level >= 0; level--) {
      const index = (guestPage >> BigInt(12 + 9 * level)) % (level === 4 ? 2048n : 512n);
      const next = level === 4 ? 8 : 12 - level;
      const value = level === 0 ? (DATA << 10) | RWX | U | V | AD : (next << 10) | V;
      ram.write64((level === 4 ? 4 : 11 - level) * 4096 + Number(index) * 8, value);
    }
    const hart = new Hart({ ram });
    hart.writeCsr('hgatp', (10n << 60n) | 4n);
    hart.setPrivilege('S', true);
    const events: TranslationEvent[] = [];
    hart.listen((event) => events.push(event));
    return { hart, events };
  }

  it('guest-physical addresses of 59 bits: no bit repeats another', () => {
    const { hart, events } = bareGuest((1n << 58n) + (1n << 56n) + 0x5000n);
    const hi = (1 << 26) + (1 << 24);
    expect(hart.translate(hi, 0x5abc, READ)).toBe(DATA);
    const held = events.filter((event) => event.kind === 'fill').map(({ shift, hi, lo }) => [shift, hi, lo]);
    expect(held).toContainEqual([12, hi, 0x5000]);
    expect(held).toContainEqual([48, hi, 0]);
  });

  it('a fault of the second stage: the level of its last entry, -1 where the address is none', () => {
    const { hart, events } = bareGuest(0x5000n);
    for (const hi of [0, 1 << 16, 1 << 27]) expect(hart.translate(hi, 0x6000, READ)).toBe(PAGE_FAULT);
    const faults = events.filter((event) => event.kind === 'fault').map(({ stage, level }) => [stage, level]);
    expect(faults).toEqual([
      [2, 0],
      [2, 4],
      [2, -1],
    ]);
  });

  it('a fault: nothing of one before it', () => {
    const { hart, events } = bareGuest(0x5000n);
    hart.translate(0, 0x6000, READ);
    hart.setPrivilege('S', false);
    hart.translate(1 << 8, 0x7000, READ);
    const last = events.at(-1);
    expect(last).toEqual({
      ...{ kind: 'fault', of: 'address', status: BUS_ERROR, errorCode: 5, hi: 1 << 8, lo: 0x7000 },
      ...{ level: -1, stage: 1, guestHi: 0, guestLo: 0 },
    });
  });

  it('an entry that is not valid: no rights, though one before had some', () => {
    const tables = new Tables();
    const root = tables.root();
    tables.map(root, 0x5000, DATA, RWX | G);
    const hart = tables.hart(root, { tlb: NO_TLB });
    const events: TranslationEvent[] = [];
    hart.translate(0, 0x5000, READ);
    hart.listen((event) => events.push(event));
    tables.ram.write64(tables.entry(root, 0x6000, 0), G);
    hart.translate(0, 0x6000, READ);
    const read = events.filter((event) => event.kind === 'read').at(-1);
    expect([read?.level, read?.low, read?.rights]).toEqual([0, G, 0]);
  });
});
