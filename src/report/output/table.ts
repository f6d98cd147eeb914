/** Tables as the terminal shows them: facts down the side, page sizes across. */

import Table from 'cli-table3';
import pc from 'picocolors';

/** One line of a table: its name, then one cell a column. */
export interface Fact {
  readonly label: string;
  readonly cells: readonly string[];
}

/** `heading` names the columns; `groups` are facts on one thing, with a rule between the groups. */
export function factTable(heading: readonly string[], groups: readonly (readonly Fact[])[]): string {
  const table = new Table({
    head: ['', ...heading].map((text) => pc.bold(text)),
    colAligns: ['left', ...heading.map(() => 'right' as const)],
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  const rule = ['', ...heading.map(() => '')];
  groups.forEach((facts, index) => {
    if (index > 0) table.push(rule);
    for (const { label, cells } of facts) table.push([label, ...cells]);
  });
  return table.toString();
}
