import { describe, expect, it } from 'vitest';
import { READ, WRITE } from '../../../hw/base/access.js';
import type { TranslationEvent } from '../../../hw/translate/walk/events.js';
import { eventsTellWhatHappens } from '../events-of-walks.js';
import { RandomHart, TABLE_FRAMES } from './random-tables.js';
import type { Mode } from './random-tables.js';
import { DATA, RWX, Tables, V } from './tables.js';

const MODES: readonly { readonly mode: Mode; readonly guest?: Mode }[] = [
  { mode: 'sv32' },
  { mode: 'sv39' },
  { mode: 'sv57' },
  { mode: 'sv32', guest: 'sv32' },
  { mode: 'sv39', guest: 'sv39' },
  { mode: 'bare', guest: 'sv48' },
];

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
