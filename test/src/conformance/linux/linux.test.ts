import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../folder.js';
import { runs } from '../../../runs.js';
import { readJsonLines } from '../../../../src/conformance/recording/json-lines.js';
import { linuxProgram } from '../../../../src/conformance/linux/linux-case.js';
import { compareProgram } from '../../../../src/conformance/linux/linux-compare.js';
import { conformLinux, linuxText } from '../../../../src/conformance/linux/linux.js';
import { LinuxMachine } from '../../../../src/conformance/linux/linux-machine.js';

/** Recordings with the most to replay: every third program, but for the long run. */
const LARGE = ['open-mix', 'open-thp'];
/** Programs of each family that another kernel than x86's replays. */
const SAMPLE = 20;

const fileOf = (name: string): string =>
  fileURLToPath(new URL(`../../../data/linux/${name}.jsonl.gz`, import.meta.url));

const lines = new Map<string, string[]>();

/** The lines of a recording; each recording is read once. */
function linesOf(name: string): string[] {
  const known =
    lines.get(name) ??
    gunzipSync(readFileSync(fileOf(name)))
      .toString()
      .trimEnd()
      .split('\n');
  lines.set(name, known);
  return known;
}

/** The programs of a recording as text, {@link SAMPLE} of them; the long run has all. */
function sampleOf(name: string): string[] {
  const all = linesOf(name);
  const step = Math.max(1, Math.floor(all.length / runs(SAMPLE)));
  return all.filter((_, i) => i % step === 0);
}

/** A file of these lines. */
function recordingOf(programs: readonly string[]): string {
  const file = join(temporaryFolder(), 'recording.jsonl');
  writeFileSync(file, programs.join('\n'));
  return file;
}

describe('recorded Linux programs', () => {
  it.each([
    ['open-mix', 1500],
    ['open-brk', 160],
    ['open-thp', 200],
    ['open-ext4', 80],
    ['open-mlock', 150],
    ['rare-mix', 399],
    ['rare-thp', 47],
  ])(
    '%s: values, pages and VMAs of every program; of the largest recordings every third, but for the long run',
    (name, all) => {
      const third = LARGE.includes(name) && runs(1) === 1;
      const result = conformLinux([third ? recordingOf(linesOf(name).filter((_, i) => i % 3 === 0)) : fileOf(name)]);
      const programs = third ? Math.ceil(all / 3) : all;
      const [family] = name.split('-').slice(1);
      expect(linuxText(result)).not.toContain('differ');
      const passed = { passed: programs, failed: 0 };
      expect(result.families[family]).toEqual({ values: passed, pages: passed, vmas: passed, programs: passed });
    },
  );
});

// The programs ran on x86. Nothing they tell depends on the architecture, with pages of 4 KiB and marks set by the hardware.
describe.each(['riscv', 'aarch64'] as const)('recorded Linux programs, the kernel on %s', (machine) => {
  it.each(['open-brk', 'open-ext4', 'open-mlock', 'rare-thp'])('%s: values, pages and VMAs of a sample', (name) => {
    const programs = sampleOf(name);
    const result = conformLinux([recordingOf(programs)], { machine });
    const [family] = name.split('-').slice(1);
    expect(linuxText(result)).not.toContain('differ');
    expect(result.families[family].programs).toEqual({ passed: programs.length, failed: 0 });
    expect(result.markFaults).toBe(0);
  });

  it.each(['open-brk', 'open-ext4', 'rare-thp'])(
    '%s: the same without marks by hardware, faults for marks alone left out',
    (name) => {
      const programs = sampleOf(name);
      const result = conformLinux([recordingOf(programs)], { machine, softwareMarks: true });
      const [family] = name.split('-').slice(1);
      expect(linuxText(result)).not.toContain('differ');
      expect(result.families[family].programs).toEqual({ passed: programs.length, failed: 0 });
      expect(result.markFaults).toBeGreaterThan(0);
      expect(linuxText(result)).toContain(`${result.markFaults} faults set accessed and dirty bits alone`);
    },
  );

  it('refuses x86 without marks by hardware', () => {
    expect(() => new LinuxMachine({ softwareMarks: true })).toThrow('x86 always sets accessed and dirty bits');
  });
});

/** Columns of smaps in the order of a recorded VMA, the first at {@link FIRST_COLUMN}. */
const COLUMNS =
  'Rss Pss Shared_Clean Shared_Dirty Private_Clean Private_Dirty Referenced Anonymous LazyFree AnonHugePages ' +
  'ShmemPmdMapped Swap SwapPss Locked KSM Shared_Hugetlb Private_Hugetlb';
const FIRST_COLUMN = 6;

/** Counts one more in a column of the first VMA of each process and checkpoint, or makes it say nothing. */
function column(name: string, says = true): (text: string) => string {
  const at = FIRST_COLUMN + COLUMNS.split(' ').indexOf(name);
  return (text) => {
    const program = JSON.parse(text) as { ops: string[][]; res: unknown[] };
    for (const [i, [, operation]] of program.ops.entries()) {
      if (operation !== 'ck') continue;
      for (const { v } of program.res[i] as { v: (number | null)[][] }[]) {
        if (v.length === 0) continue;
        while (v[0].length <= at) v[0].push(0);
        v[0][at] = says ? (v[0][at] ?? 0) + 1 : null;
      }
    }
    return JSON.stringify(program);
  };
}

describe('the comparison notices', () => {
  const machine = new LinuxMachine();
  const changed = (change: (text: string) => string, from = 'open-mix', programs = 20): string[] => {
    const classes = new Set<string>();
    for (const line of linesOf(from).slice(0, programs)) {
      const other = linuxProgram.parse(JSON.parse(change(JSON.stringify(JSON.parse(line)))));
      for (const name of Object.keys(compareProgram(machine, other))) classes.add(name);
    }
    return [...classes].sort();
  };

  it.each([
    ['another byte read', (text: string) => text.replace(/\[(\d+),"n",1\]/, '[256,"n",1]'), ['values']],
    ['another number of faults', (text: string) => text.replace('"n",1]', '"n",2]'), ['values']],
    ['another way to resolve a fault', (text: string) => text.replace('"c",1]', '".",1]'), ['values']],
    ['another signal', (text: string) => text.replace('"SM"', '"SA"'), ['values']],
    ['a page mapped elsewhere too', (text: string) => text.replace(/(=\d+)x/, '$1'), ['pages']],
    ['another frame', (text: string) => text.replace(/=0(x?f?)/, '=9$1'), ['pages']],
    ['another flag', (text: string) => text.replace('"ac"', '"acnr"'), ['vmas']],
  ])('%s', (_what, change, classes) => {
    expect(changed(change)).toEqual(classes);
  });

  it.each([
    ['another Locked', (text: string) => text.replace(/("loac",(?:\d+,){13})\d+/, '$1999'), ['pages']],
    ['a locked page without its mark', (text: string) => text.replace(/=(\d+xf?)l/, '=$1'), ['pages']],
    [
      'a mark of a lock on a page that nobody locked',
      (text: string) => text.replace(/=(\d+x)(?=[ "])/, '=$1l'),
      ['pages'],
    ],
    ['a lock that is not there', (text: string) => text.replace('"loac"', '"ac"'), ['vmas']],
  ])('%s', (_what, change, classes) => {
    expect(changed(change, 'open-mlock')).toEqual(classes);
  });

  it('no mark of a lock that went earlier than here: whoever locked the page has unmapped it, and a batch holds it', () => {
    const ops = [
      [0, 'mmap', 4, 1, 'rw', 'paFL', -1, 0],
      [0, 'fork', 1],
      [0, 'munmap', 4, 1],
      [0, 'ck'],
    ];
    const heir = { p: 1, v: [[4, 1, 'rw-p', 0, 'a', 'ac', 1, 4, 0, 0, 0, 1, 1, 1]] };
    const differs = (heirs: string): string[] => {
      const res = [
        [0, 1],
        0,
        0,
        [
          { p: 0, v: [], m: '' },
          { ...heir, m: heirs },
        ],
      ];
      return Object.keys(compareProgram(machine, linuxProgram.parse({ id: 1, fam: 'mlock', pages: 32, ops, res })));
    };
    expect(['4=0x', '4=0xl', '4=0'].map(differs)).toEqual([[], [], ['pages']]);
  });

  it.each(COLUMNS.split(' ').filter((name) => name !== 'LazyFree'))(
    'another %s, unless the record has none',
    (name) => {
      expect(changed(column(name), 'open-mix', 5)).toEqual(['pages']);
      expect(changed(column(name, false), 'open-mix', 5)).toEqual([]);
    },
  );

  it('no LazyFree, which differs from run to run, and no Referenced of huge pages', () => {
    expect(changed(column('LazyFree'))).toEqual([]);
    expect(changed(column('Referenced'), 'open-thp')).toEqual([]);
    expect(changed(column('Private_Dirty'), 'open-thp')).toEqual(['pages']);
  });

  it('a page more of a disk file, clean or dirty', () => {
    expect(changed(column('Shared_Dirty'), 'open-ext4')).toEqual(['pages']);
    expect(changed(column('Private_Clean'), 'open-ext4')).toEqual(['pages']);
  });

  it('another boundary', () => {
    expect(changed((text) => text.replace(/"v":\[\[(\d+),(\d+)/, '"v":[[$1,9$2'))).toEqual(['pages', 'vmas']);
  });
});

describe('the schema', () => {
  const base = { id: 'x', fam: 'mix', seed: 1, pages: 128, brk: -1 };
  const checkpoint = (object: unknown, pages = 1): object[] => [
    { p: 0, v: [[1, pages, 'rw-p', 0, object, '']], m: '' },
  ];

  it.each([
    ['an unknown operation', { ...base, ops: [[0, 'frobnicate']], res: [0] }, 'frobnicate'],
    ['a missing argument', { ...base, ops: [[0, 'munmap', 4]], res: [0] }, 'munmap'],
    ['an unknown protection', { ...base, ops: [[0, 'mprotect', 4, 1, 'q']], res: [0] }, 'mprotect'],
    ['a number where a checkpoint belongs', { ...base, ops: [[0, 'ck']], res: [5] }, 'expected a checkpoint'],
    ['fewer results than ops', { ...base, ops: [[0, 'ck']], res: [] }, 'as many results as ops'],
    ['a checkpoint for a number', { ...base, ops: [[0, 'exit']], res: [checkpoint('a')] }, 'the result of exit'],
    ['a VMA without end', { ...base, ops: [[0, 'ck']], res: [checkpoint('a', 1e300)] }, 'res.0.0.v.0.1'],
    [
      'a VMA without object',
      { ...base, ops: [[0, 'ck']], res: [checkpoint(5)] },
      'res.0.0.v.0.4: expected text, found 5',
    ],
    ['runs that are none', { ...base, ops: [[0, 'ck']], res: [[{ p: 0, v: [], m: '1-2' }]] }, 'expected runs of pages'],
  ])('refuses %s', (_what, program, words) => {
    const file = join(temporaryFolder(), 'recording');
    writeFileSync(file, JSON.stringify(program));
    expect(() => readJsonLines(file, linuxProgram)).toThrow(/line 1: field /);
    expect(() => readJsonLines(file, linuxProgram)).toThrow(words);
  });
});
