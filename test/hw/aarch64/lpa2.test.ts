import { describe, expect, it } from 'vitest';
import { abortName } from '../../../hw/aarch64/exception.js';
import type { Pe } from '../../../hw/aarch64/pe.js';
import { READ } from '../../../hw/base/access.js';
import { fromBigInt } from '../../../hw/base/address.js';
import { AF, DATA, EL0, KIB_16, KIB_4, KIB_64, outcome, PAGE, S2_ALL, Tables, VALID } from './tables.js';
import type { GranuleBits } from './tables.js';

/** TCR_EL1.DS; T0SZ and T1SZ of 12, for 52 bits of address; IPS of 52. */
const DS = 1n << 59n;
const BITS_52 = 12n | (12n << 16n);
const IPS_52 = 6n << 32n;
/** VTCR_EL2: DS, SL2, and physical addresses of 52 bits. */
const VTCR_DS = 1n << 32n;
const VTCR_SL2 = 1n << 33n;
const PS_52 = 6n << 16n;
const SHARES = 3n << 8n;
/** An address with an index of 3 into the table of level -1. */
const FAR_AT = 3 * 2 ** 48 + 0x40_0000;

/** TCR_EL1 for these tables with DS, of 52 bits or of 48. */
function tcr(tables: Tables, more = 0n): bigint {
  return (tables.tcr() & ~(0x3fn | (0x3fn << 16n) | (7n << 32n))) | BITS_52 | IPS_52 | DS | more;
}

/** A descriptor at the end of the way to an address, under 52 bits with DS. */
function walk(
  address: number,
  descriptor: bigint,
  level = 0,
  granule: GranuleBits = KIB_4,
): { tables: Tables; pe: Pe } {
  const tables = new Tables(granule);
  const root = tables.root();
  tables.ram.write64(tables.entry(root, address, level, tables.rootLevel(52)), descriptor);
  return { tables, pe: tables.pe(root, tcr(tables)) };
}

/** PAR_EL1 after AT S1E1R. */
function par(pe: Pe, address: number): bigint {
  const { hi, lo } = fromBigInt(BigInt(address));
  pe.at('S1E1R', hi, lo);
  return pe.readRegister('PAR_EL1');
}

describe('TCR_EL1.DS: 52 bits of address with granules of 4 and 16 KiB (FEAT_LPA2)', () => {
  it('a walk of 4 KiB has a fifth level, the manual calls it -1', () => {
    const { pe } = walk(FAR_AT, BigInt(DATA) | PAGE | AF);
    expect(outcome(pe, FAR_AT, READ)).toBe('frame 0');
    expect(pe.walkRecord.reads().map(({ level }) => level)).toEqual([4, 3, 2, 1, 0]);
  });

  it('the last addresses of 52 bits share no walk cache with an upper half of 64 KiB pages', () => {
    const tables = new Tables();
    const [lower, upper] = [tables.root(), tables.root()];
    // Numbers of what an entry of level 2 covers are alike: of 1 GiB below, of 4 TiB above.
    const [low, high] = [2 ** 52 - 2 ** 30, 2 ** 52 - 2 ** 42];
    tables.ram.write64(tables.entry(lower, low, 0, tables.rootLevel(52)), BigInt(DATA) | PAGE | AF);
    const entry = tables.entry(upper, high, 0, tables.rootLevel(52, KIB_64), KIB_64);
    tables.ram.write64(entry, BigInt(DATA + 0x1_0000) | PAGE | AF);
    const pe = tables.pe(lower, tcr(tables, 3n << 30n));
    pe.writeRegister('TTBR1_EL1', upper);
    expect(outcome(pe, low, READ)).toBe('frame 0');
    expect(outcome(pe, (0xfffn << 52n) | BigInt(high), READ)).toBe('frame 16');
  });

  it('faults at level -1 have codes of their own', () => {
    const tables = new Tables();
    const root = tables.root();
    const pe = tables.pe(root, tcr(tables));
    const codes = [0n, BigInt(DATA) | 3n, (1n << 40n) | 3n].map((descriptor) => {
      tables.ram.write64(root, descriptor);
      outcome(pe, 0, READ);
      const { esr } = pe.abort();
      return [esr & 0x3f, abortName(esr)];
    });
    expect(codes).toEqual([
      [0x2b, 'translation fault, level -1'],
      [0x04, 'translation fault, level 0'],
      [0x14, 'external abort on a walk, level 0'],
    ]);
    // 48 bits of physical address, and a table past them.
    pe.writeRegister('TCR_EL1', tcr(tables) ^ (3n << 32n));
    tables.ram.write64(root, (1n << 48n) | 3n);
    outcome(pe, 0, READ);
    expect(abortName(pe.abort().esr)).toBe('address size fault, level -1');
    // The root itself lies outside RAM.
    pe.writeRegister('TTBR0_EL1', 1n << 40n);
    outcome(pe, 0, READ);
    expect([pe.abort().esr & 0x3f, abortName(pe.abort().esr)]).toEqual([0x13, 'external abort on a walk, level -1']);
  });

  it('bits 49:48 and 9:8 of a descriptor are bits 51:48 of its address', () => {
    const page = (2n << 8n) | (1n << 48n) | BigInt(DATA) | PAGE | AF;
    expect((par(walk(FAR_AT, page).pe, FAR_AT) >> 12n) & 0xff_ffff_ffffn).toBe((9n << 36n) | BigInt(DATA >> 12));
  });

  it.each(['modelled', 'soft', 'walk'] as const)('a walk of four levels heeds bits 9:8 too, by path %s', (path) => {
    const tables = new Tables();
    const root = tables.root();
    tables.ram.write64(tables.entry(root, 0x40_0000), BigInt(DATA) | SHARES | PAGE | AF);
    const ends = [tables.tcr(), tables.tcr(DS)].map((each) =>
      outcome(tables.pe(root, each, { path }), 0x40_0000, READ),
    );
    // Past the 48 bits of IPS.
    expect(ends).toEqual(['frame 0', 'address size 3']);
  });

  it('shareability is that of TCR_EL1', () => {
    const { tables, pe } = walk(FAR_AT, BigInt(DATA) | PAGE | AF);
    pe.writeRegister('MAIR_EL1', 0xff);
    const shares = [0n, 2n, 3n].map((sh) => {
      pe.writeRegister('TCR_EL1', tcr(tables, sh << 12n));
      return (par(pe, FAR_AT) >> 7n) & 3n;
    });
    expect(shares).toEqual([0n, 2n, 3n]);
  });

  it.each([
    ['4 KiB, 512 GiB at level 0', KIB_4, 3, 2 ** 39],
    ['16 KiB, 64 GiB at level 1', KIB_16, 2, 2 ** 36],
  ] as const)('granule of %s is a block, and none without DS', (_, granule, level, bytes) => {
    const { tables, pe } = walk(bytes, VALID | AF, level, granule);
    expect(outcome(pe, bytes + DATA, READ)).toBe('frame 0');
    const plain = new Tables(granule);
    const root = plain.root();
    plain.ram.write64(plain.entry(root, bytes, level), VALID | AF);
    expect(outcome(plain.pe(root), bytes + DATA, READ)).toBe(`translation ${3 - level}`);
    expect(tables.granule).toBe(granule);
  });

  it('bits 5:2 of TTBR0_EL1 are bits 51:48 of the root', () => {
    const { pe } = walk(FAR_AT, BigInt(DATA) | PAGE | AF);
    const root = pe.readRegister('TTBR0_EL1');
    pe.writeRegister('TTBR0_EL1', root | (1n << 2n));
    expect(outcome(pe, FAR_AT, READ)).not.toBe('frame 0');
  });

  it('DS means nothing to a processor without FEAT_LPA2', () => {
    const tables = new Tables();
    const root = tables.root();
    tables.map(root, 0x40_0000, DATA, SHARES);
    const pe = tables.pe(root, tables.tcr(DS), { cpu: 'neoverse-n1' });
    expect(outcome(pe, 0x40_0000, READ)).toBe('frame 0');
  });

  it('stage 2 begins at level -1 by VTCR_EL2.SL2', () => {
    const tables = new Tables();
    const root = tables.root();
    const pe = tables.pe(root, tables.tcr());
    tables.ram.write64(tables.entry(root, FAR_AT, 0, 4), BigInt(DATA) | S2_ALL | PAGE | EL0);
    pe.writeRegister('SCTLR_EL1', 0);
    pe.writeRegister('VTTBR_EL2', root);
    pe.writeRegister('VTCR_EL2', 12n | PS_52 | VTCR_DS | VTCR_SL2);
    pe.writeRegister('HCR_EL2', 1);
    expect(outcome(pe, FAR_AT, READ)).toBe('frame 0');
    // SL0 must then be 0.
    pe.tlbi('ALLE1');
    pe.writeRegister('VTCR_EL2', 12n | (1n << 6n) | PS_52 | VTCR_DS | VTCR_SL2);
    expect(outcome(pe, FAR_AT, READ)).toBe('stage 2 translation 0');
  });
});
