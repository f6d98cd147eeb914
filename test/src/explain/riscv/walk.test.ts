import { describe, expect, it } from 'vitest';
import { fromBigInt } from '../../../../hw/base/address.js';
import type { Hart } from '../../../../hw/riscv/hart.js';
import { explainRadixSteps } from '../../../../src/explain/radix/radix-walk.js';
import type { RadixWalkResult } from '../../../../src/explain/radix/radix-result.js';
import { SV32_ADDRESSES, sv32State } from '../../../../src/explain/riscv/riscv-demo.js';
import { buildHart, parseRiscvState } from '../../../../src/explain/riscv/riscv-state.js';
import { riscvTerms } from '../../../../src/explain/riscv/walk.js';
import { vmprint, xv6Hart } from '../../../../src/explain/riscv/xv6.js';
import type { AccessKind } from '../../../../src/explain/machine-state.js';
import { runCli } from '../../cli/run-cli.js';

/** The entry of page 0 of xv6's first process. */
const ENTRY = 0x87f69000;

function explainOn(hart: Hart, address: bigint, access: AccessKind, user: boolean): RadixWalkResult {
  return explainRadixSteps(hart, riscvTerms(hart), { ...fromBigInt(address), access, user }).result;
}

/** Explains an access of the first process, the entry of page 0 being replaced. */
function explain(address: bigint, access: AccessKind, user: boolean, entry?: bigint): RadixWalkResult {
  const hart = xv6Hart();
  if (entry !== undefined) hart.ram.write64(ENTRY, entry);
  return explainOn(hart, address, access, user);
}

describe("xv6's first process", () => {
  it('is printed as vmprint does', () => {
    expect(vmprint(xv6Hart())).toBe(`page table 0x0000000087f6e000
..0: pte 0x0000000021fda801 pa 0x0000000087f6a000
.. ..0: pte 0x0000000021fda401 pa 0x0000000087f69000
.. .. ..0: pte 0x0000000021fdac1f pa 0x0000000087f6b000
.. .. ..1: pte 0x0000000021fda00f pa 0x0000000087f68000
.. .. ..2: pte 0x0000000021fd9c1f pa 0x0000000087f67000
..255: pte 0x0000000021fdb401 pa 0x0000000087f6d000
.. ..511: pte 0x0000000021fdb001 pa 0x0000000087f6c000
.. .. ..510: pte 0x0000000021fdd807 pa 0x0000000087f76000
.. .. ..511: pte 0x0000000020001c0b pa 0x0000000080007000
`);
  });

  it('reads its code: three levels, and the accessed bit', () => {
    const { levels, outcome, changes, mode, split } = explain(0x24n, 'fetch', true);
    expect(levels.map(({ level, index, flags, target }) => [level, index, flags, target])).toEqual([
      [2, 0, 'V', '0x87f6a000'],
      [1, 0, 'V', '0x87f69000'],
      [0, 0, 'U X W R V', '0x87f6b000'],
    ]);
    expect([outcome, changes, mode]).toEqual([
      { kind: 'mapped', physical: '0x87f6b024', page: '4K' },
      [{ table: 'level 0', entryAddress: '0x87f69000', bit: 'accessed', field: 'A', value: 1 }],
      'sv39',
    ]);
    expect(split.map(({ name, high, low, value }) => `${name} ${high}:${low} ${value}`)).toEqual([
      'level 2 index 38:30 0',
      'level 1 index 29:21 0',
      'level 0 index 20:12 0',
      'offset 11:0 36',
    ]);
  });

  it('the trampoline is the last page of the address space, for the supervisor alone', () => {
    expect(explain(0x3f_ffff_f000n, 'fetch', false).outcome).toMatchObject({ physical: '0x80007000' });
    expect(explain(0x3f_ffff_f000n, 'fetch', true).outcome).toMatchObject({ syndrome: { cause: 12 } });
  });
});

describe('why an access faults', () => {
  const V = 1n;
  const AD = 0xc0n;
  it.each([
    ['not valid', 'read', true, 0n, 'the entry of level 0 is not valid: V = 0'],
    ['a pointer', 'read', true, V, 'the entry of level 0 maps no page: R = W = X = 0'],
    ['W alone', 'read', true, V | 4n, 'the entry of level 0 has W without R, which is reserved'],
    ['a reserved bit', 'read', true, V | 2n | (1n << 55n), 'the entry of level 0 has reserved bits set, of 60 to 54'],
    ['PBMT', 'read', true, V | 0x12n | AD | (1n << 61n), 'the entry of level 0 has a reserved encoding of PBMT'],
    ['no U', 'read', true, V | 2n, 'user mode may use pages with U = 1 alone'],
    ['U', 'read', false, V | 0x12n, 'supervisor mode needs SUM = 1 for pages with U = 1'],
    ['U', 'fetch', false, V | 0x1an, 'supervisor mode never fetches from pages with U = 1'],
    ['no R', 'read', true, V | 0x18n, 'the page has R = 0'],
    ['no W', 'write', true, V | 0x12n, 'the page has W = 0'],
    ['no X', 'fetch', true, V | 0x12n, 'the page has X = 0'],
    ['beyond RAM', 'read', true, V | 0x12n | (1n << 40n), 'no RAM answers where the walk leads'],
  ] as const)('%s, %s: %s', (_, access, user, entry, why) => {
    expect(explain(0x10n, access, user, entry).outcome).toMatchObject({ kind: 'fault', why });
  });

  it('the TLB refuses it: the entries behind say why', () => {
    const hart = xv6Hart();
    explainOn(hart, 0x3f_ffff_f000n, 'read', false);
    const { tlb, levels, outcome } = explainOn(hart, 0x3f_ffff_f000n, 'write', false);
    expect([tlb, levels.map(({ skipped }) => skipped)]).toEqual(['L1 data TLB', [true, true, true]]);
    expect(outcome).toMatchObject({ kind: 'fault', why: 'the page has W = 0' });
  });

  it('the TLB refuses what the entries allow since', () => {
    const hart = xv6Hart();
    const { levels } = explainOn(hart, 0x3f_ffff_f000n, 'read', false);
    const entry = BigInt(levels[2].entryAddress ?? '');
    hart.ram.write64(entry, hart.ram.read64(entry) | 0x84n);
    expect(explainOn(hart, 0x3f_ffff_f000n, 'write', false).outcome).toMatchObject({
      why: 'the rights in the TLB refuse it, older than the entries',
    });
  });

  it('an address that is not valid', () => {
    expect(explain(0x80_0000_0000n, 'read', false).outcome).toMatchObject({
      syndrome: { cause: 13, stval: '0x8000000000' },
      why: 'bits 63 to 39 of the address must all equal bit 38',
    });
  });

  it('accessed is clear, where software is to set it', () => {
    const hart = xv6Hart();
    hart.writeCsr('menvcfg', 0);
    const { outcome } = explainOn(hart, 0n, 'read', true);
    expect(outcome).toMatchObject({ why: 'accessed or dirty is clear, and software is to set it (Svade)' });
  });
});

describe('RV32, Sv32', () => {
  const onSv32 = (lo: number, access: AccessKind = 'read', user = true): RadixWalkResult => {
    const hart = buildHart(parseRiscvState(sv32State()));
    return explainRadixSteps(hart, riscvTerms(hart), { hi: 0, lo, access, user }).result;
  };

  it('has two levels, and entries of 4 bytes', () => {
    const { levels, outcome, split } = onSv32(0x7f5a_32d8);
    expect(levels.map(({ raw, index, target }) => [raw, index, target])).toEqual([
      ['0x20000801', 509, '0x80002000'],
      ['0x20040017', 419, '0x80100000'],
    ]);
    expect(outcome).toEqual({ kind: 'mapped', physical: '0x801002d8', page: '4K' });
    expect(split.map(({ name }) => name)).toEqual(['level 1 index', 'level 0 index', 'offset']);
  });

  it('has megapages of 4 MiB, which must be aligned', () => {
    expect(onSv32(0xc012_3456 | 0, 'read', false).outcome).toEqual({
      kind: 'mapped',
      physical: '0x80523456',
      page: '4M',
    });
    expect(onSv32(0xc040_0000 | 0, 'read', false).outcome).toMatchObject({
      why: 'the entry of level 1 has reserved bits set, of 19 to 10',
    });
  });

  it('each address of the demonstration is about what it says', () => {
    const ends = SV32_ADDRESSES.map(([address]) => {
      const { outcome } = onSv32(Number(address) | 0);
      return outcome.kind === 'mapped' ? outcome.page : outcome.why;
    });
    expect(ends).toEqual([
      '4K',
      '4K',
      'user mode may use pages with U = 1 alone',
      'the entry of level 1 is not valid: V = 0',
      'user mode may use pages with U = 1 alone',
      'the entry of level 1 has reserved bits set, of 19 to 10',
    ]);
  });

  it.each([
    [{ satp: '0x180080001' }, 'csrs.satp: 0x180080001 has more than the 32 bits of RV32'],
    [{}, 'csrs.satp: missing; give it, or hgatp and vsatp of a guest'],
  ])('refuses a state with the registers %j', (csrs, words) => {
    const state = { ...sv32State(), csrs };
    expect(() => buildHart(parseRiscvState(state))).toThrow(words);
  });

  it('refuses an address of more than 32 bits', async () => {
    const { status, stderr } = await runCli(['walk', '--machine', 'riscv', '--mode', 'sv32', '0x100000000']);
    expect([status, stderr]).toEqual([
      2,
      'error: ADDRESS 0x100000000: addresses of RV32 have 32 bits; give at most 0xffffffff\n',
    ]);
  });
});

describe('pagewalk walk --machine riscv', () => {
  it('draws the walk, and says why it faults', async () => {
    const { status, stdout } = await runCli(['walk', '--machine', 'riscv', '--mode', 'sv39', '0x1008', '--user']);
    expect(status).toBe(0);
    expect(stdout).toContain('read of 0x1008 in user mode, Sv39\n');
    expect(stdout).toContain('level 0[1]  0x87f69008  0x0000000021fda00f  page 0x87f68000   X W R V\n');
    expect(stdout).toContain('Result      load page fault, cause 13, stval 0x1008\n');
    expect(stdout).toContain('Why         user mode may use pages with U = 1 alone\n');
  });

  it('prints the page table without an address, and JSON with --json', async () => {
    expect((await runCli(['walk', '--machine', 'riscv'])).stdout).toBe(vmprint(xv6Hart()));
    const { stdout } = await runCli(['walk', '--machine', 'riscv', '0x2000', '--user', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      command: 'walk',
      machine: 'riscv',
      outcome: { physical: '0x87f67000' },
    });
  });

  it.each([
    [['--machine', 'riscv', '--mode', '4l', '0'], '--mode 4l is for --machine x86; with riscv give one of sv39'],
    [['--mode', 'sv39', '0'], '--mode sv39 is for --machine riscv; with x86 give one of 4l, 5l, pae, 32, nested'],
    [['--machine', 'riscv', '--lab', 'fork', '0'], '--lab is for --machine x86; leave it out'],
    [['--machine', 'riscv', '--json'], 'ADDRESS is missing'],
    [['--machine', 'riscv', '--mode', 'sv32'], 'ADDRESS is missing'],
    [['--machine', 'z80', '0'], "option '--machine <name>' argument 'z80' is invalid"],
  ])('refuses %j', async (options, words) => {
    const { status, stderr, stdout } = await runCli(['walk', ...options]);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(words);
  });
});
