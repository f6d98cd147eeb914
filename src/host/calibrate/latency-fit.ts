/** From latencies by footprint to a last-level cache: its latency, memory's, and how much of it one core may fill. */

import type { Point } from './figures.js';

export interface LatencyFit {
  readonly cacheNs: number;
  readonly memoryNs: number;
  readonly cacheBytes: number;
}

/** Candidates for the size of the cache: so many to a doubling. */
const STEPS = 8;
/** Memory takes longer than a cache by this factor at least; otherwise no array reached it. */
const LEAST_STEP = 1.25;

/**
 * Loads of random lines find a share of an array in the cache: `cacheBytes / bytes` of a larger array.
 * @param points nanoseconds of loads, each waiting for the one before, of arrays beyond the caches below
 * @param least lower bound of the cache's size, bytes
 * @param most upper bound of it
 * @returns the fit with the least squares of relative errors; undefined when no array reaches far beyond the cache
 */
export function fitLatencies(points: readonly Point[], least: number, most: number): LatencyFit | undefined {
  const largest = Math.max(...points.map(({ bytes }) => bytes));
  let best: (LatencyFit & { readonly error: number }) | undefined;
  // The largest array has to be memory's by half at least.
  for (let bytes = least; bytes <= Math.min(most, largest / 2); bytes *= 2 ** (1 / STEPS)) {
    const fit = fitAt(points, bytes);
    if (fit !== undefined && fit.error < (best?.error ?? Infinity)) best = fit;
  }
  return best;
}

/** The best two latencies for a cache of this size: linear least squares in two unknowns. */
function fitAt(points: readonly Point[], cacheBytes: number): (LatencyFit & { readonly error: number }) | undefined {
  const rows = points.map(({ bytes, ns }) => {
    const missing = Math.max(0, 1 - cacheBytes / bytes);
    return { cache: (1 - missing) / ns, memory: missing / ns };
  });
  const sum = (value: (row: (typeof rows)[number]) => number): number => rows.reduce((all, row) => all + value(row), 0);
  const [cc, cm, mm] = [sum((r) => r.cache ** 2), sum((r) => r.cache * r.memory), sum((r) => r.memory ** 2)];
  const [c, m] = [sum((r) => r.cache), sum((r) => r.memory)];
  const determinant = cc * mm - cm * cm;
  if (determinant <= 1e-12 * cc * mm) return undefined;
  const cacheNs = (c * mm - m * cm) / determinant;
  const memoryNs = (m * cc - c * cm) / determinant;
  if (!(cacheNs > 0 && memoryNs >= LEAST_STEP * cacheNs)) return undefined;
  const error = sum((row) => (row.cache * cacheNs + row.memory * memoryNs - 1) ** 2);
  return { cacheNs, memoryNs, cacheBytes, error };
}
