import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ARM_RECORDINGS, conformArm } from '../../../../src/conformance/arm/arm.js';
import type { ArmRecording } from '../../../../src/conformance/arm/arm.js';
import { ArmMachine } from '../../../../src/conformance/arm/arm-machine.js';
import { passes } from '../../../../src/conformance/recording/hardware.js';
import { readJsonLines } from '../../../../src/conformance/recording/json-lines.js';
import { allPassed } from '../../../../src/conformance/recording/result.js';
import { temporaryFolder } from '../../../folder.js';
import { runCli } from '../../cli/run-cli.js';

const FOLDER = new URL('../../../data/arm/', import.meta.url).pathname;
const FILES = readdirSync(FOLDER);

/** A load at EL1 through a block of 2 MiB whose Access flag the PE sets: T0SZ 34, so that the root is of level 2. */
const CASE = {
  id: 1,
  fam: 's1',
  cpu: 'max',
  granule: 4,
  half: 0,
  el: 1,
  op: 'r',
  size: 4,
  va: '0x1234',
  ttbr0: '0x48000000',
  tcr: '0x8680000022',
  mair: '0xff',
  sctlr: { m: 1, wxn: 0 },
  pan: 0,
  uao: 0,
  mem: [['0x48000000', '0x48200301']],
  out: { k: 'ok', pa: ['0x48201234'] },
  par: ['0x48201000', '0x48201000'],
  after: ['0x48200701'],
};
/** The same address through two stages, the second an identity block of 1 GiB that forbids reading. */
const GUEST = {
  ...CASE,
  id: 2,
  fam: 's1s2',
  par: undefined,
  vtcr: '0x80050059',
  vttbr: '0x48010000',
  mem: [
    ['0x48010008', '0x400004fd'],
    ['0x48000000', '0x80000701'],
    ['0x48010010', '0x8000043d'],
  ],
  out: { k: 'fault', stage: 2, esr: '0x9200000d', far: '0x1234', ipa: '0x80001000' },
  after: ['0x400004fd', '0x80000701', '0x8000043d'],
};

function fileOf(...cases: readonly object[]): string {
  const file = join(temporaryFolder(), 'cases.jsonl');
  writeFileSync(file, cases.map((value) => JSON.stringify(value)).join('\n'));
  return file;
}

describe('recordings of AArch64 processors', () => {
  it.each(FILES)('%s: every case passes, and again from the TLB', (file) => {
    const result = conformArm([FOLDER + file]);
    expect(result.mismatches).toEqual([]);
    expect(allPassed(result)).toBe(true);
    expect(Object.values(result.families)[0].passed).toBeGreaterThan(30);
  });
});

describe('a replay notices', () => {
  const machine = new ArmMachine();
  const cases = FILES.flatMap((file) => readJsonLines(FOLDER + file, ARM_RECORDINGS.schema))
    .filter((_, index) => index % 20 === 0)
    .map(({ value }) => value);

  function changed(change: (value: ArmRecording) => ArmRecording | undefined): void {
    let noticed = 0;
    for (const value of cases) {
      const other = change(value);
      if (!other) continue;
      expect(passes(ARM_RECORDINGS, other, machine.replay(other)), `case ${value.id}`).toBe(false);
      noticed++;
    }
    expect(noticed).toBeGreaterThan(5);
  }

  it.each(['esr', 'far', 'ipa', 'fst'] as const)('another %s', (field) => {
    changed((value) => {
      const out = value.out as Readonly<Record<string, unknown>>;
      const word = out[field] as { hi: number; lo: number } | undefined;
      if (word === undefined) return undefined;
      return { ...value, out: { ...out, [field]: { hi: word.hi, lo: word.lo ^ 0x4 } } } as ArmRecording;
    });
  });

  it('another stage', () => {
    changed((value) =>
      'stage' in value.out
        ? ({ ...value, out: { ...value.out, stage: 3 - value.out.stage } } as ArmRecording)
        : undefined,
    );
  });

  it('another physical address', () => {
    changed((value) => {
      if (value.out.k !== 'ok') return undefined;
      const pa = value.out.pa.map(({ hi, lo }) => ({ hi, lo: lo ^ 1 }));
      return { ...value, out: { ...value.out, pa } };
    });
  });

  it.each([0, 1])('another PAR_EL1, of read or write: %i', (at) => {
    changed((value) => {
      if (value.out.par === undefined) return undefined;
      const par = value.out.par.map(({ hi, lo }, n) => ({ hi, lo: n === at ? lo ^ 0x1000 : lo }));
      return { ...value, out: { ...value.out, par } } as ArmRecording;
    });
  });

  it('another descriptor afterwards', () => {
    changed((value) =>
      value.after.length > 0
        ? { ...value, after: value.after.map(({ hi, lo }) => ({ hi, lo: lo ^ 0x100 })) }
        : undefined,
    );
  });
});

describe('pagewalk conform arm', () => {
  it('prints a line a family and ends with 0 when all cases pass', async () => {
    const { status, stdout, stderr } = await runCli(['conform', 'arm', fileOf(CASE, GUEST)]);
    expect([status, stderr, stdout]).toEqual([0, '', 's1 1 passed, 0 failed\ns1s2 1 passed, 0 failed\n']);
  });

  it('shows a mismatch side by side and ends with 1', async () => {
    const wrong = { ...CASE, id: 8, out: { k: 'fault', stage: 1, esr: '0x96000006', far: '0x1234' } };
    const { status, stdout } = await runCli(['conform', 'arm', fileOf(CASE, wrong)]);
    expect(status).toBe(1);
    expect(stdout).toContain('s1 case 8');
    expect(stdout).toContain('max, 4 KiB, EL1: read of 4 bytes at 0x1234');
    expect(stdout).toContain('descriptor at 0x48000000 = 0x48200301');
    expect(stdout).toMatch(/expected +stage 1 translation fault, level 2, esr 0x96000006, far 0x1234, PAR /);
    expect(stdout).toMatch(/got +at physical 0x48201234, PAR /);
    expect(stdout).toMatch(/s1 1 passed, 1 failed\n$/);
  });

  it.each([
    [{ va: 16 }, 'field va:'],
    [{ size: 3 }, 'field size: expected 1, 2, 4 or 8, found 3'],
    [{ op: 'x', size: 2 }, 'field size: 2: an instruction has 4 bytes'],
    [{ op: 'tr', el: 0 }, 'field op: tr: a case with el 0 has r or w'],
    [{ colour: 'red' }, "expected no field 'colour'"],
    [{ sctlr: { m: 1, wxn: 0, a: 1 } }, "field sctlr: expected no field 'a'"],
    [{ vtcr: '0x0' }, "expected no field 'vtcr'"],
    [{ fam: 's3' }, 'field fam:'],
    [{ cpu: 'z80' }, "field cpu: expected 'max', 'neoverse-n1' or 'cortex-a72', found 'z80'"],
    [{ ttbr0: undefined }, 'field ttbr0: missing: a case with half 0 needs it'],
    [{ granule: 64 }, 'field granule: 64 KiB, but tcr has TG0 0'],
    [{ sctlr: { m: 0, wxn: 0 } }, 'field sctlr: m 0: a case of s1 has 1'],
    [{ after: [] }, 'field after: expected 1 values, one for each of mem, got 0'],
  ])('names the broken field: %j', async (change, words) => {
    const { status, stdout, stderr } = await runCli(['conform', 'arm', fileOf(CASE, { ...CASE, ...change })]);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`line 2: ${words}`);
  });
});
