/**
 * A guest whose tables and whose host's tables change, each change with the invalidation that the manual asks for: whatever
 * caches a processor has, its answers and its accessed and dirty bits are those of one that walks each time.
 */

import fc from 'fast-check';
import { expect } from 'vitest';
import { FETCH, READ, USER, WRITE } from '../../hw/base/access.js';
import type { Ram } from '../../hw/memory/ram.js';
import type { TlbGeometry } from '../../hw/tlb/hierarchy.js';
import { MODEL_DEFAULT, NO_TLB } from '../../hw/tlb/presets.js';
import { runs } from '../runs.js';

/** Linear pages, and guest-physical ones, that changes are about. */
export const PAGES = 4;

/** What becomes of an entry: it allows reads, or writes and execution too; it is marked accessed, and dirty. */
export interface Marks {
  readonly all: boolean;
  readonly accessed: boolean;
  readonly dirty: boolean;
}

/** A guest over a host, with {@link PAGES} pages one after the other. */
export interface ChangingGuest {
  /** The words of all tables of both. */
  readonly tables: Int32Array;
  /** An access to a page: its frame or its fault, in words. */
  access(page: number, access: number): string;
  /** The guest maps a page to another guest-physical one. */
  mapGuest(page: number, to: number, marks: Marks): void;
  /** The host maps a guest-physical page to another frame. */
  mapHost(page: number, to: number, marks: Marks): void;
  /** The host moves the guest's last table to a fresh frame. */
  moveTable(marks: Marks): void;
  /** The host moves its own last table of the guest's pages to a fresh frame, with the entries of two pages exchanged. */
  moveHostTable(page: number, other: number): void;
}

type Step = (guest: ChangingGuest) => unknown;

const page = fc.nat(PAGES - 1);
const marks = fc.record({ all: fc.boolean(), accessed: fc.boolean(), dirty: fc.boolean() });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(page, fc.constantFrom(READ | USER, WRITE | USER, FETCH | USER, READ, WRITE)).map(
      ([at, access]): Step =>
        (guest) =>
          guest.access(at, access),
    ),
  },
  fc.tuple(page, page, marks).map(([at, to, how]): Step => (guest) => {
    guest.mapGuest(at, to, how);
  }),
  fc.tuple(page, page, marks).map(([at, to, how]): Step => (guest) => {
    guest.mapHost(at, to, how);
  }),
  marks.map((how): Step => (guest) => {
    guest.moveTable(how);
  }),
  fc.tuple(page, page).map(([at, other]): Step => (guest) => {
    guest.moveHostTable(at, other);
  }),
);

/** Caches to hold against none. */
export const CACHES: readonly (readonly [string, TlbGeometry])[] = [
  ['all caches', MODEL_DEFAULT],
  ['walk caches alone', { ...NO_TLB, walkCaches: MODEL_DEFAULT.walkCaches ?? {} }],
];

const bytesOf = ({ tables }: ChangingGuest): Buffer => Buffer.from(tables.buffer, tables.byteOffset, tables.byteLength);

/** Copies a table of 4 KiB, with two of its entries exchanged, given by their physical addresses. */
export function copyExchanged(ram: Ram, to: number, one: number, other: number): void {
  const from = one & ~0xfff;
  ram.words.copyWithin(to / 4, from / 4, from / 4 + 1024);
  ram.write64(to + (one & 0xfff), ram.read64(other));
  ram.write64(to + (other & 0xfff), ram.read64(one));
}

/** @throws AssertionError where a guest with these caches differs from one without any */
export function checkCaches(tlb: TlbGeometry, make: (tlb: TlbGeometry) => ChangingGuest): void {
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 40 }), (steps) => {
      const [cached, plain] = [make(tlb), make(NO_TLB)];
      for (const one of steps) expect(one(cached)).toBe(one(plain));
      expect(bytesOf(cached).equals(bytesOf(plain))).toBe(true);
    }),
    { numRuns: runs(4) },
  );
}
