/**
 * `compare` on the recordings of this package, from end to end, against a C program that counts the same TLBs in one
 * pass: with caches of data and prices besides, and the counts alone. Each run is a process of its own, with all of its CPU
 * time.
 */

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SHIFT_1G, SHIFT_2M, SHIFT_4K } from '../../hw/base/address.js';
import { parseTlb } from '../../hw/tlb/parse.js';
import type { CountRow } from '../../src/compare/counts.js';
import { openTrace } from '../../src/trace/node/open.js';
import { shippedTraces } from '../../src/trace/node/shipped.js';
import { cpuNow } from '../measure/ratio.js';
import { compile } from './reference.js';
import type { Answer } from './reference.js';
import type { Rival } from './rivals.js';

const run = promisify(execFile);
const SHIFTS = [SHIFT_4K, SHIFT_2M, SHIFT_1G];
/** The TLBs of compare.c. */
const TLB = 'skylake';

/** By the word that its process is started with. */
const WAYS = { compare: 'compare, end to end', counts: 'compare, counts alone' } as const;
export const COMPARISONS = Object.values(WAYS).map((name) => ({ name, what: '3 page sizes' }));
/** Accesses of the two recordings. */
const ACCESSES = 12_000_000;

function comparisonRival(program: string, way: string, index: number): Rival {
  const traces = shippedTraces().map(({ path }) => path);
  return {
    ...COMPARISONS[index],
    path: 'compare',
    operations: ACCESSES,
    reference: async () => {
      const lines = (await run(program, traces)).stdout.trim().split('\n');
      return { nanoseconds: Number(lines.pop()), checksum: 0, counts: lines.join('\n') };
    },
    run: async () => {
      const { stdout } = await run(process.execPath, [fileURLToPath(import.meta.url), way]);
      return JSON.parse(stdout) as Answer;
    },
  };
}

/** Builds the C program. Without zlib there is no rival, and a sentence says so. */
export function startComparison(): { rivals: readonly Rival[]; leftOut: readonly string[]; close: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'pagewalk-compare-'));
  const program = join(folder, 'compare');
  const close = (): void => {
    rmSync(folder, { recursive: true });
  };
  try {
    compile('compare', program, ['-lz']);
    const rivals = Object.keys(WAYS).map((way, i) => comparisonRival(program, way, i));
    return { rivals, leftOut: [], close };
  } catch {
    return {
      rivals: [],
      leftOut: [`${WAYS.compare}: left out, its C does not build; install zlib's headers`],
      close,
    };
  }
}

type Counts = Pick<CountRow, 'lookups' | 'l1Hits' | 'l2Hits' | 'walks' | 'entryReads'>;

/** Counts of one trace, as compare.c prints them. */
function countsText(touchedBytes: number, bySize: readonly Counts[]): string {
  const counts = bySize.map(({ lookups, l1Hits, l2Hits, walks, entryReads }) =>
    [lookups, l1Hits, l2Hits, walks, entryReads].join(),
  );
  return [touchedBytes, ...counts].join(' ');
}

const sources = shippedTraces().map(({ name, path }) => ({ name, open: () => openTrace(path) }));

async function compareOnce(): Promise<string[]> {
  const { compare } = await import('../../src/compare/compare.js');
  const { runs, traces } = await compare({ sources, shifts: SHIFTS, tlb: parseTlb(TLB) });
  return traces.map(({ trace, coverage }) => {
    const own = runs.filter((one) => one.trace === trace).map(({ counts }) => counts);
    return countsText(coverage.touchedBytes, own);
  });
}

async function countOnce(): Promise<string[]> {
  const { countTraces } = await import('../../src/compare/counts.js');
  const rows = await countTraces({ sources, tlb: parseTlb(TLB) });
  return sources.map(({ name }) => {
    const own = rows.filter(({ trace }) => trace === name);
    return countsText(own[0].touchedBytes, own);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const counts = await (process.argv[2] === 'counts' ? countOnce() : compareOnce());
  const answer: Answer = { nanoseconds: cpuNow(), checksum: 0, counts: counts.join('\n') };
  process.stdout.write(JSON.stringify(answer));
}
