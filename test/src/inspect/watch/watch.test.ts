import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { MODEL_DEFAULT } from '../../../../hw/tlb/presets.js';
import { ProcessGone } from '../../../../src/inspect/proc-files.js';
import { DEFAULT_POLICY } from '../../../../src/regions/policy.js';
import type { LiveRegion } from '../../../../src/regions/smaps.js';
import { watch } from '../../../../src/inspect/watch/watch.js';
import type { Clock, WatchOptions } from '../../../../src/inspect/watch/watch.js';
import { watchPlot } from '../../../../src/inspect/watch/watch-plot.js';
import type { WatchResult } from '../../../../src/inspect/watch/watch-result.js';
import { watchText } from '../../../../src/inspect/watch/watch-text.js';
import { region } from '../images.js';

const MIB = 2 ** 20;

/** A clock that stands still but for sleeps and for what looking takes. */
class TestClock implements Clock {
  ms = 5000;
  cpuMs = 300;

  now(): number {
    return this.ms;
  }

  spent(): number {
    return this.cpuMs;
  }

  sleep(ms: number): Promise<void> {
    this.ms += ms;
    return Promise.resolve();
  }
}

type Reading = readonly LiveRegion[] | Error;

interface Watching extends Partial<WatchOptions> {
  /** Milliseconds of CPU time that one reading takes; on a loaded machine that is a third of the time. */
  readonly cost?: number;
}

/** Watches a process whose samples are these; the last one stays. */
async function watched(readings: readonly Reading[], { cost = 0, ...options }: Watching = {}) {
  const clock = new TestClock();
  const steps: string[] = [];
  const sampler = {
    clear: () => {
      steps.push('clear');
    },
    read: () => {
      steps.push('read');
      clock.ms += 3 * cost;
      clock.cpuMs += cost;
      const reading = readings[Math.min(steps.length / 2, readings.length) - 1];
      if (reading instanceof Error) throw reading;
      return [...reading];
    },
  };
  const { signal } = new AbortController();
  const of = { pid: 7, name: 'app', tlb: MODEL_DEFAULT, policy: DEFAULT_POLICY, signal };
  const result = await watch({ ...of, sampler, clock, seconds: 4, intervalMs: 1000, ...options });
  return { result, steps };
}

async function resultOf(...args: Parameters<typeof watched>): Promise<WatchResult> {
  const { result } = await watched(...args);
  if (result === undefined) throw new Error('there is no sample');
  return result;
}

function heap(referenced: number, fields: Partial<LiveRegion> = {}): LiveRegion {
  const resident = 64 * MIB;
  return region(2 ** 32, 64 * MIB, { name: '[heap]', resident, anonymous: resident, referenced, ...fields });
}

test('each sample clears, waits and reads, for as long as was asked', async () => {
  const { result, steps } = await watched([[heap(MIB)]]);
  expect(steps).toEqual(['clear', 'read', 'clear', 'read', 'clear', 'read', 'clear', 'read']);
  expect(result?.samples.map(({ atMs, spanMs }) => [atMs, spanMs])).toEqual([
    [1000, 1000],
    [2000, 1000],
    [3000, 1000],
    [4000, 1000],
  ]);
});

describe('spans grow so that the process loses a twentieth of its time at most', () => {
  const lost = ({ samples }: WatchResult, of: (sample: WatchResult['samples'][number]) => number): number => {
    const later = samples.slice(1);
    const all = later.reduce((sum, { spanMs }) => sum + spanMs, 0);
    return later.reduce((sum, sample) => sum + of(sample), 0) / all;
  };

  test('where looking is slow', async () => {
    const result = await resultOf([[heap(MIB)]], { cost: 100, seconds: 20 });
    expect(result.stretched).toBe(true);
    expect(lost(result, ({ costMs }) => costMs)).toBeLessThanOrEqual(0.05);
  });

  test('where many pages are used: each is walked for again', async () => {
    const large = region(2 ** 40, 1024 * MIB, { resident: 1024 * MIB, referenced: 1024 * MIB });
    const result = await resultOf([[large]], { seconds: 60 });
    expect(result.stretched).toBe(true);
    // 262,144 pages at 0.3 us: 79 ms in 1.6 s.
    expect(result.samples[1].spanMs).toBeCloseTo(1573, 0);
    expect(result.slowdown).toBeCloseTo(0.05, 2);
    const huge = await resultOf([[{ ...large, anonymousHuge: 1024 * MIB }]]);
    expect(huge.stretched).toBe(false);
  });
});

describe('the verdict', () => {
  // The model's TLB reaches 6 MiB with 4 KiB pages.
  test('is no when no sample used more than the TLB holds', async () => {
    const result = await resultOf([[heap(2 * MIB)], [heap(6 * MIB)]]);
    expect([result.verdict, result.beyondReach, result.actions]).toEqual(['no', 0, []]);
    expect(watchText(result)).toContain('nothing is to be gained');
  });

  test('is between when one did, and its share of the samples bounds the gain', async () => {
    const result = await resultOf([[heap(MIB)], [heap(32 * MIB)], [heap(MIB)]]);
    expect([result.verdict, result.beyondReach]).toEqual(['between', 0.25]);
    expect(result.why).toContain('32 MiB used within 1 s needs 8,192 entries of 4K');
    expect(result.actions.map(({ id }) => id)).toEqual(['madvise']);
  });

  test('counts huge pages as one entry each', async () => {
    const result = await resultOf([[heap(32 * MIB, { anonymousHuge: 30 * MIB })]]);
    expect([result.samples[0].entriesNeeded, result.verdict]).toEqual([512 + 15, 'no']);
  });

  test('promises nothing for what cannot be huge', async () => {
    const code = region(2 ** 33, 64 * MIB, { name: '/lib/big.so', permissions: 'r-xp', referenced: 32 * MIB });
    const result = await resultOf([[heap(MIB), { ...code, resident: 64 * MIB }]]);
    expect([result.verdict, result.beyondReach]).toEqual(['no', 1]);
  });

  test('promises no more than was used', async () => {
    const { advice } = await resultOf([[heap(32 * MIB)]]);
    expect(advice).toContain('up to 32 MiB more could be huge');
  });
});

test('regions say what was used of them, in the middle and at most, also when they were not there all the time', async () => {
  const pool = region(2 ** 40, 16 * MIB, { resident: 16 * MIB, referenced: 16 * MIB });
  const { regions, samples } = await resultOf([[heap(4 * MIB)], [heap(2 * MIB), pool], [heap(MIB), pool], [heap(MIB)]]);
  expect(regions.map(({ start, usedBytes }) => [start, usedBytes.median / MIB, usedBytes.most / MIB])).toEqual([
    ['0x10000000000', 0, 16],
    ['0x100000000', 1, 4],
  ]);
  expect(samples.map(({ usedByKind }) => usedByKind)).toEqual([
    { heap: 4 * MIB },
    { heap: 2 * MIB, anonymous: 16 * MIB },
    { heap: MIB, anonymous: 16 * MIB },
    { heap: MIB },
  ]);
});

describe('a watching that ends early', () => {
  const gone = new ProcessGone('PID 7: there is no such process, or it has ended');

  test('keeps its samples when the process ends', async () => {
    const result = await resultOf([[heap(MIB)], [heap(MIB)], gone]);
    expect([result.ended, result.samples.length]).toEqual(['process', 2]);
    expect(watchText(result)).toMatch(/Then\sthe process ended\./);
  });

  test('fails in words when the process ends before the first sample', async () => {
    await expect(watched([gone])).rejects.toThrow(gone);
  });

  test('keeps its samples when it is interrupted, and not the half one', async () => {
    const interruption = new AbortController();
    const onProgress = (doneMs: number): Promise<void> => {
      if (doneMs >= 2000) interruption.abort();
      return Promise.resolve();
    };
    const result = await resultOf([[heap(MIB)]], { signal: interruption.signal, onProgress });
    expect([result.ended, result.samples.length]).toEqual(['interrupted', 2]);
  });

  test('has no result without a sample', async () => {
    const { result } = await watched([[heap(MIB)]], { signal: AbortSignal.abort() });
    expect(result).toBeUndefined();
  });
});

test('the words on the reach lie left of its mark where the screen ends', async () => {
  const text = stripVTControlCharacters(watchText(await resultOf([[heap(MIB)]])));
  expect(text).toMatch(/^ {28}reach of the TLB: 6 MiB of 4K │$/m);
});

test('the text fits a terminal, and shows the reach among the bars', async () => {
  const many = Array.from({ length: 50 }, (_, i) => [heap((i + 1) * MIB)]);
  const text = stripVTControlCharacters(watchText(await resultOf(many, { seconds: 50 })));
  const lines = text.split('\n');
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  const bars = lines.filter((line) => line.includes('█'));
  expect(bars.length).toBeLessThanOrEqual(20);
  expect(bars.at(-1)).toMatch(/^ {4}50 s █+│█+ 50 MiB$/);
  expect(text).toContain('│ reach of the TLB: 6 MiB of 4K');
  // Three samples share a line: of 1, 2 and 3 MiB the largest stands for them.
  expect(bars[0]).toMatch(/^ {5}3 s █+ +│ +3 MiB$/);
});

test('the plot has an area for each kind and a line at the reach', async () => {
  const code = region(2 ** 33, MIB, { name: '/lib/a.so', permissions: 'r-xp', referenced: MIB });
  const svg = watchPlot(await resultOf([[heap(4 * MIB), code]]));
  expect(svg).toMatch(/^<\?xml/);
  expect(/aria-label="area"[^]*?<\/g>/.exec(svg)?.[0].match(/<path/g)).toHaveLength(2);
  expect(svg).toContain('reach of the TLB (skylake): 6 MiB of 4K pages');
  for (const kind of ['heap', 'library']) expect(svg).toContain(`>${kind}</text>`);
});
