import { describe, expect, it } from 'vitest';
import { UNPRIVILEGED } from '../../../hw/aarch64/exception.js';
import { Pe } from '../../../hw/aarch64/pe.js';
import { FETCH, READ, USER, WRITE } from '../../../hw/base/access.js';
import { Ram } from '../../../hw/memory/ram.js';
import {
  AF,
  DATA,
  DBM,
  EL0,
  HA,
  HD,
  KIB_16,
  KIB_4,
  KIB_64,
  outcome,
  PAGE,
  PXN,
  READ_ONLY,
  Tables,
  UXN,
  VALID,
} from './tables.js';

const AT = 0x40_0000;
const KERNEL = 0xffff_0000_0040_0000n;
const bit = (n: number): bigint => 1n << BigInt(n);
const ACCESSES = {
  'EL1 read': READ,
  'EL1 write': WRITE,
  'EL1 fetch': FETCH,
  'EL0 read': READ | USER,
  'EL0 write': WRITE | USER,
  'EL0 fetch': FETCH | USER,
};

/** A page at AT with these flags, and the PE before it. */
function page(flags: bigint, tcr = 0n, options = {}): { tables: Tables; root: number; pe: Pe } {
  const tables = new Tables();
  const root = tables.root();
  tables.map(root, AT, DATA, flags);
  return { tables, root, pe: tables.pe(root, tables.tcr(tcr), options) };
}

/** The accesses that a page allows. */
function allowed(pe: Pe, address: number | bigint = AT): readonly string[] {
  return Object.entries(ACCESSES).flatMap(([name, access]) =>
    outcome(pe, address, access).startsWith('frame') ? [name] : [],
  );
}

const EL1_ALL = ['EL1 read', 'EL1 write', 'EL1 fetch'];

describe('permissions of a page: Arm ARM, chapter D8', () => {
  it.each([
    [0n, [...EL1_ALL, 'EL0 fetch']],
    [EL0, ['EL1 read', 'EL1 write', 'EL0 read', 'EL0 write', 'EL0 fetch']],
    [READ_ONLY, ['EL1 read', 'EL1 fetch', 'EL0 fetch']],
    [READ_ONLY | EL0, ['EL1 read', 'EL1 fetch', 'EL0 read', 'EL0 fetch']],
    [PXN, ['EL1 read', 'EL1 write', 'EL0 fetch']],
    [UXN, EL1_ALL],
    [READ_ONLY | EL0 | PXN | UXN, ['EL1 read', 'EL0 read']],
  ])('flags %s', (flags, expected) => {
    expect(allowed(page(flags).pe)).toEqual(expected);
  });

  it('SCTLR_EL1.WXN: what may be written is not executed', () => {
    const { pe } = page(0n);
    pe.writeRegister('SCTLR_EL1', 1 | (1 << 19));
    expect(allowed(pe)).toEqual(['EL1 read', 'EL1 write', 'EL0 fetch']);
    const user = page(EL0).pe;
    user.writeRegister('SCTLR_EL1', 1 | (1 << 19));
    expect(allowed(user)).toEqual(['EL1 read', 'EL1 write', 'EL0 read', 'EL0 write']);
  });

  it('a page that DBM makes writable counts as writable for WXN and for execution at EL1', () => {
    const { pe } = page(READ_ONLY | EL0 | DBM, HA | HD);
    expect(allowed(pe)).not.toContain('EL1 fetch');
  });

  it('PSTATE.PAN: no data accesses of EL1 to pages of EL0, from now on and not only after a walk', () => {
    const { pe } = page(EL0);
    expect(allowed(pe)).toContain('EL1 read');
    pe.pan = true;
    expect([outcome(pe, AT, READ), outcome(pe, AT, WRITE)]).toEqual(['permission 3', 'permission 3']);
    expect(allowed(pe)).toEqual(['EL0 read', 'EL0 write', 'EL0 fetch']);
    pe.pan = false;
    expect(allowed(pe)).toContain('EL1 read');
  });

  it('PAN has no effect on a processor without it', () => {
    const { pe } = page(EL0, 0n, { cpu: 'cortex-a72' });
    pe.pan = true;
    expect(allowed(pe)).toContain('EL1 read');
  });

  it('LDTR and STTR at EL1 have the rights of EL0, and fault as EL1', () => {
    const { pe } = page(0n);
    expect(outcome(pe, AT, READ | UNPRIVILEGED)).toBe('permission 3');
    expect(pe.abort().esr >>> 26).toBe(0x25);
    expect(outcome(pe, AT, READ | USER)).toBe('permission 3');
    expect(pe.abort().esr >>> 26).toBe(0x24);
  });

  it('PSTATE.UAO makes them privileged, PAN included', () => {
    const { pe } = page(0n);
    expect(pe.unprivileged).toBe(UNPRIVILEGED);
    pe.uao = true;
    expect(pe.unprivileged).toBe(0);
    expect(page(0n, 0n, { cpu: 'cortex-a72' }).pe.unprivileged).toBe(UNPRIVILEGED);
  });

  it.each([
    ['APTable[0]', bit(61), ['EL1 read', 'EL1 write', 'EL1 fetch', 'EL0 fetch']],
    ['APTable[1]', bit(62), ['EL1 read', 'EL1 fetch', 'EL0 read', 'EL0 fetch']],
    ['UXNTable', bit(60), ['EL1 read', 'EL1 write', 'EL0 read', 'EL0 write']],
    ['PXNTable', bit(59), ['EL1 read', 'EL1 write', 'EL0 read', 'EL0 write', 'EL0 fetch']],
  ])('%s takes rights away below, unless TCR_EL1.HPD0 says no', (_, flag, expected) => {
    const { tables, root, pe } = page(EL0);
    const entry = tables.entry(root, AT, 1);
    tables.ram.write64(entry, tables.ram.read64(entry) | flag);
    expect(allowed(pe)).toEqual(expected);
    const free = tables.pe(root, tables.tcr(bit(41)));
    expect(allowed(free)).toEqual(['EL1 read', 'EL1 write', 'EL0 read', 'EL0 write', 'EL0 fetch']);
    const old = tables.pe(root, tables.tcr(bit(41)), { cpu: 'cortex-a72' });
    expect(allowed(old)).toEqual(expected);
  });

  it('TCR_EL1.E0PD1: EL0 has nothing in the upper half, not even what a TLB holds', () => {
    const { pe } = page(EL0, bit(56));
    expect(outcome(pe, KERNEL, READ)).toBe('frame 0');
    expect([READ, WRITE, FETCH].map((access) => outcome(pe, KERNEL, access | USER))).toEqual(
      Array(3).fill('translation 0'),
    );
    expect(outcome(pe, AT, READ | USER)).toBe('frame 0');
    expect(outcome(page(EL0, bit(56), { cpu: 'neoverse-n1' }).pe, KERNEL, READ | USER)).toBe('frame 0');
  });
});

describe('Access flag and dirty state: Arm ARM, chapter D8', () => {
  const flags = (tables: Tables, root: number): bigint =>
    tables.ram.read64(tables.entry(root, AT)) & (AF | READ_ONLY | DBM);

  it('AF = 0 faults without TCR_EL1.HA, and is set with it', () => {
    const { tables, root, pe } = page(0n);
    const entry = tables.entry(root, AT);
    tables.ram.write64(entry, BigInt(DATA) | PAGE);
    expect(outcome(pe, AT, READ)).toBe('access flag 3');
    expect(outcome(tables.pe(root, tables.tcr(HA), { cpu: 'cortex-a72' }), AT, READ)).toBe('access flag 3');
    expect(outcome(tables.pe(root, tables.tcr(HA)), AT, READ)).toBe('frame 0');
    expect(tables.ram.read64(entry)).toBe(BigInt(DATA) | PAGE | AF);
  });

  it('DBM: the first store clears AP[2], and a load before it does not', () => {
    const { tables, root, pe } = page(READ_ONLY | DBM, HA | HD);
    expect([outcome(pe, AT, READ), flags(tables, root)]).toEqual(['frame 0', AF | READ_ONLY | DBM]);
    expect([outcome(pe, AT, WRITE), flags(tables, root)]).toEqual(['frame 0', AF | DBM]);
  });

  it.each([
    ['DBM without HD', READ_ONLY | DBM, HA],
    ['HD without HA', READ_ONLY | DBM, HD],
    ['no DBM', READ_ONLY, HA | HD],
  ])('%s: a store faults', (_, descriptor, tcr) => {
    expect(outcome(page(descriptor, tcr).pe, AT, WRITE)).toBe('permission 3');
  });

  it('a store refused leaves the descriptor alone', () => {
    const { tables, root, pe } = page(READ_ONLY | DBM, HA | HD);
    expect([outcome(pe, AT, WRITE | USER), flags(tables, root)]).toEqual(['permission 3', AF | READ_ONLY | DBM]);
  });
});

describe('addresses', () => {
  it('T0SZ and T1SZ: past them a translation fault of level 0', () => {
    const { tables, root } = page(0n);
    const pe = tables.pe(root, (tables.tcr() & ~0x3fn & ~(0x3fn << 16n)) | 25n | (28n << 16n));
    expect(outcome(pe, 2 ** 39, READ)).toBe('translation 0');
    expect(outcome(pe, 2n ** 64n - 2n ** 36n - 1n, READ)).toBe('translation 0');
    expect(outcome(pe, 2n ** 64n - 2n ** 36n + 5n * 2n ** 30n, READ)).toBe('translation 1');
  });

  it('EPD0 and EPD1 bar walks of a half', () => {
    const { pe } = page(0n, bit(7));
    expect([outcome(pe, AT, READ), outcome(pe, KERNEL, READ)]).toEqual(['translation 0', 'frame 0']);
    const upper = page(0n, bit(23)).pe;
    expect([outcome(upper, AT, READ), outcome(upper, KERNEL, READ)]).toEqual(['frame 0', 'translation 0']);
  });

  it('TBI: the top byte is ignored, and stands in FAR', () => {
    const tagged = 0x7f00_0000_0040_0000n;
    expect(outcome(page(0n).pe, tagged, READ)).toBe('translation 0');
    const { pe } = page(READ_ONLY, bit(37));
    expect(outcome(pe, tagged, READ)).toBe('frame 0');
    expect([outcome(pe, tagged, WRITE), pe.abort().far]).toEqual(['permission 3', tagged]);
    expect(outcome(pe, 0x12ff_0000_0040_0000n, READ)).toBe('translation 0');
  });

  it('TBID: for data alone', () => {
    const tagged = 0x7f00_0000_0040_0000n;
    const { pe } = page(0n, bit(37) | bit(51));
    expect([outcome(pe, tagged, READ), outcome(pe, tagged, FETCH)]).toEqual(['frame 0', 'translation 0']);
    expect(pe.abort().far).toBe(tagged);
    expect(outcome(page(0n, bit(37) | bit(51), { cpu: 'neoverse-n1' }).pe, tagged, FETCH)).toBe('frame 0');
  });

  it('batches and loads take tagged addresses too', () => {
    const { tables, pe } = page(0n, bit(37));
    tables.ram.store32(0, DATA + 8, 77);
    const his = Int32Array.of(0x7f00_0000, 0, 0x0100_0000);
    const los = Int32Array.of(AT + 8, AT + 8, AT + 8);
    const values = new Int32Array(3);
    expect([pe.loadMany(his, los, 3, READ, values), ...values]).toEqual([3, 77, 77, 77]);
    expect([pe.read(0x0500_0000, AT + 8, 4, READ), pe.valueLo]).toEqual([0, 77]);
  });

  it('IPS: a table, a page or the root past it is an address size fault', () => {
    const tables = new Tables();
    const root = tables.root();
    const far = 0x1_0000_0000n;
    const pe = tables.pe(root, tables.tcr() & ~(7n << 32n));
    tables.ram.write64(tables.entry(root, AT), far | PAGE | AF);
    expect(outcome(pe, AT, READ)).toBe('address size 3');
    tables.ram.write64(tables.entry(root, AT, 1), far | PAGE);
    expect(outcome(pe, AT, READ)).toBe('address size 2');
    pe.writeRegister('TTBR0_EL1', far);
    expect(outcome(pe, AT, READ)).toBe('address size 0');
  });

  it.each(['modelled', 'walk', 'soft'] as const)('IPS of 32 bits keeps RAM past 4 GiB out, on path %s', (path) => {
    const ram = new Ram({
      ranges: [
        { base: 0, bytes: 1 << 20 },
        { base: 2 ** 32, bytes: 1 << 16 },
      ],
    });
    const far = 2n ** 32n;
    for (const [entry, value] of [
      [0x1_0000, 0x2_0003n],
      [0x2_0000, 0x3_0003n],
      [0x3_0000, 0x4_0003n],
      [0x4_0000, far | PAGE | AF],
      [0x3_0008, far | PAGE],
    ] as const)
      ram.write64(entry, value);
    const pe = new Pe({ ram, path });
    pe.writeRegister('TTBR0_EL1', 0x1_0000);
    pe.writeRegister('TCR_EL1', 16n | (1n << 32n));
    pe.writeRegister('SCTLR_EL1', 1);
    expect(pe.translate(0, 0, READ)).toBe(2 ** 20);
    pe.writeRegister('TCR_EL1', 16n);
    pe.tlbi('VMALLE1');
    expect([outcome(pe, 0, READ), outcome(pe, 0x20_0000, READ)]).toEqual(['address size 3', 'address size 2']);
  });

  it.each(['modelled', 'walk', 'soft'] as const)(
    'a shorter half has no addresses of the longer one, on path %s',
    (path) => {
      const tables = new Tables();
      // 39 bits in the lower half: its root is of level 1. The upper one has 48.
      const root = tables.root();
      tables.ram.write64(tables.entry(root, AT, 0, 2), BigInt(DATA) | PAGE | AF);
      const pe = tables.pe(root, tables.tcr() + 9n, { path });
      expect([outcome(pe, AT, READ), outcome(pe, AT + 2 ** 39, READ)]).toEqual(['frame 0', 'translation 0']);
    },
  );

  it.each(['modelled', 'walk', 'soft'] as const)('no RAM answers for a page, or a block: on path %s', (path) => {
    const tables = new Tables();
    const root = tables.root();
    tables.map(root, AT, 2 ** 30, 0n);
    tables.map(root, 2 ** 30, 2 ** 30, 0n, 1);
    const pe = tables.pe(root, tables.tcr(), { path });
    expect([outcome(pe, AT, READ), outcome(pe, 2 ** 30, READ)]).toEqual(['external 0', 'external 0']);
  });

  it('stage 1 off: addresses are physical, and must not be longer', () => {
    const pe = new Pe({ ram: new Ram({ bytes: 1 << 20 }), cpu: 'cortex-a72' });
    expect(pe.translate(0, 0x5000, READ)).toBe(5);
    expect(outcome(pe, 2n ** 43n, READ)).toBe('external 0');
    expect(outcome(pe, 2n ** 44n, READ)).toBe('address size 0');
  });
});

describe.each([
  [KIB_4, [21, 30]],
  [KIB_16, [25]],
  [KIB_64, [29, 42]],
] as const)('granule 2^%i', (granule, blocks) => {
  it('translates its pages and blocks, and no others', () => {
    const tables = new Tables(granule);
    const root = tables.root();
    tables.map(root, AT, DATA, 0n);
    const pe = tables.pe(root);
    expect(outcome(pe, AT + 2 ** granule - 1, READ)).toBe(`frame ${2 ** (granule - 12) - 1}`);
    expect(outcome(pe, AT + 2 ** granule, READ)).toBe('translation 3');
    for (let level = 1; level < 3; level++) {
      const address = 2 ** 45 * level;
      tables.map(root, address, 0, 0n, level);
      const shift = granule + (granule - 3) * level;
      const expected = (blocks as readonly number[]).includes(shift)
        ? `frame ${7 - DATA / 4096}`
        : `translation ${3 - level}`;
      expect(outcome(pe, address + 0x7000, READ)).toBe(expected);
    }
  });

  it('a page without bit 1 is invalid', () => {
    const tables = new Tables(granule);
    const root = tables.root();
    tables.ram.write64(tables.entry(root, AT), BigInt(DATA) | VALID | AF);
    expect(outcome(tables.pe(root), AT, READ)).toBe('translation 3');
  });
});

describe('52 bits: FEAT_LPA and FEAT_LVA', () => {
  it('bits 15:12 of a descriptor of the granule of 64 KiB are bits 51:48 of its address', () => {
    const tables = new Tables(KIB_64);
    const root = tables.root();
    tables.map(root, AT, DATA + 0x3000, 0n);
    const tcr = (tables.tcr() & ~(7n << 32n)) | (6n << 32n);
    const pe = tables.pe(root, tcr);
    expect(outcome(pe, AT, READ)).toBe('external 0');
    expect([pe.outputHi, pe.outputLo]).toEqual([0x3_0000, DATA]);
    expect(outcome(tables.pe(root), AT, READ)).toBe('address size 3');
    expect(outcome(tables.pe(root, tcr, { cpu: 'neoverse-n1' }), AT, READ)).toBe('frame 0');
  });

  it('T0SZ 12: addresses of 52 bits, with it alone', () => {
    const tables = new Tables(KIB_64);
    const root = tables.root();
    const address = 2 ** 51 + AT;
    tables.ram.write64(tables.entry(root, address, 0, 2), BigInt(DATA) | PAGE | AF);
    const tcr = (tables.tcr() & ~0x3fn) | 12n;
    expect(outcome(tables.pe(root, tcr), address, READ)).toBe('frame 0');
    expect(outcome(tables.pe(root, tcr), 2 ** 52, READ)).toBe('translation 0');
    expect(outcome(tables.pe(root, tcr, { cpu: 'neoverse-n1' }), address, READ)).toBe('translation 0');
  });

  it('small tables: T0SZ up to 48 with FEAT_TTST', () => {
    const tables = new Tables();
    const root = tables.root();
    tables.ram.write64(root + 5 * 8, BigInt(DATA) | PAGE | AF);
    const tcr = (tables.tcr() & ~0x3fn) | 48n;
    expect(outcome(tables.pe(root, tcr), 0x5000, READ)).toBe('frame 0');
    expect(outcome(tables.pe(root, tcr, { cpu: 'neoverse-n1' }), 0x5000, READ)).toBe('translation 0');
  });
});
