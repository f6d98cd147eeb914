/**
 * `compare` on the recordings of this package, from end to end, against a C program that counts the same TLBs in one
 * pass. Each run is a process of its own, with all of its CPU time. compare finds its prices besides, with caches of data.
 */

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SHIFT_1G, SHIFT_2M, SHIFT_4K } from '../../hw/base/address.js';
import { parseTlb } from '../../hw/tlb/parse.js';
import { compare } from '../../src/compare/compare.js';
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

export const COMPARISON = { name: 'compare, end to end', what: '3 page sizes' } as const;
/** Accesses of the two recordings. */
const ACCESSES = 12_000_000;

function comparisonRival(program: string): Rival {
  const traces = shippedTraces().map(({ path }) => path);
  return {
    ...COMPARISON,
    path: 'compare',
    operations: ACCESSES,
    reference: async () => {
      const lines = (await run(program, traces)).stdout.trim().split('\n');
      return { nanoseconds: Number(lines.pop()), checksum: 0, counts: lines.join('\n') };
    },
    run: async () => {
      const { stdout } = await run(process.execPath, [fileURLToPath(import.meta.url)]);
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
    return { rivals: [comparisonRival(program)], leftOut: [], close };
  } catch {
    return {
      rivals: [],
      leftOut: [`${COMPARISON.name}: left out, its C does not build; install zlib's headers`],
      close,
    };
  }
}

/** Counts of one trace, as compare.c prints them. */
function countsText(runs: Awaited<ReturnType<typeof compare>>['runs'], trace: string): string {
  const own = runs.filter((one) => one.trace === trace);
  const counts = own.map(({ counts: { lookups, l1Hits, l2Hits, walks, entryReads } }) =>
    [lookups, l1Hits, l2Hits, walks, entryReads].join(),
  );
  return counts.join(' ');
}

async function compareOnce(): Promise<Answer> {
  const sources = shippedTraces().map(({ name, path }) => ({ name, open: () => openTrace(path) }));
  const { runs, traces } = await compare({ sources, shifts: SHIFTS, tlb: parseTlb(TLB) });
  const counts = traces.map(({ trace, coverage }) => `${coverage.touchedBytes} ${countsText(runs, trace)}`).join('\n');
  return { nanoseconds: cpuNow(), checksum: 0, counts };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(JSON.stringify(await compareOnce()));
