import { describe, expect, it } from 'vitest';
import type { AtName, Pe } from '../../../hw/aarch64/pe.js';
import { READ } from '../../../hw/base/access.js';
import { AF, DATA, DBM, EL0, HA, HD, outcome, PAGE, READ_ONLY, S2_ALL, Tables } from './tables.js';

const AT = 0x40_0000;
const MAIR = 0xff_44_04_00n;
/** PAR_EL1 on a fault: F, FST, PTW and S; and on success the parts of it. */
const failed = (par: bigint): string =>
  `fault ${(par >> 1n) & 0x3fn}${par & 0x100n ? ' on walk' : ''}${par & 0x200n ? ' stage 2' : ''}`;
const found = (par: bigint): string =>
  `${((par >> 12n) & 0xff_ffff_ffffn).toString(16)} attributes ${(par >> 56n).toString(16)} sh ${(par >> 7n) & 3n}`;

function par(pe: Pe, name: AtName, address = AT): string {
  pe.at(name, 0, address);
  const value = pe.readRegister('PAR_EL1');
  expect(value & 0x800n).toBe(0x800n);
  return (value & 1n) === 1n ? failed(value) : found(value);
}

function page(flags: bigint, tcr = 0n): { tables: Tables; root: number; pe: Pe } {
  const tables = new Tables();
  const root = tables.root();
  tables.map(root, AT, DATA, flags);
  const pe = tables.pe(root, tables.tcr(tcr));
  pe.writeRegister('MAIR_EL1', MAIR);
  return { tables, root, pe };
}

describe('AT: Arm ARM, chapter C5, and PAR_EL1', () => {
  it.each([
    [0n, '1000 attributes 0 sh 2'],
    [1n << 2n, '1000 attributes 4 sh 2'],
    [(2n << 2n) | (3n << 8n), '1000 attributes 44 sh 2'],
    [(3n << 2n) | (3n << 8n), '1000 attributes ff sh 3'],
    [3n << 2n, '1000 attributes ff sh 0'],
  ])('on success the address, the attribute of MAIR_EL1 and the shareability: flags %s', (flags, expected) => {
    expect(par(page(flags).pe, 'S1E1R')).toBe(expected);
  });

  it.each<[AtName, bigint, string]>([
    ['S1E1R', READ_ONLY, 'found'],
    ['S1E1W', READ_ONLY, 'fault 15'],
    ['S1E0R', READ_ONLY, 'fault 15'],
    ['S1E0R', READ_ONLY | EL0, 'found'],
    ['S1E0W', READ_ONLY | EL0, 'fault 15'],
    ['S1E0W', EL0, 'found'],
  ])('%s with flags %s: %s', (name, flags, expected) => {
    expect(par(page(flags).pe, name).replace(/^1000.*/, 'found')).toBe(expected);
  });

  it('S1E1RP and S1E1WP heed PSTATE.PAN, the others do not', () => {
    const { pe } = page(EL0);
    pe.pan = true;
    const names: readonly AtName[] = ['S1E1R', 'S1E1W', 'S1E1RP', 'S1E1WP'];
    expect(names.map((name) => par(pe, name).slice(0, 5))).toEqual(['1000 ', '1000 ', 'fault', 'fault']);
  });

  it.each([0, 2] as const)('is made as at EL1 from EL%i too, and leaves that as it was', (el) => {
    const { pe } = page(0n);
    pe.setExceptionLevel(el);
    expect([par(pe, 'S1E1R').slice(0, 4), par(pe, 'S1E0R'), pe.exceptionLevel]).toEqual(['1000', 'fault 15', el]);
  });

  it('leaves the fault of the last access, and every TLB and count, alone', () => {
    const { pe } = page(0n);
    outcome(pe, AT + 4096, READ);
    const [fault, counts] = [pe.fault.take(), pe.counters.snapshot()];
    expect(par(pe, 'S1E1R', AT + 8192)).toBe('fault 7');
    expect([pe.fault.take(), pe.counters.snapshot()]).toEqual([fault, counts]);
  });

  it('sets the Access flag, not the dirty state', () => {
    const { tables, root, pe } = page(0n, HA | HD);
    const entry = tables.entry(root, AT);
    tables.ram.write64(entry, BigInt(DATA) | READ_ONLY | DBM | PAGE);
    expect(par(pe, 'S1E1W').slice(0, 4)).toBe('1000');
    expect(tables.ram.read64(entry)).toBe(BigInt(DATA) | READ_ONLY | DBM | PAGE | AF);
  });

  it('a tag is ignored as for data, and without stage 1 the address is its own translation', () => {
    const { pe } = page(0n, (1n << 37n) | (1n << 51n));
    pe.at('S1E1R', 0x1200_0000, AT);
    expect(found(pe.readRegister('PAR_EL1')).slice(0, 4)).toBe('1000');
    pe.writeRegister('SCTLR_EL1', 0);
    expect(par(pe, 'S1E1R')).toBe('400 attributes 0 sh 2');
    // HCR_EL2.DC makes it write-back memory, not shareable.
    pe.writeRegister('HCR_EL2', 1 << 12);
    expect(par(pe, 'S1E1R')).toBe('400 attributes ff sh 0');
    pe.writeRegister('HCR_EL2', 0);
    pe.at('S1E1R', 0x10_0000, 0);
    expect(failed(pe.readRegister('PAR_EL1'))).toBe('fault 0');
  });

  it('of two stages, S1 gives the intermediate address, S12 the physical one', () => {
    const { tables, pe } = page(0n);
    const host = tables.root(2);
    const map = (ipa: number, physical: number, flags: bigint): void => {
      tables.ram.write64(tables.entry(host, ipa, 0, 2), BigInt(physical) | flags | PAGE);
    };
    for (let at = 0; at < 0x20_0000; at += 4096) map(at, at, S2_ALL);
    map(DATA, DATA + 0x5000, S2_ALL);
    pe.writeRegister('VTCR_EL2', 24n | (1n << 6n) | (5n << 16n));
    pe.writeRegister('VTTBR_EL2', host);
    pe.writeRegister('HCR_EL2', 1);
    expect([par(pe, 'S1E1R').slice(0, 4), par(pe, 'S12E1R').slice(0, 4)]).toEqual(['1000', '1005']);
    map(DATA, DATA, AF);
    expect([par(pe, 'S1E1W').slice(0, 4), par(pe, 'S12E1W')]).toEqual(['1000', 'fault 15 stage 2']);
    map(0x1_0000, 0x1_0000, 0n);
    expect(par(pe, 'S1E1R')).toBe('fault 11 on walk stage 2');
  });
});
