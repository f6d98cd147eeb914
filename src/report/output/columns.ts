/** Lines of text that terminals show: labels and columns. */

import { WIDTH, wrap } from './wrap.js';

const LABEL = 12;
export const INDENT = ' '.repeat(LABEL);

/** A label and its text, broken between words so that no line is longer than `width`, later lines under the first. */
export function labelled(label: string, text: string, width = WIDTH): string {
  return wrap(`${label.padEnd(LABEL - 1)} ${text}`, INDENT, width);
}

/** Rows with their cells under each other. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows.at(0) ?? []).map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
}
