import { describe, expect, it } from 'vitest';
import { Ram } from '../../../hw/memory/ram.js';
import { Hart } from '../../../hw/riscv/hart.js';
import { CSR_NAMES } from '../../../hw/riscv/registers.js';
import type { CsrName } from '../../../hw/riscv/registers.js';

const ram = new Ram({ bytes: 1 << 20 });
const ONES = 2n ** 64n - 1n;

/** What a CSR of a new hart reads as after it was written. */
function written(name: CsrName, value: bigint, xlen: 32 | 64 = 64): bigint {
  const hart = new Hart({ ram, xlen });
  hart.writeCsr(name, value);
  return hart.readCsr(name);
}

describe('CSRs take what they can hold', () => {
  it.each([
    ['mstatus', 0xa_0000_0000n | (0xc0n << 32n) | 0xe19aan],
    ['sstatus', 0x2_000c_0122n],
    ['vsstatus', 0x2_000c_0122n],
    ['hstatus', 0x2_0000_0340n],
    ['menvcfg', 3n << 61n],
    ['henvcfg', 0n],
    ['medeleg', 0xb0_b0a2n],
    ['hedeleg', 0xb0a2n],
    ['scause', ONES],
    ['mtval2', ONES],
  ] as const)('%s keeps the bits it has', (name, expected) => {
    expect(written(name, ONES).toString(16)).toBe(expected.toString(16));
  });

  it.each(['satp', 'vsatp'] as const)('a write of %s with an unsupported MODE has no effect at all', (name) => {
    const hart = new Hart({ ram });
    for (const mode of [8n, 9n, 10n, 0n]) {
      const value = (mode << 60n) | (0xabcdn << 44n) | 0x123n;
      hart.writeCsr(name, value);
      for (const bad of [1n, 7n, 11n, 15n]) hart.writeCsr(name, (bad << 60n) | 5n);
      expect(hart.readCsr(name)).toBe(value);
    }
  });

  it('hgatp keeps its MODE alone when the new one is unsupported, and its root is four tables', () => {
    const hart = new Hart({ ram });
    hart.writeCsr('hgatp', (9n << 60n) | (0x7fffn << 44n) | 7n);
    expect(hart.readCsr('hgatp')).toBe((9n << 60n) | (0x3fffn << 44n) | 4n);
    hart.writeCsr('hgatp', (15n << 60n) | 8n);
    expect(hart.readCsr('hgatp')).toBe((9n << 60n) | 8n);
  });

  it('RV32: satp has 9 bits of ASID, hgatp 7 of VMID', () => {
    expect(written('satp', 0xffff_ffffn, 32)).toBe(0xffff_ffffn);
    expect(written('hgatp', 0xffff_ffffn, 32)).toBe(0x9fff_fffcn);
  });

  it('MPP keeps its mode when the reserved one is written', () => {
    const hart = new Hart({ ram });
    for (const mode of [0n, 1n, 3n]) {
      hart.writeCsr('mstatus', mode << 11n);
      hart.writeCsr('mstatus', 2n << 11n);
      expect((hart.readCsr('mstatus') >> 11n) & 3n).toBe(mode);
    }
  });

  it('henvcfg has no more than menvcfg has', () => {
    const hart = new Hart({ ram });
    hart.writeCsr('menvcfg', 1n << 61n);
    hart.writeCsr('henvcfg', 3n << 61n);
    expect(hart.readCsr('henvcfg')).toBe(1n << 61n);
  });

  it('RV32: high words have names of their own, and no memory types', () => {
    expect(written('menvcfgh', 0xffff_ffffn, 32)).toBe(1n << 29n);
    expect(written('menvcfg', 0xffff_ffffn, 32)).toBe(0n);
    expect(written('mstatush', 0xffff_ffffn, 32)).toBe(0xc0n);
  });

  it('sstatus is a part of mstatus', () => {
    const hart = new Hart({ ram });
    hart.writeCsr('mstatus', 1 << 17);
    hart.writeCsr('sstatus', 1 << 18);
    expect(hart.readCsr('mstatus') & 0xffff_ffffn).toBe(BigInt((1 << 17) | (1 << 18)));
  });

  it("with V = 1 the supervisor's names are the guest's registers", () => {
    const hart = new Hart({ ram });
    hart.setPrivilege('S', true);
    hart.writeCsr('satp', (8n << 60n) | 1n);
    hart.writeCsr('sstatus', 1 << 18);
    hart.setPrivilege('M');
    expect([hart.readCsr('vsatp'), hart.readCsr('satp')]).toEqual([(8n << 60n) | 1n, 0n]);
    expect([hart.readCsr('vsstatus') & 0xffff_ffffn, hart.readCsr('sstatus') & 0xffff_ffffn]).toEqual([1n << 18n, 0n]);
  });

  it('refuses a name that the hart does not have, and a value past XLEN, in words', () => {
    const narrow = new Hart({ ram, xlen: 32 });
    expect(() => new Hart({ ram }).readCsr('mstatush')).toThrow("CSR 'mstatush': must be one of mstatus, sstatus");
    expect(() => {
      narrow.writeCsr('satp', 2n ** 32n);
    }).toThrow('satp 4294967296: must be a whole number from');
    expect(() => new Hart({ ram, xlen: 16 as 32 })).toThrow('xlen 16: must be 32 or 64');
    expect(() => {
      narrow.setPrivilege('H' as 'U');
    }).toThrow("privilege 'H': must be 'U' or 'S' or 'M'");
  });

  it('reads every register of a new hart', () => {
    for (const xlen of [32, 64] as const) {
      const hart = new Hart({ ram, xlen });
      for (const name of CSR_NAMES)
        if (xlen === 32 || !name.endsWith('h')) expect(hart.readCsr(name)).toBeTypeOf('bigint');
    }
  });
});
