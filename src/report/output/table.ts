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

/**
 * Breaks `text` between words so that no line is longer than `width`; later lines start with `indent`. Text that fits,
 * and spaces before the first word, stay as they are.
 */
export function wrap(text: string, indent = '', width = 80): string {
  if (text.length <= width) return text;
  const [start] = /^ */.exec(text) ?? [''];
  const [first, ...words] = text.slice(start.length).split(' ');
  const lines: string[] = [];
  let line = start + first;
  for (const word of words) {
    if (line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent + word;
    } else {
      line = `${line} ${word}`;
    }
  }
  return [...lines, line].join('\n');
}
