import { describe } from 'vitest';
import { fromBigInt, toBigInt } from '../../../hw/base/address.js';
import { Ram } from '../../../hw/memory/ram.js';
import type { Hart } from '../../../hw/riscv/hart.js';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { agreesWithReference } from '../against-reference.js';
import type { Trial, TrialOptions } from '../against-reference.js';
import { RandomHart, TABLE_FRAMES } from './random-tables.js';
import type { Mode } from './random-tables.js';
import { referenceTranslate } from './reference-walker.js';
import type { Reference } from './reference-walker.js';

const ram = new Ram({ bytes: 1 << 26 });
/** Entries of random ranges of 64 KiB differ, and one TLB entry for all of them may be any of these: so it has none. */
const TINY_TLB = parseTlb('4x2@4K2M4M1G+8x2@4K2M4M1G');
type HartAccess = ReturnType<RandomHart['access']>;
const MODES: readonly Mode[] = ['bare', 'sv32', 'sv39', 'sv48', 'sv57'];
const GUESTS: readonly (readonly [Mode, Mode])[] = [
  ['sv32', 'sv32'],
  ['bare', 'sv32'],
  ['sv32', 'bare'],
  ...(['bare', 'sv39', 'sv48', 'sv57'] as const).flatMap((mode) =>
    (['bare', 'sv39', 'sv48', 'sv57'] as const).map((guest) => [mode, guest] as const),
  ),
];

function read(address: bigint, bytes: number): bigint | undefined {
  const { hi, lo } = fromBigInt(address);
  if (!ram.has(hi, lo, bytes)) return undefined;
  return bytes === 8 ? ram.read64(address) : toBigInt(0, ram.load32(hi, lo));
}

function trapText(hart: Hart): string {
  const { cause, tval, tval2, tinst } = hart.trap();
  return `fault ${cause} at ${tval.toString(16)}, ${tval2.toString(16)}, ${tinst.toString(16)}`;
}

function expectedText({ result }: Reference, va: bigint): string {
  if (result.kind === 'ok') return `frame ${result.physical >> 12n}`;
  const { cause, tval2, tinst } = result;
  return `fault ${cause} at ${va.toString(16)}, ${tval2.toString(16)}, ${tinst.toString(16)}`;
}

/** A random hart under random registers, and the reference for it. */
function trial(options: RandomHart['options'], seed: number, { tlb, path }: TrialOptions): Trial<HartAccess> {
  const random = new RandomHart(ram, options, seed);
  const { hart, state } = random.boot(tlb, path);
  return {
    machine: hart,
    random,
    width: random.xlen,
    ask: (va, { kind, user }) => {
      const expected = referenceTranslate({ ...state, user }, read, va, kind);
      return {
        text: expectedText(expected, va),
        store: (tables) => {
          for (const { address, value } of expected.stores) {
            const { hi, lo } = fromBigInt(value);
            const index = Number(address / 4n);
            if (index >= tables.length) continue;
            tables[index] = lo;
            if (random.entryBytes === 8) tables[index + 1] = hi;
          }
        },
      };
    },
    faultText: () => trapText(hart),
  };
}

describe.each([
  ...MODES.map((mode) => ({ mode, guest: undefined, name: mode })),
  ...GUESTS.map(([mode, guest]) => ({ mode, guest, name: `${mode} over ${guest}${guest === 'bare' ? '' : 'x4'}` })),
])('translation in mode $name', ({ mode, guest }) => {
  const options = { mode, ...(guest === undefined ? {} : { guest }) };
  agreesWithReference(
    ram,
    TABLE_FRAMES * 1024,
    (seed, { chaos = false, ...how }) => trial(chaos ? { ...options, chaos } : options, seed, how),
    { sample: 20, tinyTlb: TINY_TLB },
  );
});
