/** A lab as text for the terminal: its steps, the arena drawn, figures beside the expected ones, and both schemes' costs. */

import pc from 'picocolors';
import { COST_LABELS } from '../results/lab-result.js';
import type { ArenaDrawing, Figure, LabResult, LabStep } from '../results/lab-result.js';
import { factTable, wrap } from '../output/table.js';
import type { Fact } from '../output/table.js';
import { formatCount } from '../output/units.js';

/** Characters that stand for the whole arena. */
const ARENA_WIDTH = 64;
const HOLE = '.';

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

function stepText({ text, evidence, arena }: LabStep, index: number): string {
  const lines = [wrap(`${index + 1}. ${text}`, '   ')];
  if (arena !== undefined) lines.push(`   ${drawArena(arena)}`);
  // Rows of a table keep their spaces; sentences are broken.
  for (const line of evidence) lines.push(line.length > 77 ? `   ${wrap(line, '     ', 77)}` : `   ${line}`);
  return lines.join('\n');
}

function figureFacts({ figures, expected }: LabResult): Fact[] {
  return Object.entries(figures).map(([key, measured]) => {
    const wanted = key in expected ? figureText(expected[key]) : '';
    const differs = key in expected && expected[key] !== measured;
    return { label: key, cells: [differs ? pc.red(figureText(measured)) : figureText(measured), wanted] };
  });
}

const COST_NOTE =
  'Flushes are invalidations of the TLB, or segment registers reloaded. Model cycles are weights that make the schemes comparable, not times.';

/** The lab as people read it. */
export function labText(result: LabResult): string {
  const parts = [
    pc.bold(`${result.name}: ${result.title}`),
    result.steps.map((step, index) => stepText(step, index)).join('\n'),
    factTable(['measured', 'expected'], [figureFacts(result)]),
  ];
  const { comparison } = result;
  if (comparison !== undefined) {
    const facts = COST_LABELS.map(([key, label]) => {
      return { label, cells: [formatCount(comparison.segmentation[key]), formatCount(comparison.paging[key])] };
    });
    parts.push(`${factTable(['segmentation', 'paging'], [facts])}\n${wrap(COST_NOTE)}`);
  }
  return `${parts.join('\n\n')}\n`;
}

/** The list of labs, a line each. */
export function labList(labs: readonly { readonly name: string; readonly title: string }[]): string {
  const width = Math.max(...labs.map(({ name }) => name.length));
  return `${labs.map(({ name, title }) => `${name.padEnd(width)}  ${title}`).join('\n')}\n`;
}
