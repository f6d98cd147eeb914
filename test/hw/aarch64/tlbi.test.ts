import { describe, expect, it } from 'vitest';
import { Pe } from '../../../hw/aarch64/pe.js';
import type { TlbiName, TlbiRangeName } from '../../../hw/aarch64/pe.js';
import { addressInRange, tlbiRangeOf } from '../../../hw/aarch64/tlbi-range.js';
import { READ } from '../../../hw/base/access.js';
import { PAGE_FAULT } from '../../../hw/base/fault.js';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { CONTIGUOUS, DATA, KIB_16, KIB_64, NG, outcome, PAGE, S2_ALL, Tables } from './tables.js';

const MINE = 0x40_2000;
const OTHER = 0x40_3000;
const SHARED = 0x8000_0000;
const at = (address: number): { hi: number; lo: number } => ({ hi: 0, lo: address | 0 });

/** Two address spaces, each with two pages of its own and one global page; all cached, then mapped elsewhere. */
class TwoSpaces {
  readonly tables = new Tables();
  readonly roots = [this.tables.root(), this.tables.root()];
  readonly pe: Pe;

  /** @param asidBits TCR_EL1.AS: ASIDs of 16 bits */
  constructor(asidBits = 1n << 36n) {
    this.pe = this.tables.pe(this.roots[0], this.tables.tcr(asidBits));
    this.#mapAll(0);
    this.all();
    this.#mapAll(0x80);
  }

  #mapAll(first: number): void {
    this.roots.forEach((root, n) => {
      [MINE, OTHER, SHARED].forEach((page, i) => {
        const frame = first + 8 * n + i + 1;
        this.tables.map(root, page, DATA + frame * 4096, page === SHARED ? 0n : NG);
      });
    });
  }

  /** What each space sees of each page: whether the old mapping. */
  all(): readonly string[] {
    return this.roots.map((root, n) => {
      this.pe.writeTtbr0((n + 0x105) << 16, root);
      return [MINE, OTHER, SHARED]
        .map((page) => (this.pe.translate(0, page | 0, READ) - DATA / 4096 < 0x80 ? 'old' : 'new'))
        .join(' ');
    });
  }
}

describe('TLBI: Arm ARM, chapter C5', () => {
  it('nothing changes without one, not even by a new TTBR0', () => {
    expect(new TwoSpaces().all()).toEqual(['old old old', 'old old old']);
  });

  it.each<[TlbiName, number, readonly string[]]>([
    ['VMALLE1', 0, ['new new new', 'new new new']],
    ['VMALLE1IS', 0, ['new new new', 'new new new']],
    ['ALLE1', 0, ['new new new', 'new new new']],
    ['VMALLS12E1', 0, ['new new new', 'new new new']],
    ['ASIDE1', 0x106, ['old old old', 'new new old']],
    ['VAE1', 0x106, ['old old old', 'new old old']],
    ['VALE1', 0x106, ['old old old', 'new old old']],
    ['VAE1IS', 0x105, ['new old old', 'old old old']],
    ['VAAE1', 0, ['new old old', 'new old old']],
    ['VAALE1OS', 0, ['new old old', 'new old old']],
  ])('%s with ASID %i', (name, asid, expected) => {
    const spaces = new TwoSpaces();
    spaces.pe.tlbi(name, at(MINE), asid);
    expect(spaces.all()).toEqual(expected);
  });

  it.each<TlbiName>(['VAE1', 'VAAE1'])('%s drops a global page whatever the ASID', (name) => {
    const spaces = new TwoSpaces();
    spaces.pe.tlbi(name, at(SHARED), 0x777);
    // The first space after it fills the global entry for both.
    expect(spaces.all()).toEqual(['old old new', 'old old new']);
  });

  it('without TCR_EL1.AS an ASID has 8 bits', () => {
    const spaces = new TwoSpaces(0n);
    spaces.pe.tlbi('ASIDE1', at(0), 0x906);
    expect(spaces.all()).toEqual(['old old old', 'new new old']);
  });

  it('TCR_EL1.A1 takes the ASID from TTBR1_EL1', () => {
    const { tables, roots, pe } = new TwoSpaces();
    pe.writeRegister('TCR_EL1', tables.tcr((1n << 22n) | (1n << 36n)));
    pe.writeRegister('TTBR1_EL1', (0x106n << 48n) | BigInt(roots[0]));
    pe.writeTtbr0(0, roots[0]);
    // The second space's entries are found, though the first one's tables are loaded.
    expect(outcome(pe, MINE, READ)).toBe('frame 9');
  });

  it('forms of the last level leave walk caches alone, others do not', () => {
    const tlb = { ...parseTlb('4x4'), walkCaches: { level1: { entries: 4, ways: 4 } } };
    const readsAfter = (name: TlbiName): number => {
      const tables = new Tables();
      const root = tables.root();
      tables.map(root, MINE, DATA, NG);
      const pe = tables.pe(root, tables.tcr(), { tlb });
      pe.translate(0, MINE, READ);
      pe.tlbi(name, at(MINE));
      pe.translate(0, MINE, READ);
      return pe.counters.snapshot().data.entryReads;
    };
    expect([readsAfter('VALE1'), readsAfter('VAE1')]).toEqual([5, 8]);
  });

  it('refuses a form that is none', () => {
    expect(() => {
      new TwoSpaces().pe.tlbi('VAE9' as TlbiName);
    }).toThrow(/TLBI 'VAE9': must be/);
  });
});

/** The operand of TLBI by range, from an address on. */
function rangeFrom(address: number, num: number, scale = 0, asid = 0, granule = 1): bigint {
  const fields = [
    [asid, 48],
    [granule, 46],
    [scale, 44],
    [num, 39],
  ].map(([value, shift]) => BigInt(value) << BigInt(shift));
  return fields.reduce((sum, field) => sum | field, BigInt.asUintN(37, BigInt(address) >> 12n));
}

describe('TLBI by range: (NUM + 1) 2^(5 SCALE + 1) pages', () => {
  it.each<[TlbiRangeName, bigint, readonly string[]]>([
    ['RVAE1', rangeFrom(MINE, 0, 0, 0x106), ['old old old', 'new new old']],
    ['RVALE1IS', rangeFrom(OTHER, 0, 0, 0x105), ['old new old', 'old old old']],
    ['RVAAE1', rangeFrom(MINE - 0x1000, 0), ['new old old', 'new old old']],
    ['RVAALE1OS', rangeFrom(MINE - 0x5000, 1), ['old old old', 'old old old']],
    ['RVAAE1', rangeFrom(MINE - 0x5000, 2), ['new old old', 'new old old']],
    ['RVAE1', rangeFrom(MINE - 0x3f000, 0, 1, 0x105), ['new old old', 'old old old']],
    // Reserved; and more pages than are dropped one by one.
    ['RVAAE1', rangeFrom(MINE, 0, 0, 0, 0), ['old old old', 'old old old']],
    ['RVAAE1', rangeFrom(0, 31, 3), ['new new new', 'new new new']],
  ])('%s of %s', (name, operand, expected) => {
    const spaces = new TwoSpaces();
    spaces.pe.tlbiRange(name, operand);
    expect(spaces.all()).toEqual(expected);
  });

  it('addresses of the upper half, and larger granules', () => {
    const upper = tlbiRangeOf(0x1f_ffff_ffffn | (3n << 46n), true, false);
    expect(upper).toMatchObject({ granule: 16, pages: 2, first: -0x1_0000n });
    expect(upper === null ? null : addressInRange(upper, 0)).toEqual({ hi: -1, lo: -0x1_0000 });
    const first = 0x1f_ffff_ffffn;
    expect(tlbiRangeOf(first | (2n << 46n), false, false)).toMatchObject({ granule: 14, first: first << 14n });
  });

  it('under DS the first address counts in 64 KiB, and pages in the granule', () => {
    expect(tlbiRangeOf(5n | (1n << 46n), true, true)).toMatchObject({ granule: 12, pages: 2, first: 0x5_0000n });
  });

  it('needs FEAT_TLBIRANGE', () => {
    const { pe } = new TwoSpaces();
    expect(() => {
      new Pe({ ram: pe.ram, cpu: 'neoverse-n1' }).tlbiRange('RVAE1', 0);
    }).toThrow(/lacks FEAT_TLBIRANGE/);
    expect(() => {
      pe.tlbiRange('VAE1' as TlbiRangeName, 0);
    }).toThrow(/TLBI 'VAE1': must be/);
  });
});

describe('TLBI for guests', () => {
  /** Two guests with stage 1 off, each with one page; cached, then moved. */
  function guests(): { see: () => readonly string[]; pe: ReturnType<Tables['pe']> } {
    const tables = new Tables();
    const roots = [tables.root(2), tables.root(2)];
    const pe = tables.pe(tables.root());
    pe.writeRegister('VTCR_EL2', 24n | (1n << 6n) | (5n << 16n));
    pe.writeRegister('HCR_EL2', 1);
    pe.writeRegister('SCTLR_EL1', 0);
    const map = (first: number): void => {
      roots.forEach((root, n) => {
        tables.ram.write64(tables.entry(root, MINE, 0, 2), BigInt(DATA + (first + n) * 4096) | S2_ALL | PAGE);
      });
    };
    const see = (): readonly string[] =>
      roots.map((root, n) => {
        pe.writeRegister('VTTBR_EL2', (BigInt(n + 1) << 48n) | BigInt(root));
        return pe.translate(0, MINE, READ) - DATA / 4096 < 8 ? 'old' : 'new';
      });
    map(0);
    see();
    map(8);
    return { see, pe };
  }

  it.each<[TlbiName, readonly string[]]>([
    ['VMALLE1', ['old', 'old']],
    ['IPAS2E1', ['old', 'new']],
    ['IPAS2LE1IS', ['old', 'new']],
    ['VMALLS12E1', ['old', 'new']],
    ['ALLE1', ['new', 'new']],
  ])('%s, with the second guest current', (name, expected) => {
    const { see, pe } = guests();
    pe.tlbi(name, at(MINE));
    expect(see()).toEqual(expected);
  });

  it.each([
    ['RIPAS2E1', rangeFrom(MINE, 0)],
    ['RIPAS2LE1IS', rangeFrom(0, 31, 3)],
  ] as const)('%s of %i, with the second guest current', (name, operand) => {
    const { see, pe } = guests();
    pe.tlbiRange(name, operand);
    expect(see()).toEqual(['old', 'new']);
  });
});

describe('the Contiguous bit: Arm ARM, chapter D8', () => {
  const SHAPE = { name: 'large', l1Data: [{ entries: 4, ways: 4, pages: [12, 21] }], l1Instruction: [], l2: [] };

  /** A set of contiguous pages of 2 MiB, and how many walks it takes to use them all. */
  function walks(granule: 14 | 16, flag: bigint, shift = 0): number {
    const tables = new Tables(granule);
    const root = tables.root();
    const count = 2 ** (21 - granule);
    const place = (n: number): number => 0x4000_0000 + n * 2 ** granule;
    for (let n = 0; n < count; n++) tables.map(root, place(n), DATA + ((n + shift) % count) * 2 ** granule, flag);
    const pe = tables.pe(root, tables.tcr(), { tlb: SHAPE, check: true });
    for (let n = 0; n < count; n++) expect(pe.translate(0, place(n), READ)).toBeGreaterThan(PAGE_FAULT);
    expect(pe.checker?.found).toEqual([]);
    return pe.counters.snapshot().data.walks;
  }

  it.each([KIB_16, KIB_64] as const)('one TLB entry stands for a set of granule 2^%i', (granule) => {
    expect(walks(granule, CONTIGUOUS)).toBe(1);
    expect(walks(granule, 0n)).toBe(2 ** (21 - granule));
  });

  it('a set with its pages elsewhere is kept page by page', () => {
    expect(walks(KIB_64, CONTIGUOUS, 1)).toBe(32);
  });
});
