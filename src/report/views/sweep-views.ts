/** A sweep as text for the terminal and as rows for CSV. */

import { checkResult } from '../output/check-result.js';
import type { SweepResult, SweepRow } from '../results/sweep-result.js';
import { processWords } from './compare-words.js';
import type { CsvCell } from '../output/csv.js';
import { boxTable } from '../output/table.js';
import { wrap } from '../output/wrap.js';
import { formatShort } from '../output/units.js';

function groupBy(rows: readonly SweepRow[], key: (row: SweepRow) => string): Map<string, SweepRow[]> {
  const groups = new Map<string, SweepRow[]>();
  for (const row of rows) groups.set(key(row), [...(groups.get(key(row)) ?? []), row]);
  return groups;
}

/** Model cycles per access: a table for each trace and page size, a line a first level, a column a second level. */
export function sweepText(result: SweepResult): string {
  checkResult('sweep', result);
  const { rows } = result;
  const groups = groupBy(rows, ({ trace, pages }) => `${trace}, ${pages} pages`);
  const tables = [...groups].map(([title, group]) => {
    const notes = processWords(group[0].countedAsOne).map((note) => `${wrap(note)}\n`);
    return `${title}\n${notes.join('')}${sweepTable(group)}\n`;
  });
  return `Model cycles of translation per access\n\n${tables.join('\n')}`;
}

function sweepTable(rows: readonly SweepRow[]): string {
  const columns = [...new Set(rows.map(({ l2 }) => l2))];
  const lines = [...groupBy(rows, (row) => row.l1)].map(([l1, line]) => [
    l1,
    ...line.map(({ cyclesPerAccess }) => formatShort(cyclesPerAccess)),
  ]);
  return boxTable(['L1 \\ L2', ...columns], lines);
}

/** The rows of a sweep, for a CSV file. */
export function sweepRows(result: SweepResult): Record<string, CsvCell>[] {
  checkResult('sweep', result);
  const { rows } = result;
  return rows.map((row) => ({ ...row }));
}
