/**
 * Gains from huge pages that were measured on another machine: a table as CSV, a program a line. Its columns are found by
 * name: `program`, `user_ratio`, `user_lo`, `user_hi`, and the memory in huge pages, `anon_huge_mib` of `rss_mib`.
 */

import { readFileSync } from 'node:fs';
import type { Tried } from './measurements.js';

const COLUMNS = ['program', 'user_ratio', 'user_lo', 'user_hi', 'rss_mib', 'anon_huge_mib'] as const;

/** The fields of a line; those with commas in them stand between quotes. Source: RFC 4180, section 2. */
function fieldsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => {
    return (quoted as string | undefined)?.replaceAll('""', '"') ?? plain;
  });
}

/**
 * By program.
 * @throws Error for a table without one of the columns, or with a line of other fields
 */
export function readPublished(path: string): Map<string, Pick<Tried, 'speedup' | 'sides'>> {
  const [head, ...lines] = readFileSync(path, 'utf8').trim().split(/\r?\n/);
  const names = fieldsOf(head);
  const places = COLUMNS.map((column) => names.indexOf(column));
  if (places.includes(-1)) {
    throw new Error(`--against ${path}: expected columns ${COLUMNS.join(', ')}; found ${names.join(', ')}`);
  }
  return new Map(
    lines.map((line, i) => {
      const fields = fieldsOf(line);
      const [program, ...rest] = places.map((place) => fields.at(place) ?? '');
      const [median, low, high, resident, huge] = rest.map(Number);
      if (![median, low, high, resident, huge].every((value) => value > 0)) {
        throw new Error(`--against ${path}: line ${i + 2}: expected numbers above 0, found ${rest.join(', ')}`);
      }
      return [program, { speedup: { user: { median, low, high } }, sides: [{ memory: { resident, huge } }] }];
    }),
  );
}
