import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { linuxProgram } from '../../../src/conformance/linux-case.js';
import type { LinuxProgram } from '../../../src/conformance/linux-case.js';
import { compareProgram } from '../../../src/conformance/linux-compare.js';
import { conformLinux, linuxText } from '../../../src/conformance/linux.js';
import { LinuxMachine } from '../../../src/conformance/linux-machine.js';

const fileOf = (name: string): string => fileURLToPath(new URL(`../../data/linux/${name}.jsonl.gz`, import.meta.url));

function programsOf(name: string, count: number): LinuxProgram[] {
  const lines = gunzipSync(readFileSync(fileOf(name)))
    .toString()
    .split('\n');
  return lines.slice(0, count).map((line) => linuxProgram.parse(JSON.parse(line)));
}

describe('recorded Linux programs', () => {
  it.each([
    ['open-mix', 1500],
    ['open-brk', 160],
    ['open-thp', 200],
    ['open-ext4', 80],
    ['rare-mix', 399],
    ['rare-thp', 47],
  ])('%s: values, pages and VMAs of every program', (name, programs) => {
    const result = conformLinux([fileOf(name)]);
    const [family] = name.split('-').slice(1);
    expect(linuxText(result)).not.toContain('differ');
    const all = { passed: programs, failed: 0 };
    expect(result.families[family]).toEqual({ values: all, pages: all, vmas: all, programs: all });
  });
});

/** Changes one column of the first VMA of a checkpoint that has it. */
function column(position: number): (text: string) => string {
  const before = `(?:-?\\d+|"[^"]*"),`;
  return (text) => text.replace(new RegExp(`("v":\\[\\[(?:${before}){${position}})\\d+`), '$1999');
}

describe('the comparison notices', () => {
  const machine = new LinuxMachine();
  const changed = (change: (text: string) => string): string[] => {
    const classes = new Set<string>();
    for (const program of programsOf('open-mix', 20)) {
      const other = linuxProgram.parse(JSON.parse(change(JSON.stringify(program))));
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
    ['another Rss', (text: string) => text.replace(/("ac",)\d+/, '$199'), ['pages']],
    ['another Shared_Clean', column(8), ['pages']],
    ['another Shared_Dirty', column(9), ['pages']],
    ['another Private_Clean', column(10), ['pages']],
    ['another Private_Dirty', column(11), ['pages']],
    ['another Referenced', column(12), ['pages']],
    ['another flag', (text: string) => text.replace('"ac"', '"acnr"'), ['vmas']],
  ])('%s', (_what, change, classes) => {
    expect(changed(change)).toEqual(classes);
  });

  it('another boundary', () => {
    expect(changed((text) => text.replace(/"v":\[\[(\d+),(\d+)/, '"v":[[$1,9$2'))).toEqual(['pages', 'vmas']);
  });
});

describe('the schema', () => {
  const base = { id: 'x', fam: 'mix', seed: 1, pages: 128, brk: -1 };

  it.each([
    ['an unknown operation', { ...base, ops: [[0, 'frobnicate']], res: [0] }, 'frobnicate'],
    ['a missing argument', { ...base, ops: [[0, 'munmap', 4]], res: [0] }, 'munmap'],
    ['an unknown protection', { ...base, ops: [[0, 'mprotect', 4, 1, 'q']], res: [0] }, 'mprotect'],
    ['a number where a checkpoint belongs', { ...base, ops: [[0, 'ck']], res: [5] }, 'expected a checkpoint'],
    ['fewer results than ops', { ...base, ops: [[0, 'ck']], res: [] }, 'as many results as ops'],
  ])('refuses %s', (_what, program, words) => {
    expect(JSON.stringify(linuxProgram.safeParse(program).error?.issues)).toContain(words);
  });
});
