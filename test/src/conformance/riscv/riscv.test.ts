import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readJsonLines } from '../../../../src/conformance/recording/json-lines.js';
import { passes } from '../../../../src/conformance/recording/hardware.js';
import { allPassed } from '../../../../src/conformance/recording/result.js';
import { conformRiscv, RISCV_RECORDINGS } from '../../../../src/conformance/riscv/riscv.js';
import { riscvCase } from '../../../../src/conformance/riscv/riscv-case.js';
import type { RiscvCase } from '../../../../src/conformance/riscv/riscv-case.js';
import { RiscvMachine } from '../../../../src/conformance/riscv/riscv-machine.js';
import { temporaryFolder } from '../../../folder.js';
import { runCli } from '../../cli/run-cli.js';

const FOLDER = new URL('../../../data/riscv/', import.meta.url).pathname;
const FILES = readdirSync(FOLDER);

/** A load through an identity map of 2 MiB, whose accessed bit the hart sets. */
const CASE = {
  id: 1,
  fam: 'paging',
  xlen: 64,
  mode: 'sv39',
  priv: 'S',
  op: 'r',
  size: 4,
  va: '0x80201000',
  satp: '0x8000000000080000',
  adue: 1,
  mem: [
    ['0x80000010', '0x20000401'],
    ['0x80001008', '0x2008000f'],
  ],
  out: { k: 'ok', pa: ['0x80201000'] },
  after: ['0x20000401', '0x2008004f'],
};

function fileOf(...cases: readonly object[]): string {
  const file = join(temporaryFolder(), 'cases.jsonl');
  writeFileSync(file, cases.map((value) => JSON.stringify(value)).join('\n'));
  return file;
}

describe('recordings of RISC-V processors', () => {
  it.each(FILES)('%s: every case passes, and again from the TLB', (file) => {
    const result = conformRiscv([FOLDER + file]);
    expect(result.mismatches).toEqual([]);
    expect(allPassed(result)).toBe(true);
    expect(Object.values(result.families)[0].passed).toBeGreaterThan(30);
  });
});

describe('a replay notices', () => {
  const machine = new RiscvMachine();
  const cases = FILES.flatMap((file) => readJsonLines(FOLDER + file, riscvCase))
    .filter((_, index) => index % 5 === 0)
    .map(({ value }) => value);

  function changed(change: (value: RiscvCase) => RiscvCase | undefined): void {
    let noticed = 0;
    for (const value of cases) {
      const other = change(value);
      if (!other) continue;
      expect(passes(RISCV_RECORDINGS, other, machine.replay(other)), `case ${value.id}`).toBe(false);
      noticed++;
    }
    expect(noticed).toBeGreaterThan(5);
  }

  function spoilt(field: 'cause' | 'tval' | 'tval2' | 'tinst'): void {
    changed(({ out, ...rest }) => {
      if (out.k === 'ok') return undefined;
      const value = out[field];
      if (value === undefined) return undefined;
      const other = typeof value === 'number' ? value ^ 1 : { hi: value.hi, lo: value.lo ^ 4 };
      return { ...rest, out: { ...out, [field]: other } };
    });
  }

  it.each(['cause', 'tval', 'tval2', 'tinst'] as const)('another %s', spoilt);

  it('another physical address', () => {
    changed(({ out, ...rest }) =>
      out.k === 'ok' ? { ...rest, out: { ...out, pa: out.pa.map(({ hi, lo }) => ({ hi, lo: lo ^ 1 })) } } : undefined,
    );
  });

  it('another entry afterwards', () => {
    changed(({ after, ...rest }) =>
      after.length > 0 ? { ...rest, after: after.map(({ hi, lo }) => ({ hi, lo: lo ^ 0x100 })) } : undefined,
    );
  });
});

describe('pagewalk conform riscv', () => {
  it('prints a line a family and ends with 0 when all cases pass', async () => {
    const { status, stdout, stderr } = await runCli(['conform', 'riscv', fileOf(CASE)]);
    expect([status, stderr, stdout]).toEqual([0, '', 'paging 1 passed, 0 failed\n']);
  });

  it('shows a mismatch side by side and ends with 1', async () => {
    const wrong = { ...CASE, id: 8, out: { k: 'fault', cause: 13, tval: '0x80201000' } };
    const { status, stdout } = await runCli(['conform', 'riscv', fileOf(CASE, wrong)]);
    expect(status).toBe(1);
    expect(stdout).toContain('paging case 8');
    expect(stdout).toContain('sv39, S-mode: read of 4 bytes at 0x80201000');
    expect(stdout).toContain('entry at 0x80001008 = 0x2008000f  X W R V');
    expect(stdout).toMatch(/expected +load page fault \(13\), tval 0x80201000\n.*\n +got +at physical 0x80201000\n/);
    expect(stdout).toMatch(/paging 1 passed, 1 failed\n$/);
  });

  it('gives counts by family with --json', async () => {
    const { stdout } = await runCli(['conform', 'riscv', '--json', fileOf(CASE)]);
    expect(JSON.parse(stdout)).toMatchObject({ families: { paging: { passed: 1, failed: 0 } } });
  });

  it.each([
    [{ va: 16 }, 'field va:'],
    [{ satp: undefined }, 'field satp: missing: a case with v 0 needs it'],
    [{ v: 1 }, 'field vsatp: missing: a case with v 1 needs it'],
    [{ mprv: 1 }, 'field mpp: missing: a case with mprv 1 needs it'],
    [{ mode: 'sv48' }, 'field mode: sv48, but the register has MODE 8'],
    [{ v: 1, vsatp: CASE.satp, hgatp: '0x0', gmode: 'sv39x4' }, 'field gmode: sv39x4, but hgatp has MODE 0'],
    [{ size: 3 }, 'field size: expected 1, 2, 4 or 8, found 3'],
    [{ colour: 'red' }, "expected no field 'colour'"],
    [{ out: { ...CASE.out, far: '0x0' } }, "field out: expected no field 'far'"],
    [{ after: [] }, 'field after: expected 2 values, one for each of mem, got 0'],
  ])('names the broken field: %j', async (change, words) => {
    const { status, stdout, stderr } = await runCli(['conform', 'riscv', fileOf(CASE, { ...CASE, ...change })]);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`line 2: ${words}`);
  });
});
