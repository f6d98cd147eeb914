import { describe, expect, it } from 'vitest';
import { abortName } from '../../../hw/aarch64/exception.js';
import { AARCH64_CPUS } from '../../../hw/aarch64/features.js';
import { Pe } from '../../../hw/aarch64/pe.js';
import type { ExceptionLevel, PeOptions } from '../../../hw/aarch64/pe.js';
import { isWritable, SYSTEM_REGISTERS } from '../../../hw/aarch64/registers.js';
import { FETCH, READ, USER, WRITE } from '../../../hw/base/access.js';
import { Ram } from '../../../hw/memory/ram.js';
import { LogicalProcessor } from '../../../hw/translate/logical-processor.js';
import { DATA, outcome, Tables } from './tables.js';

const ram = new Ram({ bytes: 1 << 20 });
const ONES = 2n ** 64n - 1n;
const fresh = (options: Omit<PeOptions, 'ram'> = {}): Pe => new Pe({ ram, ...options });

describe('system registers', () => {
  it.each(SYSTEM_REGISTERS.filter(isWritable))('%s reads as it was written', (name) => {
    const pe = fresh();
    pe.writeRegister(name, ONES);
    expect(pe.readRegister(name)).toBe(ONES);
    pe.writeRegister(name, 0x1234);
    expect(pe.readRegister(name)).toBe(0x1234n);
  });

  it.each([
    ['max', 0x1020_0026n, 0x1010_1022n, (1n << 60n) | 0x1001_0010n],
    ['neoverse-n1', 0x10_0025n, 0x1010_1022n, 0x10n],
    ['cortex-a72', 0x24n, 0n, 0n],
  ] as const)('%s: the ID registers say its features', (cpu, first, second, third) => {
    const pe = fresh({ cpu });
    expect(pe.features).toEqual(AARCH64_CPUS[cpu]);
    expect(pe.readRegister('ID_AA64MMFR0_EL1')).toBe(first);
    expect(pe.readRegister('ID_AA64MMFR1_EL1')).toBe(second);
    expect(pe.readRegister('ID_AA64MMFR2_EL1')).toBe(third);
  });

  it('features may differ from the processor’s', () => {
    const pe = fresh({ cpu: 'cortex-a72', features: { TGran16: true } });
    expect(pe.readRegister('ID_AA64MMFR0_EL1')).toBe(0x10_0024n);
  });

  it('refuses what is no register, cannot be written, or is too large', () => {
    const pe = fresh();
    expect(() => pe.readRegister('CR3' as 'TCR_EL1')).toThrow(/system register 'CR3': must be 'SCTLR_EL1' or/);
    expect(() => {
      pe.writeRegister('ID_AA64MMFR0_EL1', 0);
    }).toThrow(/system register 'ID_AA64MMFR0_EL1'/);
    expect(() => {
      pe.writeRegister('TCR_EL1', 2n ** 64n);
    }).toThrow(/TCR_EL1 18446744073709551616/);
    expect(() => {
      pe.setExceptionLevel(3 as ExceptionLevel);
    }).toThrow(/exception level 3: must be 0 or 1 or 2/);
    expect(() => fresh({ cpu: 'z80' as 'max' })).toThrow(/cpu 'z80': must be 'max' or 'neoverse-n1' or 'cortex-a72'/);
  });

  it('begins at EL1, without translation', () => {
    const pe = fresh();
    expect([pe.exceptionLevel, pe.translate(0, 0x5000, READ)]).toEqual([1, 5]);
  });

  it('at EL2 nothing is translated', () => {
    const tables = new Tables();
    const pe = tables.pe(tables.root());
    pe.writeRegister('HCR_EL2', 1);
    pe.setExceptionLevel(2);
    expect(pe.translate(0, 0x5000, READ)).toBe(5);
  });
});

describe('the syndrome of an abort', () => {
  const tables = new Tables();
  const root = tables.root();
  tables.map(root, 0x5000, DATA, 0n);

  it.each([
    [1, READ, 0x9600_0007],
    [1, WRITE, 0x9600_0047],
    [1, FETCH, 0x8600_0007],
    [1, READ | USER, 0x9200_0007],
    [0, READ, 0x9200_0007],
    [0, WRITE, 0x9200_0047],
    [0, FETCH, 0x8200_0007],
  ] as const)('from EL%i, access %i: ESR_EL1 %i', (el, access, esr) => {
    const pe = tables.pe(root);
    pe.setExceptionLevel(el);
    expect(outcome(pe, 0x6000, access)).toBe('translation 3');
    pe.latch(pe.fault.take());
    expect([pe.readRegister('ESR_EL1'), pe.readRegister('FAR_EL1')]).toEqual([BigInt(esr), 0x6000n]);
  });

  it('has a name', () => {
    expect([0x9600_0007, 0x8600_000f, 0x9200_0010, 0x9200_0095, 0x3f].map(abortName)).toEqual([
      'translation fault, level 3',
      'permission fault, level 3',
      'external abort',
      'external abort on a walk, level 1, for a descriptor of stage 1',
      'fault status 0x3f',
    ]);
  });

  it('a processor’s handler finds it in the registers, and the access is made again', () => {
    const pe = tables.pe(root);
    const core = new LogicalProcessor(pe);
    core.onException(() => {
      expect(pe.readRegister('FAR_EL1')).toBe(0x7000n);
      tables.map(root, 0x7000, DATA + 0x7000, 0n);
      return true;
    });
    tables.ram.store32(0, DATA + 0x7000, 99);
    expect([core.peek(0x7000, 4), core.exceptions]).toEqual([99, 1]);
  });
});
