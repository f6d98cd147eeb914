import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Word64 } from '../../../../hw/base/address.js';
import { readJsonLines } from '../../../../src/conformance/recording/json-lines.js';
import type { RecordedLine } from '../../../../src/conformance/recording/json-lines.js';
import { allPassed } from '../../../../src/conformance/recording/result.js';
import { conformX86 } from '../../../../src/conformance/x86/x86.js';
import { x86Case } from '../../../../src/conformance/x86/x86-case.js';
import type { TlbCase, X86Case } from '../../../../src/conformance/x86/x86-case.js';
import { checkCase } from '../../../../src/conformance/x86/x86-compare.js';
import { X86Replayer } from '../../../../src/conformance/x86/x86-replay.js';
import { mismatchText } from '../../../../src/conformance/x86/x86-words.js';

const FOLDER = new URL('../../../data/x86/', import.meta.url).pathname;
const FILES = readdirSync(FOLDER);

function sample(file: string, every: number): readonly RecordedLine<X86Case>[] {
  return readJsonLines(`${FOLDER}${file}`, x86Case).filter((_, index) => index % every === 0);
}

function flip({ hi, lo }: Word64, bit: number): Word64 {
  return { hi, lo: lo ^ bit };
}

describe('recordings of x86 processors', () => {
  it.each(FILES)('%s: every case passes', (file) => {
    const result = conformX86([FOLDER + file]);
    expect(result.mismatches).toEqual([]);
    expect(allPassed(result)).toBe(true);
    expect(Object.keys(result.families).length).toBeGreaterThan(0);
  });

  it('a machine serves one case after the other: their order does not matter', () => {
    const replayer = new X86Replayer();
    const cases = [
      ...sample('open-tlb.jsonl.gz', 20),
      ...sample('open-seg.jsonl.gz', 50),
      ...sample('open-paging.jsonl.gz', 100),
    ];
    for (const { value } of cases.reverse()) expect(checkCase(replayer, value)).toBeUndefined();
  });
});

describe('checkCase notices', () => {
  const replayer = new X86Replayer();
  const paging = sample('open-paging.jsonl.gz', 40).map(({ value }) => value);
  const segments = sample('open-seg.jsonl.gz', 40).map(({ value }) => value);

  function changed(cases: readonly X86Case[], change: (value: X86Case) => X86Case | undefined): void {
    let noticed = 0;
    for (const value of cases) {
      const other = change(value);
      if (!other) continue;
      expect(checkCase(replayer, other), `case ${value.id}`).toBeDefined();
      noticed++;
    }
    expect(noticed).toBeGreaterThan(5);
  }

  it('another physical address', () => {
    changed([...paging, ...segments], (value) =>
      value.fam !== 'tlb' && value.out.k === 'ok' && value.out.pa.length > 0
        ? { ...value, out: { ...value.out, pa: value.out.pa.map((pa) => flip(pa, 1)) } }
        : undefined,
    );
  });

  it('another error code, another CR2, another place of the fault', () => {
    for (const spoil of [
      (out: X86Case['out']) => (out?.k === 'fault' ? { ...out, err: flip(out.err, 1) } : undefined),
      (out: X86Case['out']) => (out?.k === 'fault' && out.cr2 ? { ...out, cr2: flip(out.cr2, 1) } : undefined),
      (out: X86Case['out']) => (out?.k === 'fault' ? { ...out, at: 'elsewhere' } : undefined),
    ]) {
      changed([...paging, ...segments], (value) => {
        const out = spoil(value.out);
        return out ? { ...value, out } : undefined;
      });
    }
  });

  it('a fault where an access should succeed', () => {
    changed([...paging, ...segments], (value) =>
      value.out?.k === 'fault' ? ({ ...value, out: { k: 'ok', pa: [] } } as X86Case) : undefined,
    );
  });

  it('other entries afterwards, outside the mask', () => {
    changed([...paging, ...segments], (value) =>
      value.after && value.after.length > 0 ? { ...value, after: value.after.map((word) => flip(word, 2)) } : undefined,
    );
  });

  it('nothing under the mask', () => {
    for (const value of paging) {
      if (value.fam !== 'paging' || (value.amask.lo & 0x20) === 0) continue;
      expect(checkCase(replayer, { ...value, after: value.after.map((word) => flip(word, 0x20)) })).toBeUndefined();
    }
  });

  it('an accessed bit of a descriptor, which no mask covers', () => {
    changed(segments, (value) =>
      value.fam !== 'paging' && value.fam !== 'tlb' && value.desc
        ? { ...value, after: value.after.map((word, index) => (index === 0 ? { ...word, hi: word.hi ^ 0x100 } : word)) }
        : undefined,
    );
  });
});

describe('a tlb case', () => {
  const replayer = new X86Replayer();
  const cases = readJsonLines(`${FOLDER}open-tlb.jsonl.gz`, x86Case).map(({ value }) => value as TlbCase);
  const must = cases.filter((value) => value.must && value.out?.k === 'ok' && value.out.pa1.lo !== value.out.pa2.lo);
  const free = cases.filter((value) => !value.must && Object.keys(value.seen).length > 1);

  it('that must show the change does not accept the old mapping', () => {
    expect(must.length).toBeGreaterThan(50);
    for (const value of must) {
      const old = value.out?.k === 'ok' ? { ...value.out, pa2: value.out.pa1 } : undefined;
      expect(checkCase(replayer, { ...value, out: old })).toBeDefined();
    }
  });

  it('that may show the change accepts old and new, whichever of them was recorded', () => {
    expect(free.length).toBeGreaterThan(5);
    for (const value of free) {
      for (const [name, reads] of Object.entries(value.seen)) {
        expect(checkCase(replayer, { ...value, seen: { [name]: reads } })).toBeUndefined();
      }
    }
  });

  it('that may show the change accepts nothing that is neither old nor new', () => {
    class Astray extends X86Replayer {
      override tlb(recorded: TlbCase, fresh?: boolean): ReturnType<X86Replayer['tlb']> {
        const { out, after } = super.tlb(recorded, fresh);
        return { out: out.k === 'ok' && fresh !== true ? { ...out, pa2: flip(out.pa2, 0x1000) } : out, after };
      }
    }
    const astray = new Astray();
    for (const value of free) expect(checkCase(astray, value)).toBeDefined();
  });
});

describe('mismatchText', () => {
  it('names the case and shows both sides and the entries decoded', () => {
    const [line] = sample('open-paging.jsonl.gz', 10_000);
    const value = { ...line.value, out: { k: 'fault', vec: 14, err: { hi: 0, lo: 3 } } } as X86Case;
    const mismatch = checkCase(new X86Replayer(), value);
    expect(mismatch).toBeDefined();
    const text = mismatch ? mismatchText({ ...line, value }, mismatch) : '';
    expect(text).toContain(`paging case ${value.id}`);
    expect(text).toContain('line 1)');
    expect(text).toMatch(/expected +#PF page fault/);
    expect(text).toMatch(/got +/);
    expect(text).toMatch(/PDE|PML4E/);
  });
});
