/** A lab as text for the terminal: its steps, tables, the arena drawn, figures beside their standards, and both schemes' costs. */

import { checkResult } from '../output/check-result.js';
import pc from 'picocolors';
import { COST_LABELS, labTitle } from '../results/lab-result.js';
import type { ArenaDrawing, ChapterCell, Figure, LabResult, LabStep, LabTable } from '../results/lab-result.js';
import { factTable } from '../output/table.js';
import { WIDTH, wrap } from '../output/wrap.js';
import type { Fact } from '../output/table.js';
import { formatCount } from '../output/units.js';
import { columns } from '../output/columns.js';

/** Characters that stand for the whole arena. */
const ARENA_WIDTH = 64;
const HOLE = '.';
/** Characters of the longest bar of a table. */
const BAR_WIDTH = 28;
/** A claim of at most so many characters stands in the table. */
const LONGEST_WORDS = 16;

function figureText(figure: Figure): string {
  if (typeof figure === 'boolean') return figure ? 'yes' : 'no';
  if (typeof figure === 'string') return figure;
  return Number.isInteger(figure) ? formatCount(figure) : figure.toPrecision(3);
}

/** Each character is an equal part of the arena: the first letter of the segment at its middle, or a dot for a hole. */
function drawArena({ base, bytes, pieces }: ArenaDrawing): string {
  const part = bytes / ARENA_WIDTH;
  const cells = Array.from({ length: ARENA_WIDTH }, (_, cell) => {
    const at = base + (cell + 0.5) * part;
    const piece = pieces.find((candidate) => at >= candidate.base && at < candidate.base + candidate.bytes);
    return piece?.name?.charAt(0) ?? HOLE;
  });
  return `|${cells.join('')}|`;
}

/** Columns under their heads, with a bar behind each row. */
function tableText({ head, rows, bars }: LabTable): string[] {
  const longest = Math.max(...(bars ?? []));
  const drawn = bars?.map((length) => '#'.repeat(Math.round((length / longest) * BAR_WIDTH))) ?? [];
  const numeric = head.map((_, column) => rows.every((row) => /^[<\d]/.test(row[column])));
  const cells = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  const aligned = cells.map((row) => row.map((cell, i) => (numeric[i] ? cell.padStart(widths[i]) : cell)));
  return columns(aligned.map((row, i) => [...row, drawn[i - 1] ?? '']));
}

function stepText({ text, evidence, table, arena, why }: LabStep, index: number): string {
  const lines = [wrap(`${index + 1}. ${text}`, '   ')];
  if (arena !== undefined) lines.push(`   ${drawArena(arena)}  .: hole`);
  if (table !== undefined) lines.push(...tableText(table).map((line) => `   ${line}`));
  for (const line of evidence) lines.push(`   ${wrap(line, '     ', WIDTH - 3)}`);
  if (why !== undefined) lines.push(`   ${wrap(`Why: ${why}`, '     ', WIDTH - 3)}`);
  return lines.join('\n');
}

/** A figure of the chapter in its words; a claim by the number of its sentence alone. */
function chapterText(cell: ChapterCell | undefined, sentences: readonly string[]): string {
  if (cell === undefined) return '';
  const place = `[${sentences.indexOf(cell.sentence) + 1}]`;
  const text = cell.says === cell.sentence && cell.says.length > LONGEST_WORDS ? place : `${cell.says} ${place}`;
  return cell.agrees ? text : `${text} ≠`;
}

function figureTable({ figures, labels, chapter, expected }: LabResult, sentences: readonly string[]): string {
  const facts = Object.entries(figures).map(([key, measured]) => {
    const wanted = key in expected ? figureText(expected[key]) : '';
    const differs = key in expected && expected[key] !== measured;
    const text = figureText(measured);
    return { key, plain: text, cells: [differs ? pc.red(text) : text, chapterText(chapter[key], sentences), wanted] };
  });
  const heading = ['measured', 'the chapter says', 'expected'];
  const widths = heading.map((name, i) =>
    Math.max(name.length, ...facts.map(({ plain, cells }) => (i === 0 ? plain : cells[i]).length)),
  );
  // Borders and the spaces beside them take three characters a column, and one more.
  const room = WIDTH - 1 - 3 * (heading.length + 1) - widths.reduce((sum, width) => sum + width, 0);
  return factTable(heading, [facts.map(({ key, cells }): Fact => ({ label: wrap(labels[key], '  ', room), cells }))]);
}

/** The sentences under their numbers, and why the machine does otherwise. */
function sentenceList(cells: readonly ChapterCell[], sentences: readonly string[]): string {
  const lines = sentences.flatMap((sentence, i) => {
    const of = cells.filter((cell) => cell.sentence === sentence);
    const reasons = new Set(of.flatMap(({ because }) => because ?? []));
    const place = `[${i + 1}]`.padEnd(4);
    return [
      wrap(`${place} ${sentence} (${of[0].section})`, '     ', WIDTH),
      ...[...reasons].map((reason) => wrap(`     ≠ ${reason}`, '       ', WIDTH)),
    ];
  });
  return ['The chapter, word for word (≠: the machine does otherwise):', ...lines].join('\n');
}

const EXPECTED_NOTE = "Expected: by pagewalk's own rules.";
const COST_NOTE =
  'Flushes are invalidations of the TLB, or segment registers reloaded. Model cycles are weights that make the schemes comparable, not times.';

/** The lab as people read it. */
export function labText(result: LabResult): string {
  checkResult('lab', result);
  const cells = Object.values(result.chapter);
  const sentences = [...new Set(cells.map(({ sentence }) => sentence))];
  const parts = [
    pc.bold(`${result.name}: ${labTitle(result)}`),
    result.steps.map((step, index) => stepText(step, index)).join('\n'),
    `${figureTable(result, sentences)}\n${EXPECTED_NOTE}`,
    ...(cells.length === 0 ? [] : [sentenceList(cells, sentences)]),
  ];
  const { comparison } = result;
  if (comparison !== undefined) {
    const facts = COST_LABELS.map(([key, label]) => {
      return { label, cells: [formatCount(comparison.segmentation[key]), formatCount(comparison.paging[key])] };
    });
    const workload = wrap(`Compared: ${comparison.workload}`);
    parts.push(`${workload}\n${factTable(['segmentation', 'paging'], [facts])}\n${wrap(COST_NOTE)}`);
  }
  return `${parts.join('\n\n')}\n`;
}

/** The list of labs, a line each. */
export function labList(labs: readonly { readonly name: string; readonly title: string }[]): string {
  const width = Math.max(...labs.map(({ name }) => name.length));
  return `${labs.map(({ name, title }) => `${name.padEnd(width)}  ${title}`).join('\n')}\n`;
}
