/** Tables as the terminal shows them. */

import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';

type Row = readonly string[];

/** Two columns of a terminal a character. Source: Unicode Standard Annex #11, East Asian Width: W and F. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4c6\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/gu;

/** Columns of a terminal that a line takes: colors and combining marks have none. */
function widthOf(line: string): number {
  if (/^[ -~]*$/.test(line)) return line.length;
  const text = stripVTControlCharacters(line).replace(/\p{M}/gu, '');
  const [all, wide] = [/./gu, WIDE].map((kind) => text.match(kind)?.length ?? 0);
  return all + wide;
}

interface Layout {
  /** Columns of the terminal for each column. */
  readonly widths: readonly number[];
  /** For each row the lines on the terminal, each with its cells, padded. A cell of more lines makes its row as high. */
  readonly rows: readonly (readonly Row[])[];
}

/** @param left the columns of words; figures stand to the right */
function layOut(rows: readonly Row[], left: readonly number[]): Layout {
  const cells = rows.map((row) => row.map((cell) => cell.split('\n')));
  const widths = rows[0].map((_, column) => Math.max(...cells.flatMap((row) => row[column].map(widthOf))));
  const padded = (line: string, column: number): string => {
    const space = ' '.repeat(widths[column] - widthOf(line));
    return left.includes(column) ? line + space : space + line;
  };
  const linesOf = (row: readonly Row[]): Row[] => {
    const height = Math.max(...row.map((lines) => lines.length));
    return Array.from({ length: height }, (_, at) => row.map((lines, column) => padded(lines[at] ?? '', column)));
  };
  return { widths, rows: cells.map(linesOf) };
}

/** The look of a table. */
interface TableLook {
  /** Columns of words, numbered from 0: they stand to the left. Default: the first. */
  readonly left?: readonly number[];
  /** A rule between the rows, the heading among them. Default: yes. */
  readonly ruled?: boolean;
}

/** A table in a box. All rows are as long as the heading. */
export function boxTable(heading: Row, rows: readonly Row[], { left = [0], ruled = true }: TableLook = {}): string {
  const layout = layOut([heading, ...rows], left);
  const rule = ([start, cross, end]: string): string =>
    start + layout.widths.map((width) => '─'.repeat(width + 2)).join(cross) + end;
  const texts = layout.rows.map((lines) => lines.map((cells) => `│ ${cells.join(' │ ')} │`).join('\n'));
  return [rule('┌┬┐'), texts.join(ruled ? `\n${rule('├┼┤')}\n` : '\n'), rule('└┴┘')].join('\n');
}

/** A table without lines: two spaces between the columns, and a bold heading. */
export function openTable(heading: Row, rows: readonly Row[], left: readonly number[] = [0]): string {
  const layout = layOut([heading.map((text) => pc.bold(text)), ...rows], left);
  return layout.rows
    .flat()
    .map((cells) => cells.join('  ').trimEnd())
    .join('\n');
}

/** One line of a table: its name, then one cell a column. */
export interface Fact {
  readonly label: string;
  readonly cells: readonly string[];
}

/** Facts down the side; `heading` names the columns. `groups` are facts on one thing, with an empty line between. */
export function factTable(heading: readonly string[], groups: readonly (readonly Fact[])[]): string {
  const empty = ['', ...heading.map(() => '')];
  const rows = groups.flatMap((facts, index) => [
    ...(index > 0 ? [empty] : []),
    ...facts.map(({ label, cells }) => [label, ...cells]),
  ]);
  return boxTable(
    ['', ...heading].map((text) => pc.bold(text)),
    rows,
    { ruled: false },
  );
}
