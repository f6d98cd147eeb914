/** The findings of a replay of recordings of any kind. */

import type { RecordedLine } from './json-lines.js';

export interface FamilyCount {
  passed: number;
  failed: number;
}

export interface ConformanceResult {
  /** By the recording's `fam`, in the order of the files. */
  readonly families: Readonly<Record<string, FamilyCount>>;
  /** The first failed cases, in words. */
  readonly mismatches: readonly string[];
  /** Wrong answers in the recording, and how they were read. */
  readonly remarks?: readonly string[];
}

/** How many failed cases are shown in words. */
const SHOWN = 5;

/**
 * Checks every case and counts by family.
 * @param check undefined for a passed case, otherwise the differences, in words
 */
export function checkAll<T extends { readonly fam: string }>(
  lines: Iterable<RecordedLine<T>>,
  check: (line: RecordedLine<T>) => (() => string) | undefined,
): ConformanceResult {
  const families: Record<string, FamilyCount> = {};
  const mismatches: string[] = [];
  for (const line of lines) {
    const family = (families[line.value.fam] ??= { passed: 0, failed: 0 });
    const explain = check(line);
    if (!explain) {
      family.passed++;
      continue;
    }
    family.failed++;
    if (mismatches.length < SHOWN) mismatches.push(explain());
  }
  return { families, mismatches };
}

/** Whether every case passed. */
export function allPassed({ families }: ConformanceResult): boolean {
  return Object.values(families).every(({ failed }) => failed === 0);
}

/** A line a family, and before them the first mismatches. */
export function resultText({ families, mismatches, remarks = [] }: ConformanceResult): string {
  const counts = Object.entries(families).map(
    ([name, { passed, failed }]) => `${name} ${passed} passed, ${failed} failed`,
  );
  const failed = Object.values(families).reduce((sum, family) => sum + family.failed, 0);
  const rest = failed - mismatches.length;
  const more = rest > 0 ? [`… and ${rest} more that failed.`, ''] : [];
  return [...mismatches.flatMap((text) => [text, '']), ...more, ...counts, ...remarks, ''].join('\n');
}
