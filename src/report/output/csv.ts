import { checkKind, LIST } from '../../../hw/base/arguments.js';

/** Cells of a CSV file; RFC 4180, "Common Format and MIME Type for CSV Files". */
export type CsvCell = string | number;

/** Text taken for a formula by a spreadsheet. Source: OWASP, "CSV Injection". */
const FORMULA = /^[=+\-@\t\r]/;

/** Text like a spreadsheet's formula gets a leading apostrophe; numbers stay numbers. */
function cell(value: CsvCell): string {
  const text = typeof value === 'string' && FORMULA.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Rows of named cells as CSV text; the names of the first row are the header, and every row has the same ones. @throws TypeError for no rows */
export function toCsv(rows: readonly Readonly<Record<string, CsvCell>>[]): string {
  checkKind('toCsv: rows', rows, LIST);
  const header = Object.keys(rows[0] ?? {});
  const lines = rows.map((row) => header.map((name) => cell(row[name] ?? '')).join(','));
  return `${[header.map(cell).join(','), ...lines].join('\n')}\n`;
}
