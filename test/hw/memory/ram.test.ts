import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { BUS_ERROR, OK } from '../../../hw/base/fault.js';
import { Ram } from '../../../hw/memory/ram.js';
import { runs } from '../../runs.js';

const MIB = 1 << 20;

describe('Ram', () => {
  it('agrees with a DataView on loads and stores of every size and alignment', () => {
    const store = fc.record({
      size: fc.constantFrom(1, 2, 4, 8),
      at: fc.integer({ min: 0, max: 8184 }),
      high: fc.integer(),
      low: fc.integer(),
    });
    fc.assert(
      fc.property(fc.array(store, { maxLength: 40 }), (stores) => {
        const ram = new Ram({ bytes: 8192 });
        const view = new DataView(new ArrayBuffer(8192));
        for (const { size, at, high, low } of stores) {
          if (size === 1) {
            ram.store8(0, at, low);
            view.setUint8(at, low);
          } else if (size === 2) {
            ram.store16(0, at, low);
            view.setUint16(at, low, true);
          } else if (size === 4) {
            ram.store32(0, at, low);
            view.setInt32(at, low, true);
          } else {
            ram.store64(0, at, high, low);
            view.setInt32(at, low, true);
            view.setInt32(at + 4, high, true);
          }
        }
        for (let at = 0; at <= 8184; at += 61) {
          expect(ram.load8(0, at)).toBe(view.getUint8(at));
          expect(ram.load16(0, at)).toBe(view.getUint16(at, true));
          expect(ram.load32(0, at)).toBe(view.getInt32(at, true));
          expect(ram.load64(0, at)).toBe(view.getInt32(at, true));
          expect(ram.loadedHigh).toBe(view.getInt32(at + 4, true));
        }
      }),
      { numRuns: runs(50) },
    );
  });

  it('names the address of an access past its end, and stores nothing', () => {
    const ram = new Ram({ bytes: 8192 });
    expect(ram.store32(0, 8190, -1)).toBe(BUS_ERROR);
    expect(ram.fault.take()).toMatchObject({ status: BUS_ERROR, hi: 0, lo: 8190 });
    expect(ram.load16(0, 8190)).toBe(0);
  });

  it('has a bus error in the hole between two ranges, and none beside it', () => {
    const ram = new Ram({
      ranges: [
        { base: 0, bytes: MIB },
        { base: 3 * MIB, bytes: MIB },
      ],
    });
    expect(ram.store8(0, MIB - 1, 7)).toBe(OK);
    expect(ram.store8(0, MIB, 7)).toBe(BUS_ERROR);
    expect(ram.store8(0, 3 * MIB - 1, 7)).toBe(BUS_ERROR);
    expect(ram.store8(0, 3 * MIB, 7)).toBe(OK);
    expect(ram.bytes).toBe(2 * MIB);
  });

  it('reaches above 4 GiB without touching what lies below', () => {
    const ram = new Ram({ bytes: 5 * 2 ** 30 });
    expect(ram.store64(1, 0x1238, 0x1122_3344, 0x5566_7788)).toBe(OK);
    expect(ram.read64(2 ** 32 + 0x1238)).toBe(0x1122_3344_5566_7788n);
    expect(ram.load32(0, 0x1238)).toBe(0);
    expect(ram.store8(2, 0, 1)).toBe(BUS_ERROR);
  });

  it('reaches beyond 2 GiB where the host has no array of so many bytes, as Chromium', () => {
    const refuse = new RangeError('Array buffer allocation failed');
    const construct = (array: ArrayBufferConstructor, [bytes]: readonly number[]): ArrayBuffer => {
      if (bytes >= 2 ** 31 - 4096) throw refuse;
      return new array(bytes);
    };
    vi.stubGlobal('ArrayBuffer', new Proxy(ArrayBuffer, { construct }));
    const ram = new Ram({ ranges: [{ base: 2 ** 31, bytes: 2 ** 20 }] });
    expect(ram.store32(0, 2 ** 31 + 2 ** 20 - 4, 7)).toBe(0);
    expect(ram.load32(0, 2 ** 31 + 2 ** 20 - 4)).toBe(7);
    expect([ram.shared, ram.hasFrame(2 ** 19 + 255), ram.hasFrame(2 ** 19 + 256), ram.hasFrame(0)]).toEqual([
      false,
      true,
      false,
      false,
    ]);
    vi.stubGlobal('WebAssembly', undefined);
    expect(() => new Ram({ ranges: [{ base: 2 ** 31, bytes: 2 ** 20 }] })).toThrow(refuse);
    vi.unstubAllGlobals();
  });

  it('copies and clears frames', () => {
    const ram = new Ram({ bytes: 4 * 4096 });
    ram.store32(0, 4096 + 40, 77);
    ram.copyFrame(1, 3);
    expect(ram.load32(0, 3 * 4096 + 40)).toBe(77);
    ram.zeroFrames(1);
    expect(ram.load32(0, 4096 + 40)).toBe(0);
  });

  it('remembers who stored to a word once it keeps a journal', () => {
    const ram = new Ram({ bytes: 8192 });
    ram.store32(0, 0, 1);
    expect(ram.lastStore(0)).toBeUndefined();
    ram.keepJournal();
    ram.storeLabel = 'munmap';
    ram.storeEntry(2, 0, 5);
    expect(ram.lastStore(3)).toEqual({ sequence: 1, label: 'munmap', said: [] });
  });

  it('asks each listener at a store, and keeps what it says with the store', () => {
    const ram = new Ram({ bytes: 8192 });
    const journal = ram.keepJournal();
    let time = 7;
    const listeners = [journal.listen(() => time), journal.listen(() => 'still')];
    ram.store32(0, 0, 1);
    time = 8;
    ram.store32(0, 4, 1);
    const said = [0, 1].map((word) => listeners.map((listener) => ram.lastStore(word)?.said[listener]));
    expect(said).toEqual([
      [7, 'still'],
      [8, 'still'],
    ]);
  });

  it('begins another journal when one has ended, and the machine of before hears no store', () => {
    const ram = new Ram({ bytes: 8192 });
    let heard = 0;
    ram.keepJournal().listen(() => ++heard);
    ram.store32(0, 0, 1);
    ram.endJournal();
    ram.store32(0, 0, 2);
    expect(ram.keepJournal().count).toBe(0);
    ram.store32(0, 0, 3);
    expect([heard, ram.lastStore(0)?.sequence]).toEqual([1, 1]);
  });

  it.each([
    [[{ base: 1, bytes: 4096 }], /multiples of 4096/],
    [[{ base: 0, bytes: 0 }], /bytes above 0/],
    [
      [
        { base: 0, bytes: 8192 },
        { base: 4096, bytes: 4096 },
      ],
      /overlaps/,
    ],
    [[{ base: 2 ** 34, bytes: 4096 }], /16 GiB/],
  ])('refuses ranges %j', (ranges, message) => {
    expect(() => new Ram({ ranges })).toThrow(message);
  });

  describe('shared', () => {
    const ranges = [
      { base: 0, bytes: MIB },
      { base: 3 * MIB, bytes: MIB },
    ];

    it('is the same memory, holes too, for whoever attaches to what share() gives', () => {
      const first = new Ram({ ranges, shared: true });
      const second = new Ram(structuredClone(first.share()));
      first.store64(0, 3 * MIB, 1, 2);
      expect(second.read64(3 * MIB)).toBe(0x1_0000_0002n);
      expect(second.store8(0, 2 * MIB, 1)).toBe(BUS_ERROR);
    });

    it('stores parts of words as private RAM does', () => {
      const store = fc.record({ size: fc.constantFrom(8, 16, 32), at: fc.nat({ max: 4088 }), value: fc.integer() });
      fc.assert(
        fc.property(fc.array(store, { maxLength: 20 }), (stores) => {
          const rams = [new Ram({ bytes: 4096 }), new Ram({ bytes: 4096, shared: true })];
          for (const { size, at, value } of stores) {
            for (const ram of rams) ram[size === 8 ? 'store8' : size === 16 ? 'store16' : 'store32'](0, at, value);
          }
          expect(rams[1].words).toEqual(rams[0].words);
        }),
        { numRuns: runs(50) },
      );
    });

    it.each([false, true])('replaces an entry or a word only while it is what was expected: shared %s', (shared) => {
      const ram = new Ram({ bytes: 4096, shared });
      ram.storeEntry(2, 1, 7);
      expect([ram.replaceEntry(2, 1, 6, 8), ram.replaceEntry(2, 0, 7, 8), ram.replaceWord(2, 6, 8)]).toEqual([
        false,
        false,
        false,
      ]);
      expect(ram.replaceEntry(2, 1, 7, -8)).toBe(true);
      expect(ram.replaceWord(2, -8, 9)).toBe(true);
      expect(ram.read64(8)).toBe(0x1_0000_0009n);
    });

    it.each([
      [{ buffer: new SharedArrayBuffer(4096) }, /give its ranges too/],
      [{ bytes: 8192, buffer: new SharedArrayBuffer(4096) }, /buffer has 4096 bytes, but the ranges end at 8192/],
      [{ bytes: 4096, buffer: new ArrayBuffer(4096) as never }, /no SharedArrayBuffer/],
      [{ bytes: 4096, buffer: new SharedArrayBuffer(4096), shared: false }, /shared false cannot go with buffer/],
    ])('refuses %j', (options, message) => {
      expect(() => new Ram(options)).toThrow(message);
    });

    it('says that private RAM cannot be attached to', () => {
      expect(() => new Ram({ bytes: 4096 }).share()).toThrow(/make it with shared true/);
    });
  });
});
