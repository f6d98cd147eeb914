import { describe, expect, it } from 'vitest';
import { UNPRIVILEGED } from '../../../hw/aarch64/exception.js';
import type { Pe, PeOptions } from '../../../hw/aarch64/pe.js';
import { FETCH, READ, USER, WRITE } from '../../../hw/base/access.js';
import {
  AF,
  CONTIGUOUS,
  DATA,
  DBM,
  EL0,
  HA,
  HD,
  KIB_16,
  KIB_4,
  outcome,
  PAGE,
  READ_ONLY,
  S2_ALL,
  S2_READ,
  S2_WRITE,
  Tables,
} from './tables.js';

const AT = 0x40_0000;
const IPA = 0x20_0000_0000;
/** MemAttr: write-back caches, inner and outer. */
const NORMAL = 0xfn << 2n;
const VTCR_HA = 1n << 21n;
const VTCR_HD = 1n << 22n;

/**
 * A guest with a page at AT, at IPA in its eyes: stage 2 with 40 bits of address and a root of level 1 maps the tables to
 * themselves and IPA to DATA.
 */
class Guest {
  readonly tables = new Tables();
  readonly root = this.tables.root();
  readonly host = this.tables.root(2);
  readonly pe: Pe;

  constructor(flags = 0n, hostFlags = S2_ALL, more = 0n, tcr = 0n, options: Omit<PeOptions, 'ram'> = {}) {
    this.tables.map(this.root, AT, IPA, flags);
    for (let page = 0; page < 0x20_0000; page += 4096) this.hostMap(page, page, S2_ALL);
    this.hostMap(IPA, DATA, hostFlags);
    this.pe = this.tables.pe(this.root, this.tables.tcr(tcr), options);
    this.pe.writeRegister('VTCR_EL2', this.vtcr | more);
    this.pe.writeRegister('VTTBR_EL2', (5n << 48n) | BigInt(this.host));
    this.pe.writeRegister('HCR_EL2', 1);
  }

  /** T0SZ 24, SL0 1, granule 4 KiB, PS of 48 bits: the root is two tables in a row. */
  readonly vtcr = 24n | (1n << 6n) | (5n << 16n);

  hostEntry(ipa: number, level = 0): number {
    return this.tables.entry(this.host, ipa, level, 2);
  }

  hostMap(ipa: number, physical: number, flags: bigint): void {
    this.tables.ram.write64(this.hostEntry(ipa), BigInt(physical) | flags | PAGE);
  }
}

describe('stage 2: Arm ARM, chapter D8', () => {
  it('both stages find the page', () => {
    expect(outcome(new Guest().pe, AT, READ)).toBe('frame 0');
  });

  it('a walk of 4 over 3 levels reads 4 descriptors and 15 more', () => {
    const { pe } = new Guest(0n, S2_ALL, 0n, 0n, {
      tlb: { name: 'none', l1Data: [], l1Instruction: [], l2: [], secondStage: [] },
    });
    pe.translate(0, AT, READ);
    const { entryReads, secondStageReads } = pe.counters.snapshot().data;
    expect([entryReads, secondStageReads]).toEqual([4, 15]);
  });

  it('no translation: FAR has the address, HPFAR_EL2 the page of the intermediate one', () => {
    const { pe } = new Guest(0n, 0n);
    pe.tlbi('ALLE1');
    expect(outcome(pe, AT + 8, READ)).toBe('stage 2 access flag 3');
    const abort = pe.abort();
    expect([abort.el, abort.esr >>> 26, abort.far, abort.hpfar]).toEqual([2, 0x24, BigInt(AT + 8), BigInt(IPA) >> 8n]);
    pe.latch(pe.fault.take());
    expect(pe.readRegister('HPFAR_EL2')).toBe(BigInt(IPA) >> 8n);
    expect([pe.readRegister('ESR_EL2'), pe.readRegister('FAR_EL2')]).toEqual([BigInt(abort.esr), BigInt(AT + 8)]);
    expect(pe.readRegister('ESR_EL1')).toBe(0n);
  });

  it.each([
    [S2_READ | AF, 'frame 0', 'stage 2 permission 3'],
    [S2_WRITE | AF, 'stage 2 permission 3', 'frame 0'],
    [AF, 'stage 2 permission 3', 'stage 2 permission 3'],
  ])('S2AP %s', (flags, read, write) => {
    const { pe } = new Guest(0n, flags);
    expect([outcome(pe, AT, READ), outcome(pe, AT, WRITE)]).toEqual([read, write]);
  });

  it('S2AP for writes alone is enough for STTR: only updates of descriptors need reads too', () => {
    const { pe } = new Guest(EL0, S2_WRITE | AF);
    expect(outcome(pe, AT, WRITE | UNPRIVILEGED)).toBe('frame 0');
    pe.at('S12E1W', 0, AT);
    expect(pe.readRegister('PAR_EL1') & 1n).toBe(0n);
    pe.at('S12E1R', 0, AT);
    expect(pe.readRegister('PAR_EL1') & 1n).toBe(1n);
  });

  it.each([
    [0n, 'frame 0', 'frame 0'],
    [1n, 'stage 2 permission 3', 'frame 0'],
    [2n, 'stage 2 permission 3', 'stage 2 permission 3'],
    [3n, 'frame 0', 'stage 2 permission 3'],
  ])('XN[1:0] %s: execution at EL1 and EL0 apart with FEAT_XNX', (xn, el1, el0) => {
    const { pe } = new Guest(READ_ONLY, S2_ALL | (xn << 53n));
    expect([outcome(pe, AT, FETCH), outcome(pe, AT, FETCH | USER)]).toEqual([el1, el0]);
    const old = new Guest(READ_ONLY, S2_ALL | (xn << 53n), 0n, 0n, { cpu: 'cortex-a72' }).pe;
    const both = xn < 2n ? 'frame 0' : 'stage 2 permission 3';
    expect([outcome(old, AT, FETCH), outcome(old, AT, FETCH | USER)]).toEqual([both, both]);
  });

  it('a refusal of both stages is stage 1’s, and taken to EL1', () => {
    const { pe } = new Guest(READ_ONLY, S2_READ | AF);
    expect(outcome(pe, AT, WRITE)).toBe('permission 3');
  });

  it('HA and HD set the Access flag and S2AP[1]', () => {
    const guest = new Guest(0n, S2_READ | DBM, VTCR_HA | VTCR_HD);
    const { pe, tables } = guest;
    const flags = (): bigint => tables.ram.read64(guest.hostEntry(IPA)) & (AF | S2_WRITE);
    expect([outcome(pe, AT, READ), flags()]).toEqual(['frame 0', AF]);
    expect([outcome(pe, AT, WRITE), flags()]).toEqual(['frame 0', AF | S2_WRITE]);
    expect(outcome(new Guest(0n, S2_READ | DBM, 0n).pe, AT, READ)).toBe('stage 2 access flag 3');
  });

  it('a descriptor of stage 1 without a translation: S1PTW, and its own address in HPFAR_EL2', () => {
    const guest = new Guest();
    const entry = guest.tables.entry(guest.root, AT);
    guest.tables.ram.write64(guest.hostEntry(entry), 0n);
    expect(outcome(guest.pe, AT, WRITE)).toBe('stage 2 translation 3 on walk');
    expect([guest.pe.abort().hpfar << 8n, guest.pe.abort().esr & 0x40]).toEqual([BigInt(entry & ~0xfff), 0x40]);
  });

  it('an update of stage 1 needs a writable page in stage 2, and makes it dirty', () => {
    const refused = new Guest(READ_ONLY | DBM, S2_ALL, 0n, HA | HD);
    const entry = refused.tables.entry(refused.root, AT);
    refused.hostMap(entry & ~0xfff, entry & ~0xfff, S2_READ | AF);
    expect([outcome(refused.pe, AT, READ), outcome(refused.pe, AT, WRITE)]).toEqual([
      'frame 0',
      'stage 2 permission 3 on walk',
    ]);

    const dirtied = new Guest(READ_ONLY | DBM, S2_ALL, VTCR_HA | VTCR_HD, HA | HD);
    dirtied.hostMap(entry & ~0xfff, entry & ~0xfff, S2_READ | AF | DBM);
    expect(outcome(dirtied.pe, AT, WRITE)).toBe('frame 0');
    expect(dirtied.tables.ram.read64(dirtied.hostEntry(entry)) & S2_WRITE).toBe(S2_WRITE);
    expect(dirtied.tables.ram.read64(entry) & READ_ONLY).toBe(0n);
  });

  it('HCR_EL2.PTW: walks of stage 1 do not go where stage 2 has Device memory; accesses do', () => {
    const guest = new Guest();
    const { pe, tables } = guest;
    // Everything so far is Device memory: MemAttr is 0.
    pe.writeRegister('HCR_EL2', 1 | (1 << 2));
    expect(outcome(pe, AT, READ)).toBe('stage 2 permission 3 on walk');
    expect(pe.abort().hpfar << 8n).toBe(BigInt(guest.root));
    for (let page = 0; page < 0x20_0000; page += 4096) guest.hostMap(page, page, S2_ALL | NORMAL);
    expect([outcome(pe, AT, READ), outcome(pe, AT, WRITE)]).toEqual(['frame 0', 'frame 0']);
    // Of the last table alone, and with its entry known to walk caches and to the TLB of stage 2.
    const table = tables.entry(guest.root, AT) & ~0xfff;
    guest.hostMap(table, table, S2_ALL);
    tables.map(guest.root, AT + 4096, IPA, 0n);
    pe.tlbi('VMALLS12E1');
    expect(outcome(pe, AT + 4096, READ)).toBe('stage 2 permission 3 on walk');
    pe.writeRegister('HCR_EL2', 1);
    expect(outcome(pe, AT + 4096, READ)).toBe('frame 0');
  });

  it('an Access flag of stage 1 is set where stage 2 allows writes and reads', () => {
    for (const [flags, expected] of [
      [S2_ALL, 'frame 0'],
      [S2_READ | AF, 'stage 2 permission 3 on walk'],
    ] as const) {
      const guest = new Guest(0n, S2_ALL, 0n, HA);
      const entry = guest.tables.entry(guest.root, AT);
      guest.tables.ram.write64(entry, BigInt(IPA) | PAGE);
      guest.hostMap(entry & ~0xfff, entry & ~0xfff, flags);
      expect(outcome(guest.pe, AT, READ)).toBe(expected);
      expect(guest.tables.ram.read64(entry) & AF).toBe(expected === 'frame 0' ? AF : 0n);
    }
  });

  it('AT S12E1W marks no page dirty in either stage, but the page of a descriptor that it updates', () => {
    const guest = new Guest(READ_ONLY | DBM, S2_READ | DBM, VTCR_HA | VTCR_HD, HA | HD);
    const { pe, tables } = guest;
    const entry = tables.entry(guest.root, AT);
    tables.ram.write64(entry, BigInt(IPA) | READ_ONLY | DBM | PAGE);
    guest.hostMap(entry & ~0xfff, entry & ~0xfff, S2_READ | AF | DBM);
    pe.at('S12E1W', 0, AT);
    expect(pe.readRegister('PAR_EL1') & 1n).toBe(0n);
    const bits = AF | READ_ONLY;
    expect(tables.ram.read64(entry) & bits).toBe(bits);
    expect(tables.ram.read64(guest.hostEntry(IPA)) & (AF | S2_WRITE)).toBe(AF);
    expect(tables.ram.read64(guest.hostEntry(entry)) & S2_WRITE).toBe(S2_WRITE);
  });

  it.each([
    ['pages', 0n, 0, 12],
    ['contiguous pages', CONTIGUOUS, 0, 16],
    ['a block', 0n, 1, 16],
  ])(
    'a contiguous set of stage 1 over %s of stage 2: a TLB keeps the smaller of the two',
    (_, contiguous, level, shift) => {
      const guest = new Guest();
      const { pe, tables } = guest;
      const type = level === 0 ? PAGE : 1n;
      for (let page = 0; page < 16; page++) {
        tables.map(guest.root, AT + page * 4096, IPA + page * 4096, CONTIGUOUS);
        const place = level === 0 ? page * 4096 : 0;
        tables.ram.write64(guest.hostEntry(IPA + place, level), BigInt(2 * DATA + place) | S2_ALL | contiguous | type);
      }
      expect(outcome(pe, AT + 0x3000, READ)).toBe(`frame ${DATA / 4096 + 3}`);
      expect(pe.dataPath.regime.pageShifts[pe.walkRecord.size]).toBe(shift);
    },
  );

  it('walk caches leave the last descriptor, and the page; with those of stage 2 its last descriptor', () => {
    const walkCaches = { level1: { entries: 4, ways: 4 } };
    const left = (caches: object): string => {
      const tlb = { name: 'test', l1Data: [], l1Instruction: [], l2: [], secondStage: [], walkCaches, ...caches };
      const { pe } = new Guest(0n, S2_ALL, 0n, 0n, { tlb });
      for (let n = 0; n < 2; n++) expect(outcome(pe, AT, READ)).toBe('frame 0');
      return pe.walkRecord
        .reads()
        .map(({ stage, level }) => `${stage}.${level}`)
        .join(' ');
    };
    expect([left({ secondStageWalkCaches: {} }), left({})]).toEqual(['1.0 2.2 2.1 2.0', '1.0 2.0']);
  });

  it('concatenated tables: the root is as many tables in a row as the address needs, at most 16', () => {
    const guest = new Guest();
    const far = 2 ** 39 + IPA;
    guest.tables.map(guest.root, AT, far, 0n);
    guest.hostMap(far, DATA + 4096, S2_ALL);
    expect(outcome(guest.pe, AT, READ)).toBe('frame 1');
    // 44 bits would need 32 tables of level 1.
    guest.pe.writeRegister('VTCR_EL2', (guest.vtcr & ~0x3fn) | 20n);
    guest.pe.tlbi('ALLE1');
    expect(outcome(guest.pe, AT, READ)).toBe('stage 2 translation 0 on walk');
  });

  it('SL0: level 3 alone needs FEAT_TTST, level 0 physical addresses of 44 bits', () => {
    const small = (cpu: 'max' | 'neoverse-n1'): string => {
      const guest = new Guest(0n, S2_ALL, 0n, 0n, { cpu });
      guest.pe.writeRegister('SCTLR_EL1', 0);
      guest.pe.writeRegister('VTCR_EL2', 39n | (3n << 6n) | (5n << 16n));
      guest.pe.writeRegister('VTTBR_EL2', guest.tables.root(2));
      return outcome(guest.pe, 0x5000, READ);
    };
    expect([small('max'), small('neoverse-n1')]).toEqual(['stage 2 translation 3', 'stage 2 translation 0']);
  });

  it('walk caches keep no table of 16 KiB that the host has in pieces', () => {
    const tables = new Tables(KIB_16);
    const root = tables.root();
    const host = tables.root(2);
    const put = (ipa: number, physical: number): void => {
      tables.ram.write64(tables.entry(host, ipa, 0, 2, KIB_4), BigInt(physical) | S2_ALL | PAGE);
    };
    // The second 4 KiB of the guest's last table begin with the page 8 MiB on.
    const [first, second] = [AT, AT + 0x80_0000];
    tables.map(root, first, IPA, 0n);
    const table = tables.entry(root, first) & ~0x3fff;
    const moved = tables.root();
    for (let page = 0; page < 0x20_0000; page += 4096) put(page, page === table + 4096 ? moved : page);
    tables.ram.write64(moved + (tables.entry(root, second) & 0xfff), BigInt(IPA + 0x4000) | AF | PAGE);
    put(IPA, DATA);
    put(IPA + 0x4000, DATA + 0x4000);
    const walkCaches = { level1: { entries: 4, ways: 4 } };
    const pe = tables.pe(root, tables.tcr(), {
      tlb: { name: 'test', l1Data: [], l1Instruction: [], l2: [], secondStage: [], walkCaches },
    });
    pe.writeRegister('VTCR_EL2', 24n | (1n << 6n) | (5n << 16n));
    pe.writeRegister('VTTBR_EL2', host);
    pe.writeRegister('HCR_EL2', 1);
    expect([outcome(pe, first, READ), outcome(pe, second, READ)]).toEqual(['frame 0', 'frame 4']);
  });

  it('an intermediate address past T0SZ, or an output past PS', () => {
    const guest = new Guest();
    guest.tables.map(guest.root, AT, 2 ** 40, 0n);
    expect(outcome(guest.pe, AT, READ)).toBe('stage 2 translation 0');
    const past = new Guest(0n, S2_ALL);
    past.tables.ram.write64(past.hostEntry(IPA), (1n << 32n) | S2_ALL | PAGE);
    past.pe.writeRegister('VTCR_EL2', past.vtcr & ~(7n << 16n));
    expect(outcome(past.pe, AT, READ)).toBe('stage 2 address size 3');
  });

  it('stage 1 off: the address is the intermediate one', () => {
    const { pe } = new Guest();
    pe.writeRegister('SCTLR_EL1', 0);
    expect(outcome(pe, IPA + 4, READ)).toBe('frame 0');
    expect(outcome(pe, IPA + 4096, READ)).toBe('stage 2 translation 3');
  });

  it('HCR_EL2.DC turns stage 1 off and stage 2 on', () => {
    const { pe } = new Guest();
    pe.writeRegister('HCR_EL2', 1 << 12);
    expect(outcome(pe, IPA, READ)).toBe('frame 0');
  });

  it('PAN and EL0 are stage 1’s alone', () => {
    const { pe } = new Guest(EL0);
    expect(outcome(pe, AT, READ | USER)).toBe('frame 0');
    pe.pan = true;
    expect(outcome(pe, AT, READ)).toBe('permission 3');
  });
});
